#!/usr/bin/env python3
"""Builds contexts that were made by chance with stack and with other programs, and compares the images.

Usage: compare-builds.py [--from SEED] [--count N] [--peers buildkit,buildah] [--keep FOLDER]

To be run as root in a throwaway host. Compared are all files (type, mode, owner, contents, target, attributes, the time
of what a copy brought) and the configuration. A difference that docs/build.md gives a reason for is in `explained`.
"""
import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
OLD = 1_100_000_000
DOCKER = {
    **os.environ, "DOCKER_HOST": "unix:///run/peers/docker.sock", "DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": "/run/peers",
}


def run(*words, env=None, limit=120):
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", env=env, timeout=limit, check=False)
    return done.returncode, done.stdout + done.stderr


def must(*words, **options):
    status, output = run(*words, **options)
    if status != 0:
        sys.exit(f"{' '.join(words)}: {output}")
    return output


# ---- Images


class Image:
    """All that is compared of an archive of `docker save`."""

    def __init__(self, path):
        self.files = {}
        with tarfile.open(path) as archive:
            manifest = json.load(archive.extractfile("manifest.json"))[0]
            self.config = json.load(archive.extractfile(manifest["Config"]))
            for layer in manifest["Layers"]:
                member = archive.getmember(layer)
                if member.issym():
                    member = archive.getmember(os.path.normpath(f"{os.path.dirname(layer)}/{member.linkname}"))
                self.add(archive.extractfile(member).read())

    def add(self, bytes_):
        with tarfile.open(fileobj=io.BytesIO(bytes_), mode="r:*") as layer:
            members = [(self.name(member.name), member) for member in layer]
            for name, _ in members:
                folder, _, last = name.rpartition("/")
                if last == ".wh..wh..opq":
                    self.remove_below(folder)
                elif last.startswith(".wh."):
                    hidden = f"{folder}/{last[4:]}".lstrip("/")
                    self.files.pop(hidden, None)
                    self.remove_below(hidden)
            for name, member in members:
                if not name.rpartition("/")[2].startswith(".wh."):
                    self.set(name, member, layer)

    @staticmethod
    def name(name):
        name = os.path.normpath(name).lstrip("/")
        return "" if name == "." else name

    def remove_below(self, folder):
        for name in [name for name in self.files if name.startswith(folder + "/" if folder else "")]:
            del self.files[name]

    def set(self, name, member, layer):
        if not member.isdir():
            self.remove_below(name)
        if member.islnk():
            self.files[name] = self.files.get(self.name(member.linkname))
            return
        content = hashlib.sha256(layer.extractfile(member).read()).hexdigest()[:12] if member.isreg() else ""
        kind = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link"}.get(member.type, "other")
        attributes = {key: value for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr.user.")}
        self.files[name] = {
            "kind": kind, "mode": oct(member.mode & 0o7777) if kind != "link" else "",
            "owner": f"{member.uid}:{member.gid}", "content": content,
            "target": member.linkname if kind == "link" else "", "attributes": attributes,
            "time": int(member.mtime) if kind == "file" and member.mtime < OLD else "now",
        }

    def settings(self):
        """The configuration without what is of one program alone."""
        config = self.config.get("config") or {}
        kept = ["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
                "Healthcheck", "Shell", "OnBuild"]
        settings = {key: config.get(key) for key in kept if config.get(key)}
        settings["Labels"] = {
            key: value for key, value in (settings.get("Labels") or {}).items() if not key.startswith("io.buildah")}
        settings.setdefault("WorkingDir", "/")
        return settings


# What exists because of how a program runs a step, and not because of what a Dockerfile says.
MADE = {
    "", "dev", "proc", "sys", "etc", "etc/hosts", "etc/hostname", "etc/resolv.conf", "run", "run/.containerenv",
    "run/secrets", "tmp", "mnt", "mnt/t", "cache",
}


def explained(peer, name, mine, theirs, dockerfile):
    """True for a difference of files that docs/build.md gives a reason for."""
    if name in MADE:
        return True
    if peer == "buildkit" and mine and theirs and not theirs["attributes"]:
        # The layers of Docker 20.10 keep no attributes of users.
        mine = {**mine, "attributes": {}}
        if mine == theirs:
            return True
    special = mine and theirs and {**mine, "mode": ""} == {**theirs, "mode": ""}
    if special and int(mine["mode"], 8) & 0o777 == int(theirs["mode"], 8) & 0o777:
        # buildah 1.28 loses set-user-ID. Docker 20.10 keeps it under --chmod, where later versions do not.
        return peer == "buildah" or "--chmod" in dockerfile
    if peer == "buildah":
        # The mode and the time of folders are the umask's and the present's; VOLUME makes its folder, WORKDIR does not.
        if mine and theirs:
            return mine["kind"] == theirs["kind"] == "folder"
        return (mine or theirs)["kind"] == "folder" and ("WORKDIR" if mine else "VOLUME") in dockerfile
    return False


def settled(peer, key, value):
    """A setting without what docs/build.md gives a reason for."""
    if key == "WorkingDir":
        # Docker 20.10 and buildah leave the slash that an empty variable makes.
        return os.path.normpath(value)
    if peer == "buildah" and key == "Env":
        return sorted(value)
    if peer == "buildah" and key in ("Cmd", "Entrypoint"):
        # A stage does not inherit the SHELL of the stage that it is built from.
        return [word.replace("-ec", "-c") for word in value]
    if peer == "buildah" and key == "ExposedPorts":
        ports = set()
        for port in value:
            # Of one number with two protocols it keeps the last.
            first, _, last = port.partition("/")[0].partition("-")
            ports |= set(range(int(first), int(last or first) + 1))
        return sorted(ports)
    return value


def differences(peer, mine, theirs, dockerfile):
    found = []
    for name in sorted(set(mine.files) | set(theirs.files)):
        one, other = mine.files.get(name), theirs.files.get(name)
        if one != other and not explained(peer, name, one, other, dockerfile):
            if one and other:
                parts = {key: (one[key], other[key]) for key in one if one[key] != other[key]}
                found.append(f"/{name}: {parts}")
            else:
                found.append(f"/{name}: only in {'stack' if one else peer}: {one or other}")
    one, other = mine.settings(), theirs.settings()
    for key in sorted(set(one) | set(other)):
        if (key in one) != (key in other) or settled(peer, key, one[key]) != settled(peer, key, other[key]):
            found.append(f"{key}: stack {one.get(key)!r}, {peer} {other.get(key)!r}")
    return found


# ---- Programs


def make_base(folder):
    """The image base:1 for all."""
    os.makedirs(f"{folder}/root", exist_ok=True)
    root = f"{folder}/root"
    for name in ["bin", "etc", "tmp", "opt/old", "root", "mnt"]:
        os.makedirs(f"{root}/{name}", exist_ok=True)
    os.chmod(f"{root}/tmp", 0o1777)
    must("cp", "-L", "/bin/busybox", f"{root}/bin/busybox")
    for name in ["sh", "echo", "mkdir", "touch", "chown", "chmod", "ln", "rm", "pwd", "id", "true", "mv", "cat"]:
        if not os.path.lexists(f"{root}/bin/{name}"):
            os.symlink("busybox", f"{root}/bin/{name}")
    for name, text in {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n",
        "etc/group": "root:x:0:\napp:x:1000:\n", "etc/motd": "hello\n", "etc/issue": "base\n", "opt/old/gone": "x\n",
    }.items():
        with open(f"{root}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    with open(f"{root}/layer.tar", "wb") as output:
        with tarfile.open(fileobj=output, mode="w") as layer:
            for name in ["bin", "etc", "tmp", "opt", "root", "mnt"]:
                layer.add(f"{root}/{name}", name)
    with open(f"{root}/layer.tar", "rb") as file:
        layer = file.read()
    os.remove(f"{root}/layer.tar")
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}, "history": [{"created_by": "base"}],
    }).encode()
    name = hashlib.sha256(config).hexdigest()
    image = {"Config": f"{name}.json", "RepoTags": ["base:1"], "Layers": [f"{digest}/layer.tar"]}
    manifest = json.dumps([image]).encode()
    with tarfile.open(f"{folder}/base.tar", "w") as archive:
        for path, data in [(f"{name}.json", config), (f"{digest}/layer.tar", layer), ("manifest.json", manifest)]:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return f"{folder}/base.tar"


