"""A Docker engine that runs for the benchmark alone."""

import os
import subprocess
import time

from common import ROOTFS, WORK, run


class Engine:
    """dockerd in network and mount namespaces of its own, so that its rules and bridges are in nobody's way and end with it."""

    shared = None
    socket = "unix:///run/docker-bench.sock"

    def __init__(self):
        self.process = None
        self.enter = ()

    def start(self):
        """Starts it, with the image of the benchmark in it. Why that failed, or None."""
        if self.process:
            return None
        script = (
            "ip link set lo up && mount -t cgroup2 none /sys/fs/cgroup && exec dockerd --data-root /run/docker-bench/data"
            f" --exec-root /run/docker-bench/exec --pidfile /run/docker-bench.pid -H {self.socket}"
        )
        with open(f"{WORK}/dockerd.log", "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "-n", "-m", "--propagation", "private", "sh", "-c", script],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        self.enter = ("nsenter", "-t", str(self.process.pid), "-n", "-m")
        os.environ["DOCKER_HOST"] = self.socket
        for _ in range(120):
            if self.process.poll() is not None:
                break
            if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
                image = f"tar -C {ROOTFS} -c . | docker import - stack-bench"
                done = subprocess.run(["sh", "-c", image], capture_output=True, check=False)
                return None if done.returncode == 0 else "the engine takes no image"
            time.sleep(0.5)
        self.stop()
        return f"its engine does not start: see {WORK}/dockerd.log"

    def run(self, *words):
        """A command of docker(1)."""
        return run("docker", *words)

    def connect(self):
        """Gives the engine a link to the machine outside, as the host has one. The engine's address on it."""
        run(
            "sh",
            "-ec",
            f"""
            nsenter --net=/run/throwaway/outside ip link add bench type veth peer name uplink netns {self.process.pid}
            nsenter --net=/run/throwaway/outside ip addr add 198.51.101.1/24 dev bench
            nsenter --net=/run/throwaway/outside ip link set bench up
            nsenter -t {self.process.pid} -n ip addr add 198.51.101.2/24 dev uplink
            nsenter -t {self.process.pid} -n ip link set uplink up
            """,
        )
        return "198.51.101.2"

    def stop(self):
        if not self.process:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


Engine.shared = Engine()
