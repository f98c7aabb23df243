"""What all measurements of tools/bench share: running commands, folders, tables."""

import os
import re
import select
import shutil
import statistics
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = "/run/throwaway/work"
ROOTFS = f"{WORK}/rootfs"
# Where tools/bench has built its helpers.
HELPERS = os.environ.get("BENCH_HELPERS", "")


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


def verdict(ratio, target):
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
    mine, other = [], []
    for _ in range(runs):
        mine.append(timed(*ours))
        other.append(timed(*theirs))
    left, right = statistics.median(mine), statistics.median(other)
    return [name, f"{left:.2f}", f"{right:.2f}", verdict(left / right, target)]