BUILDAH = ["buildah", "--root", "/run/peers/buildah", "--runroot", "/run/peers/buildah-run", "--storage-driver", "vfs"]


def start(peers, base):
    if "buildkit" in peers:
        log = open("/run/peers/dockerd.log", "w", encoding="utf-8")  # pylint: disable=consider-using-with
        subprocess.Popen(  # pylint: disable=consider-using-with
            ["dockerd", "--data-root", "/run/peers/docker", "--exec-root", "/run/peers/docker-run",
             "--storage-driver", "vfs", "--iptables=false", "--ip6tables=false", "--bridge=none", "--pidfile",
             "/run/peers/dockerd.pid", "-H",
             "unix:///run/peers/docker.sock"], stdout=log, stderr=log)
        for _ in range(300):
            if run("/usr/bin/docker", "version", env=DOCKER)[0] == 0:
                break
            time.sleep(0.1)
        must("/usr/bin/docker", "load", "-i", base, env=DOCKER)
    if "buildah" in peers:
        must(*BUILDAH, "pull", f"docker-archive:{base}")
        must(*BUILDAH, "tag", "localhost/base:1", "docker.io/library/base:1")
    must("stack", "load", "-i", base)


def build(program, folder, name, archive):
    """(0, "") once the image is at `archive`; else the status and what was said."""
    if os.path.exists(archive):
        os.remove(archive)
    if program == "stack":
        made = run("stack", "build", "-t", name, "--progress", "plain", folder)
        return made if made[0] else run("stack", "save", "-o", archive, name)
    if program == "buildkit":
        made = run("/usr/bin/docker", "build", "--network=none", "-t", name, folder, env=DOCKER)
        return made if made[0] else run("/usr/bin/docker", "save", "-o", archive, name, env=DOCKER)
    made = run(
        *BUILDAH, "build", "--layers", "--isolation", "chroot", "--pull-never", "--format", "docker", "-t", name,
        folder)
    return made if made[0] else run(*BUILDAH, "push", name, f"docker-archive:{archive}:{name}")


