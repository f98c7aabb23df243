"""Pulling images: stack beside docker and podman, from one registry on loopback, on one disk, each time with nothing there."""

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import tarfile
import tempfile
import time

from common import GAP, HELPERS, attempt, leave_out, medians, run, shown, table, verdict

REGISTRY = "127.0.0.1:5009"
FILES = 20_000
BYTES = 480_000_000


def contents(generator, size):
    """Text and noise: as much as gzip makes a third of."""
    words = [bytes(generator.choices(b"abcdefghijklmnopqrstuvwxyz", k=generator.randint(2, 9))) for _ in range(2000)]
    noise = generator.randbytes(size // 16)
    text = b" ".join(generator.choices(words, k=size // 6 + size // 16))
    return (noise + text)[:size]


def layer(number, of):
    """A layer with its share of the files, as tar."""
    generator = random.Random(number)
    pool = contents(generator, 8_000_000)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for k in range(FILES // of):
            size = min(int(generator.expovariate(FILES / BYTES)), 1_000_000)
            start = generator.randrange(len(pool) - size)
            info = tarfile.TarInfo(f"usr/lib/part{number}/d{k // 50}/file{k}")
            info.size, info.mode, info.mtime = size, 0o644, 1_700_000_000
            tar.addfile(info, io.BytesIO(pool[start : start + size]))
    return out.getvalue()


def make_image(folder, layers, packer, kind):
    """An OCI layout of an image of so many layers, packed by a command."""
    os.makedirs(f"{folder}/blobs/sha256")

    def blob(data, media):
        digest = hashlib.sha256(data).hexdigest()
        with open(f"{folder}/blobs/sha256/{digest}", "wb") as file:
            file.write(data)
        return {"mediaType": f"application/vnd.oci.image.{media}", "digest": f"sha256:{digest}", "size": len(data)}

    descriptors, contents_of = [], []
    for number in range(layers):
        plain = layer(number, layers)
        contents_of.append("sha256:" + hashlib.sha256(plain).hexdigest())
        packed = subprocess.run(packer, input=plain, stdout=subprocess.PIPE, check=True).stdout
        descriptors.append(blob(packed, f"layer.v1.tar+{kind}"))
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    config = {"architecture": machine, "os": "linux", "config": {"Cmd": ["/x"]}, "rootfs": {"type": "layers", "diff_ids": contents_of}}
    manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": descriptors,
    }
    entry = blob(json.dumps(manifest).encode(), "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": "bench"}
    for name, text in [("oci-layout", {"imageLayoutVersion": "1.0.0"}), ("index.json", {"schemaVersion": 2, "manifests": [entry]})]:
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            json.dump(text, file)
    return sum(d["size"] for d in descriptors)


class Bench:
    """The registry, the engines and their folders, all on the disk that this folder is on."""

    def __init__(self):
        self.disk = tempfile.mkdtemp(prefix="stack-bench-images.", dir=os.environ.get("BENCH_DISK", "/var/tmp"))
        self.processes = []
        self.mounted = False

    def __enter__(self):
        os.makedirs(f"{self.disk}/stack")
        # State of a throwaway host is in memory.
        run("mount", "--bind", f"{self.disk}/stack", "/var/lib/stack")
        self.mounted = True
        with open(f"{self.disk}/registry.yml", "w", encoding="utf-8") as file:
            file.write(
                f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {self.disk}/registry}}}}\n"
                f'http: {{addr: "{REGISTRY}"}}\n'
            )
        self.start("docker-registry", "serve", f"{self.disk}/registry.yml")
        self.until("the registry", "curl", "-sf", f"{REGISTRY}/v2/")
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(60)
        if self.mounted:
            run("umount", "/var/lib/stack")
        shutil.rmtree(self.disk, ignore_errors=True)

    def start(self, *command):
        with open(f"{self.disk}/log", "ab") as log:
            self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    @staticmethod
    def until(what, *command):
        end = time.monotonic() + 60
        while subprocess.run(command, capture_output=True, check=False).returncode != 0:
            if time.monotonic() > end:
                raise RuntimeError(f"{what} does not start")
            time.sleep(0.1)

    def push(self, name, layers, packer, kind):
        folder = f"{self.disk}/{name}"
        size = make_image(folder, layers, packer, kind)
        run("skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{folder}:bench", f"docker://{REGISTRY}/{name}:bench")
        shutil.rmtree(folder)
        return size

    def docker(self):
        """docker(1) with an engine of its own in this network, or None."""
        if not shutil.which("dockerd"):
            leave_out("docker pull", "not installed: tools/bench --peers")
            return None
        socket = f"unix://{self.disk}/docker.sock"
        self.start(
            "dockerd", "--data-root", f"{self.disk}/docker", "--exec-root", "/run/docker-images", "--pidfile", f"{self.disk}/docker.pid",
            "-H", socket, "--iptables=false", "--bridge=none", "--storage-driver=overlay2", f"--insecure-registry={REGISTRY}",
        )
        # A later docker(1), which is first in some machines' PATH, builds with a plugin that Debian does not have.
        client = "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker"
        self.until("dockerd", client, "-H", socket, "info")
        return (client, "-H", socket)

    def podman(self):
        if not shutil.which("podman"):
            leave_out("podman pull", "not installed: tools/bench --peers")
            return None
        return (
            "podman", "--root", f"{self.disk}/podman", "--runroot", "/run/podman-images", "--storage-driver=overlay",
            "--cgroup-manager=cgroupfs",
        )


