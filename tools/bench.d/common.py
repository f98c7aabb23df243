"""What all measurements of tools/bench share: running commands, folders, tables."""

import math
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = "/run/throwaway/work"
ROOTFS = f"{WORK}/rootfs"
# Where tools/bench has built its helpers.
HELPERS = os.environ.get("BENCH_HELPERS", "")
# What stands for a number that could not be measured: whatever is computed with it is not a number either, and shown as a gap.
GAP = math.nan
# What was left out of the tables, and why.
left_out = []


def leave_out(what, reason):
    """Notes that something has no place in the tables: said at once, and once more under them."""
    left_out.append(f"{what} ({reason})")
    print(f"left out: {left_out[-1]}", file=sys.stderr, flush=True)


def attempt(what, measure, *arguments):
    """What `measure` returns. Where it fails, for whatever reason, that is noted, and the result is a gap: it costs no other row."""
    try:
        return measure(*arguments)
    except Exception as error:  # pylint: disable=broad-exception-caught
        leave_out(what, f"failed: {str(error).strip() or type(error).__name__}")
        return GAP


def await_end(process, seconds):
    """Waits for a process by its descriptor: Popen.wait with a limit looks after 0.5, 1.5, 3.5, 7.5, … milliseconds, which is
    then what a command takes."""
    descriptor = os.pidfd_open(process.pid)
    try:
        end = select.poll()
        end.register(descriptor, select.POLLIN)
        if not end.poll(seconds * 1000):
            process.kill()
            process.wait()
            raise subprocess.TimeoutExpired(process.args, seconds)
        process.wait()
    finally:
        os.close(descriptor)


def run(*command):
    """Runs a command to its end; its output is returned, its failure raised with what it said."""
    # A file and not a pipe: what a failed command leaves running must not keep us waiting for the end of its output.
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        await_end(process, 180)
        status = process.returncode
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


def answered(first, n, *command, within=()):
    """Milliseconds from the start of `command` until n servers, from address `first` on, have answered.

    `within` is what enters the namespaces that both are in.
    """
    output = run(*within, f"{HELPERS}/answered", first, str(n), *command)
    return float(re.search(r"answered_ms=([\d.]+)", output).group(1))


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


def shown(value, digits=0):
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def verdict(ratio, target):
    if math.isnan(ratio):
        return "–"
    if target is None:
        return f"{ratio:.2f}"
    return f"{ratio:.2f} ({'≤' if ratio <= target else '**>**'} {target})"


def table(title, rows, heads):
    print(f"\n### {title}\n")
    print("| " + " | ".join(heads) + " |")
    print("|" + " ---: |" * len(heads))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def pair(name, ours, theirs, target, runs=101):
    """Medians of two commands run in turns."""
    result = medians(runs, stack=lambda: timed(*ours), **{theirs[0]: lambda: timed(*theirs)})
    left, right = result["stack"], result[theirs[0]]
    return [name, shown(left, 2), shown(right, 2), verdict(left / right, target)]


def medians(runs, **measures):
    """The median of each measure, taken in turns. One that fails is left out from then on."""
    samples = {name: [] for name in measures}
    for _ in range(runs):
        for name, measure in measures.items():
            if GAP not in samples[name]:
                samples[name].append(attempt(name, measure))
    return {name: GAP if GAP in values else statistics.median(values) for name, values in samples.items()}