def compare(seed, peers, work):
    folder = f"{work}/{seed}"
    must(f"{HERE}/random-build.py", str(seed), folder)
    with open(f"{folder}/Dockerfile", encoding="utf-8") as file:
        dockerfile = file.read()
    results = {
        program: build(program, folder, f"made:{seed}", f"{work}/{program}.tar") for program in ["stack", *peers]}
    found = []
    for peer in peers:
        # Neither Docker 20.10 nor buildah 1.28 knows heredocs. What buildah refuses is not compared.
        if "<<" in dockerfile or peer == "buildah" and results[peer][0] != 0:
            continue
        # buildah puts a folder in the place of a file that an earlier source of the same COPY made.
        replaces = "something else has that name" in results["stack"][1] or "cannot replace" in results["stack"][1]
        if peer == "buildah" and replaces:
            continue
        # Docker 20.10 lists a file as if it were a folder where a pattern like */* stands beside it.
        if peer == "buildkit" and "readdirent" in results[peer][1]:
            continue
        if (results["stack"][0] == 0) != (results[peer][0] == 0):
            found.append(f"stack: {results['stack']}\n  {peer}: {results[peer]}")
        elif results["stack"][0] == 0:
            found += [f"{peer} {text}" for text in differences(
                peer, Image(f"{work}/stack.tar"), Image(f"{work}/{peer}.tar"), dockerfile)]
    return found, dockerfile, {program: result[0] for program, result in results.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--peers", default="buildkit,buildah")
    parser.add_argument("--keep", default="/run/peers/work")
    options = parser.parse_args()
    peers = options.peers.split(",")
    os.makedirs("/run/peers", exist_ok=True)
    os.makedirs(options.keep, exist_ok=True)
    start(peers, make_base("/run/peers"))
    failed, built = 0, {program: 0 for program in ["stack", *peers]}
    for seed in range(options.first, options.first + options.count):
        found, dockerfile, statuses = compare(seed, peers, options.keep)
        for program, status in statuses.items():
            built[program] += status == 0
        if found:
            failed += 1
            print(f"--- seed {seed}\n{dockerfile}\n" + "\n".join(f"  {text}" for text in found), flush=True)
    print(f"{options.count} contexts, {failed} with differences; built: {built}")
    if os.path.exists("/run/peers/dockerd.pid"):
        with open("/run/peers/dockerd.pid", encoding="utf-8") as file:
            os.kill(int(file.read()), 15)
    sys.exit(1 if failed else 0)


main()
