"""Who takes part in bringing N web servers up and down: the floor, `stack`, and what a user would take instead."""

import glob
import os
import re
import shutil
import subprocess

from common import HELPERS, HERE, ROOTFS, WORK, address, answered, fresh_folder, run, timed
from engine import Engine


class Floor:
    """The job of `stack` with the same isolation, in the fewest system calls."""

    name = "floor"

    @staticmethod
    def filters():
        """Seccomp filters that `stack` has compiled and kept, the newest last."""
        return sorted(glob.glob("/var/cache/stack/seccomp.*"), key=os.path.getmtime)

    @classmethod
    def missing(cls):
        Stack.cycle(1)
        return None if cls.filters() else "no compiled filter in /var/cache/stack"

    @classmethod
    def cycle(cls, n):
        """One up and down: (milliseconds up, milliseconds down)."""
        return cls.run(n, cls.filters()[-1])

    @staticmethod
    def run(n, *isolation):
        work = fresh_folder("floor")
        output = run(f"{HELPERS}/floor", str(n), ROOTFS, work, *isolation)
        return tuple(float(re.search(rf"\b{key}_ms=([\d.]+)", output).group(1)) for key in ("up", "down"))


class BareFloor(Floor):
    """The same with network, mounts and processes of its own for each service, and nothing else."""

    name = "bare floor"

    @classmethod
    def missing(cls):
        return None

    @classmethod
    def cycle(cls, n):
        return cls.run(n)


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
    # Its own storage is on an overlay in a throwaway host, where it cannot make overlays; crun refuses hybrid cgroups; and
    # networks would be noted in the real host's /etc.
    command = (
        f"podman --root {WORK}/podman --runroot /run/podman-bench --network-config-dir {WORK}/podman-networks"
        " --runtime runc --cgroup-manager cgroupfs"
    )

    @classmethod
    def missing(cls):
        if not shutil.which("podman"):
            return "not installed: tools/bench --peers"
        probe = subprocess.run([*cls.command.split(), "info"], capture_output=True, check=False)
        return None if probe.returncode == 0 else "`podman info` fails here"

    @classmethod
    def cycle(cls, n):
        script = f"{cls.command} network create --subnet 10.80.0.0/16 bench && " + " && ".join(
            f"{cls.command} run -d --name s{k} --network bench --ip {address('10.80', k)} --rootfs {ROOTFS}:O"
            " /bin/httpd -f -p 80 -h /www"
            for k in range(n)
        )
        up = answered(address("10.80", 0), n, "sh", "-c", script)
        return up, timed("sh", "-c", f"{cls.command} rm -f -t 0 -a && {cls.command} network rm bench")


class Compose:
    name = "docker-compose"

    @staticmethod
    def missing():
        if not (shutil.which("dockerd") and shutil.which("docker-compose")):
            return "not installed: tools/bench --peers"
        return Engine.shared.start()

    @staticmethod
    def cycle(n):
        engine = Engine.shared
        services = "".join(
            f"  s{k}:\n    image: stack-bench\n    command: [/bin/httpd, -f, -p, '80', -h, /www]\n"
            f"    networks: {{bench: {{ipv4_address: {address('10.81', k)}}}}}\n"
            for k in range(n)
        )
        path = f"{WORK}/compose.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"services:\n{services}networks:\n  bench: {{ipam: {{config: [{{subnet: 10.81.0.0/16}}]}}}}\n")
        up = answered(address("10.81", 0), n, "docker-compose", "-f", path, "up", "-d", within=engine.enter)
        return up, timed(*engine.enter, "docker-compose", "-f", path, "down", "-t", "0")


class Mininet:
    name = "mininet"

    @staticmethod
    def missing():
        if not shutil.which("mn"):
            return "not installed: tools/bench --peers"
        probe = subprocess.run(["/usr/bin/python3", "-c", "import mininet"], capture_output=True, check=False)
        return None if probe.returncode == 0 else "its Python module does not load"

    @staticmethod
    def cycle(n):
        output = run("/usr/bin/python3", f"{HERE}/mininet_cycle.py", str(n))
        return tuple(float(re.search(rf"\b{key}_ms=([\d.]+)", output).group(1)) for key in ("up", "down"))
