"""The measuring part of tools/bench. Runs as root in a throwaway host, with `stack` in PATH; prints Markdown."""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from plot import plot

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = "/run/throwaway/work"
ROOTFS = f"{WORK}/rootfs"
# Ratios that the project has set itself: (what, N) -> at most this many times the yardstick.
UP_TARGETS = {10: 1.5, 50: 1.0, 100: 1.0, 400: 0.4, 800: 0.2}
DOWN_TARGETS = {50: 1.5}


def run(*command):
    """Runs a command to its end; its output is returned, its failure raised with what it said."""
    # A file and not a pipe: what a failed command leaves running must not keep us waiting for the end of its output.
    with tempfile.TemporaryFile("w+") as output:
        status = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=180, check=False
        ).returncode
        output.seek(0)
        text = output.read()
    if status != 0:
        raise RuntimeError(f"{' '.join(command)[:200]}: exit {status}\n{text[-2000:]}")
    return text


def timed(*command):
    """Wall-clock milliseconds of a command."""
    begin = time.monotonic()
    run(*command)
    return (time.monotonic() - begin) * 1e3


def answered(first, n, *command):
    """Milliseconds from the start of `command` until n servers, from address `first` on, have answered."""
    output = run(f"{ARGUMENTS.helpers}/answered", first, str(n), *command)
    return float(re.search(r"answered_ms=([\d.]+)", output).group(1))


class Floor:
    name = "floor"

    @staticmethod
    def missing():
        return None

    @staticmethod
    def cycle(n):
        """One up and down: (milliseconds up, milliseconds down)."""
        work = fresh_folder("floor")
        output = run(f"{ARGUMENTS.helpers}/floor", str(n), ROOTFS, work)
        return tuple(float(re.search(rf"\b{key}_ms=([\d.]+)", output).group(1)) for key in ("up", "down"))


class Stack:
    name = "stack"

    @staticmethod
    def missing():
        return None

    @staticmethod
    def file(n):
        services = "".join(
            f"  s{k}:\n    rootfs: ./rootfs\n    command: [/bin/httpd, -f, -p, '80', -h, /www]\n    expose: ['80']\n"
            f"    networks: {{bench: {{ipv4_address: {address('10.79', k)}}}}}\n"
            for k in range(n)
        )
        path = f"{WORK}/bench.stack"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"name: bench\nservices:\n{services}networks:\n  bench: {{subnet: 10.79.0.0/16}}\n")
        return path

    @classmethod
    def cycle(cls, n):
        path = cls.file(n)
        up = answered(address("10.79", 0), n, "stack", "up", path)
        return up, timed("stack", "down", "bench")


class Plain:
    name = "ip + unshare"

    @staticmethod
    def missing():
        return None if all(map(shutil.which, ("ip", "nft", "unshare"))) else "no ip, nft or unshare"

    @staticmethod
    def cycle(n):
        work = fresh_folder("plain")
        up = answered(address("10.83", 0), n, f"{HERE}/plain", "up", str(n), ROOTFS, work)
        return up, timed(f"{HERE}/plain", "down", str(n), work)


class Podman:
    name = "podman"

    @staticmethod
    def missing():
        if not shutil.which("podman"):
            return "not installed"
        probe = subprocess.run(["podman", "info"], capture_output=True, check=False)
        return None if probe.returncode == 0 else "`podman info` fails here"

    @staticmethod
    def cycle(n):
        script = "podman network create --subnet 10.80.0.0/16 bench && " + " && ".join(
            f"podman run -d --name s{k} --network bench --ip {address('10.80', k)} --rootfs {ROOTFS}:O"
            " /bin/httpd -f -p 80 -h /www"
            for k in range(n)
        )
        up = answered(address("10.80", 0), n, "sh", "-c", script)
        return up, timed("sh", "-c", "podman rm -f -t 0 -a && podman network rm bench")


class Compose:
    name = "docker compose"

    @staticmethod
    def missing():
        if not shutil.which("docker"):
            return "not installed"
        probe = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if probe.returncode != 0:
            return "no compose plugin"
        probe = subprocess.run(["docker", "info"], capture_output=True, check=False)
        return None if probe.returncode == 0 else "no engine answers"

    @staticmethod
    def cycle(n):
        run("sh", "-c", f"docker image inspect stack-bench >/dev/null 2>&1 || tar -C {ROOTFS} -c . | docker import - stack-bench")
        services = "".join(
            f"  s{k}:\n    image: stack-bench\n    command: [/bin/httpd, -f, -p, '80', -h, /www]\n"
            f"    networks: {{bench: {{ipv4_address: {address('10.81', k)}}}}}\n"
            for k in range(n)
        )
        path = f"{WORK}/compose.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"services:\n{services}networks:\n  bench: {{ipam: {{config: [{{subnet: 10.81.0.0/16}}]}}}}\n")
        up = answered(address("10.81", 0), n, "docker", "compose", "-f", path, "up", "-d")
        return up, timed("docker", "compose", "-f", path, "down", "-t", "0")