def timed_pull(command, clean, synced):
    """Milliseconds of a pull, with what it left unwritten where that is to count."""
    run("sync")
    begin = time.monotonic()
    run(*command)
    if synced:
        run("sync")
    spent = (time.monotonic() - begin) * 1e3
    run(*clean)
    return spent


def pulls(runs):
    """Pull and unpack, cold."""
    if not all(map(shutil.which, ("docker-registry", "skopeo", "zstd"))):
        leave_out("pulls", "docker-registry, skopeo or zstd is not installed: tools/setup --tests")
        return
    gzip = ["pigz", "-6"] if shutil.which("pigz") else ["gzip", "-6"]
    with Bench() as bench:
        docker, podman = attempt("docker pull", bench.docker), attempt("podman pull", bench.podman)
        for name, layers, packer, kind, targets in [
            ("one", 1, gzip, "gzip", (0.4, 0.35)), ("ten", 10, gzip, "gzip", (0.4, 0.35)), ("zstd", 1, ["zstd", "-q"], "zstd", (None, 0.25)),
        ]:
            size = bench.push(name, layers, packer, kind)
            image = f"{REGISTRY}/{name}:bench"
            rows = []
            for synced in (False, True):
                # What is left out of its pull is what others leave out, too.
                unsynced = () if synced else ("env", f"LD_PRELOAD={HELPERS}/unsynced.so")
                measures = {
                    "stack": lambda unsynced=unsynced: timed_pull(
                        (*unsynced, "stack", "pull", "--quiet", image), ("stack", "image", "prune", "--all"), False)
                }
                if docker and docker is not GAP and kind != "zstd":
                    measures["docker"] = lambda synced=synced: timed_pull(
                        (*docker, "pull", "-q", image), (*docker, "rmi", "-f", image), synced)
                if podman and podman is not GAP:
                    measures["podman"] = lambda synced=synced: timed_pull(
                        (*podman, "pull", "-q", "--tls-verify=false", image), (*podman, "rmi", "-f", image), synced)
                result = medians(runs, **measures)
                ours, theirs, others = (result.get(who, GAP) for who in ("stack", "docker", "podman"))
                rows.append([
                    "written to disk" if synced else "as docker and podman: not yet written", shown(ours), shown(theirs), shown(others),
                    verdict(ours / theirs, targets[0]), verdict(ours / others, targets[1]),
                ])
            title = f"Pull: {layers} layer{'s' if layers > 1 else ''}, {size / 1e6:.0f} MB of {kind}, {FILES} files"
            table(title, rows, ["", "stack, ms", "docker", "podman", "of docker", "of podman"])
