"""The measuring part of tools/bench. Runs as root in a throwaway host, with `stack` in PATH; prints Markdown."""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import sys
import time

import builds
import images
import network
import scale
from common import GAP, WORK, attempt, leave_out, left_out, make_rootfs, pair, run, table, verdict
from engine import Engine
from peers import BareFloor, Compose, Floor, Mininet, Plain, Podman, Stack
from plot import plot

# Ratios that the project has set itself: (what, N) -> at most this many times the yardstick.
UP_TARGETS = {1: 2.5, 10: 1.2, 50: 0.9, 100: 0.8, 400: 0.45}
DOWN_TARGETS = {50: 1.5}


def measure_cycles(contestants, sizes):
    """Medians of up and down for each contestant and size. Runs of one size are interleaved."""
    results = {}
    for n in sizes:
        samples = {contestant: [] for contestant in contestants}
        runs = ARGUMENTS.runs or (5 if n < 400 else 3)
        # The slow ones are not waited for at sizes at which nobody would use them.
        taking_part = [c for c in contestants if c in (Floor, BareFloor, Stack) or n <= ARGUMENTS.others_up_to]
        for index in range(runs):
            for contestant in taking_part:
                print(f"N = {n}, run {index + 1} of {runs}: {contestant.name}", file=sys.stderr, flush=True)
                # One that fails at a size is left out there; the table shows a gap.
                sample = attempt(f"{contestant.name} at N = {n}", contestant.cycle, n)
                if sample is not GAP:
                    samples[contestant].append(sample)
        for contestant in taking_part:
            if samples[contestant]:
                ups, downs = zip(*samples[contestant])
                results[contestant.name, n] = (statistics.median(ups), statistics.median(downs))
    return results


def report_cycles(results, contestants, sizes, index, title, targets):
    heads = ["N"] + [f"{c.name} (ms)" for c in contestants] + ["stack / floor"]
    rows = []
    for n in sizes:
        values = [results.get((c.name, n)) for c in contestants]
        cells = [f"{value[index]:.1f}" if value else "–" for value in values]
        floor, stack = results.get(("floor", n)), results.get(("stack", n))
        ratio = verdict(stack[index] / floor[index], targets.get(n)) if floor and stack else "–"
        rows.append([str(n), *cells, ratio])
    table(title, rows, heads)


def rollup(pid):
    """Kilobytes: proportional set size, and private."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        fields = dict(re.findall(r"^(\w+):\s+(\d+) kB", file.read(), re.MULTILINE))
    return int(fields["Pss"]), int(fields["Private_Clean"]) + int(fields["Private_Dirty"])


def processes_of(binary):
    """Processes of this host that run this program, by their executable or, for stack-init, which runs from a detached mount, by name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            executable = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                name = file.read().strip()
        except OSError:
            continue
        if executable == binary or name == binary:
            found.append(int(pid))
    return found


def measure_memory(sizes):
    rows = []
    for n in sizes:
        run("stack", "up", Stack.file(n))
        # What was needed only for bringing up is given back within a moment, or not at all.
        time.sleep(2)
        supervisor = sum(rollup(pid)[0] for pid in processes_of("stack"))
        inits = [rollup(pid)[1] for pid in processes_of("stack-init")]
        limit = 12 * 1024 + 20 * n
        init = f"{statistics.median(inits):.0f}" if inits else "–"
        rows.append([str(n), f"{supervisor}", f"{limit}", verdict(supervisor / limit, 1.0), init, "100"])
        run("stack", "down", "bench")
    table(
        "Memory (kB)",
        rows,
        ["N", "supervisor, PSS", "at most", "ratio", "stack-init, private", "at most"],
    )