class Mininet:
    name = "mininet"

    @staticmethod
    def missing():
        if not shutil.which("mn"):
            return "not installed"
        probe = subprocess.run(["/usr/bin/python3", "-c", "import mininet"], capture_output=True, check=False)
        return None if probe.returncode == 0 else "its Python module does not load"

    @staticmethod
    def cycle(n):
        output = run("/usr/bin/python3", f"{HERE}/mininet_cycle.py", str(n))
        return tuple(float(re.search(rf"\b{key}_ms=([\d.]+)", output).group(1)) for key in ("up", "down"))


def address(prefix, k):
    """The k-th service's address in a /16, from .0.2 on."""
    return f"{prefix}.{(k + 2) >> 8}.{(k + 2) & 255}"


def fresh_folder(name):
    path = f"{WORK}/{name}"
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def make_rootfs():
    """The root folder of every service on every side: busybox, one page."""
    for folder in ("bin", "www", "proc", "sys", "dev", "tmp", "etc", "run"):
        os.makedirs(f"{ROOTFS}/{folder}", exist_ok=True)
    shutil.copy(shutil.which("busybox"), f"{ROOTFS}/bin/busybox")
    for applet in ("httpd", "sh", "sleep", "true"):
        os.symlink("busybox", f"{ROOTFS}/bin/{applet}")
    with open(f"{ROOTFS}/www/index.html", "w", encoding="utf-8") as file:
        file.write("hello\n")


def verdict(ratio, target):
    if target is None:
        return f"{ratio:.2f}"
    return f"{ratio:.2f} ({'≤' if ratio <= target else '**>**'} {target})"


def measure_cycles(contestants, sizes):
    """Medians of up and down for each contestant and size. Runs of one size are interleaved."""
    results = {}
    for n in sizes:
        samples = {contestant: [] for contestant in contestants}
        runs = ARGUMENTS.runs or (5 if n < 400 else 3)
        # The slow ones are not waited for at sizes at which nobody would use them.
        taking_part = [c for c in contestants if c in (Floor, Stack) or n <= ARGUMENTS.others_up_to]
        for index in range(runs):
            for contestant in taking_part:
                print(f"N = {n}, run {index + 1} of {runs}: {contestant.name}", file=sys.stderr, flush=True)
                try:
                    samples[contestant].append(contestant.cycle(n))
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    # One that fails at a size is left out there; the table shows a gap.
                    print(f"  {contestant.name} failed at N = {n}: {error}", file=sys.stderr)
        for contestant in taking_part:
            if samples[contestant]:
                ups, downs = zip(*samples[contestant])
                results[contestant.name, n] = (statistics.median(ups), statistics.median(downs))
    return results


def table(title, rows, heads):
    print(f"\n### {title}\n")
    print("| " + " | ".join(heads) + " |")
    print("|" + " ---: |" * len(heads))
    for row in rows:
        print("| " + " | ".join(row) + " |")


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


def pair(name, ours, theirs, target, runs=101):
    """Medians of two commands run in turns."""
    mine, other = [], []
    for _ in range(runs):
        mine.append(timed(*ours))
        other.append(timed(*theirs))
    left, right = statistics.median(mine), statistics.median(other)
    return [name, f"{left:.2f}", f"{right:.2f}", verdict(left / right, target)]


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
            print("skipped: start-up against crun (not installed)", file=sys.stderr)
    if "exec" in only:
        run("stack", "up", Stack.file(1))
        pid = json.loads(run("stack", "ps", "--format", "json").splitlines()[0])["PID"]
        enter = ["nsenter", "-t", str(pid), "-a", "/bin/true"]
        rows.append(pair("`stack exec s0 true` / `nsenter -t PID -a true`", ["stack", "exec", "s0", "true"], enter, 2.5))
        run("stack", "down", "bench")
    if rows:
        table("Single commands", rows, ["command", "stack (ms)", "other (ms)", "ratio"])


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
    for contestant in (Floor, Stack, Plain, Compose, Podman, Mininet):
        reason = contestant.missing()
        if reason:
            print(f"skipped: {contestant.name} ({reason})", file=sys.stderr)
        else:
            contestants.append(contestant)
    if only & {"up", "down"}:
        results = measure_cycles(contestants, sizes)
        if "up" in only:
            report_cycles(results, contestants, sizes, 0, "Up: until all N have answered HTTP 200", UP_TARGETS)
        if "down" in only:
            report_cycles(results, contestants, sizes, 1, "Down: until every link is gone", DOWN_TARGETS)
        if ARGUMENTS.plot:
            plot(ARGUMENTS.plot, {(name, n): value[0] for (name, n), value in results.items()})
    single_commands(only)
    if "memory" in only:
        measure_memory([n for n in sizes if n in (1, 50, 400)] or sizes[:1])


PARSER = argparse.ArgumentParser(prog="tools/bench")
PARSER.add_argument("--only", default="up,down,exec,start,memory")
PARSER.add_argument("--sizes", default="1,10,50,100,200,400,800")
PARSER.add_argument("--runs", type=int, default=0, help="runs of each size; default 5, and 3 from 400 on")
PARSER.add_argument("--others-up-to", type=int, default=100, help="the largest size for all but stack and the floor")
PARSER.add_argument("--plot", metavar="FILE.svg")
PARSER.add_argument("--helpers", required=True, help=argparse.SUPPRESS)
ARGUMENTS = PARSER.parse_args()

if __name__ == "__main__":
    main()