def single_commands(only):
    rows = []
    if "start" in only:
        if shutil.which("crun"):
            rows.append(pair("`stack --version` / `crun --version`", ["stack", "--version"], ["crun", "--version"], 1.5))
        else:
            leave_out("start-up against crun", "not installed: tools/bench --peers")
    if "exec" in only:
        run("stack", "up", Stack.file(1))
        pid = json.loads(run("stack", "ps", "--format", "json").splitlines()[0])["PID"]
        enter = ["nsenter", "-t", str(pid), "-a", "/bin/true"]
        rows.append(pair("`stack exec s0 true` / `nsenter -t PID -a true`", ["stack", "exec", "s0", "true"], enter, 2.5))
        run("stack", "down", "bench")
    if rows:
        table("Single commands", rows, ["command", "stack (ms)", "other (ms)", "ratio"])


def isolation_stack(name, n, keys):
    """The stack of the up measurement under another name, with further keys for each service."""
    keys = f", {keys}" if keys else ""
    services = "".join(
        f"  s{k}: {{rootfs: {WORK}/rootfs, command: [/bin/httpd, -f, -p, '80', -h, /www], expose: ['80']{keys}}}\n" for k in range(n)
    )
    return f"name: {name}\nservices:\n{services}"


def describe_machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(
        f"{os.cpu_count()} cores ({model.group(1) if model else platform.machine()}), {memory:.0f} GiB, "
        f"Linux {platform.release()}, load {os.getloadavg()[0]:.2f} at the start"
    )


def main():
    only = set(ARGUMENTS.only.split(","))
    sizes = [int(size) for size in ARGUMENTS.sizes.split(",")]
    make_rootfs()
    describe_machine()
    contestants = []
    for contestant in (Floor, BareFloor, Stack, Plain, Compose, Podman, Mininet):
        reason = attempt(contestant.name, contestant.missing)
        if reason is None:
            contestants.append(contestant)
        elif reason is not GAP:
            leave_out(contestant.name, reason)
    if only & {"up", "down"}:
        results = measure_cycles(contestants, sizes)
        if "up" in only:
            report_cycles(results, contestants, sizes, 0, "Up: until all N have answered HTTP 200", UP_TARGETS)
        if "down" in only:
            report_cycles(results, contestants, sizes, 1, "Down: until every link is gone", DOWN_TARGETS)
        if ARGUMENTS.plot:
            plot(ARGUMENTS.plot, {(name, n): value[0] for (name, n), value in results.items()})
    attempt("single commands", single_commands, only)
    runs = ARGUMENTS.runs or 3
    for name, measure in {
        # Whoever looks through the kernel's table of connections must not find those of the measurements of throughput in it.
        "many": network.many,
        "policy": network.policy_change,
        "verify": network.proof,
        "scale": scale.measure,
        "throughput": network.throughput,
        "published": network.published,
        "names": network.names,
        "images": lambda runs: images.pulls(ARGUMENTS.runs or 5),
        "build": lambda runs: builds.builds(ARGUMENTS.runs or 5),
        "isolation": lambda runs: network.protection(runs, isolation_stack),
    }.items():
        if name in only:
            attempt(name, measure, runs)
    if "memory" in only:
        attempt("memory", measure_memory, [n for n in sizes if n in (1, 50, 400)] or sizes[:1])
    if left_out:
        print("\nLeft out:\n\n" + "\n".join(f"- {line.splitlines()[0]}" for line in left_out))


PARSER = argparse.ArgumentParser(prog="tools/bench")
PARSER.add_argument("--only", default="up,down,exec,start,memory,throughput,published,many,verify,scale,policy,names,isolation,images,build")
PARSER.add_argument("--sizes", default="1,10,50,100,200,400,800")
PARSER.add_argument("--runs", type=int, default=0, help="runs of each size; default 5, and 3 from 400 on")
PARSER.add_argument("--others-up-to", type=int, default=100, help="the largest size for all but stack and the floor")
PARSER.add_argument("--plot", metavar="FILE.svg")
ARGUMENTS = PARSER.parse_args()

if __name__ == "__main__":
    try:
        main()
    finally:
        Engine.shared.stop()
