#!/usr/bin/env python3
"""compose-beside.py FIRST COUNT FOLDER

Makes COUNT image configurations with what a file says over each, by the seeds from FIRST on, brings them up by docker-compose
and by stack, and prints where the two differ: environment, user, working folder, command, mounts, contents of volumes, health
check and stop signal, all as process 1 sees them. Needs a docker engine (DOCKER_HOST) and runs on a throwaway host.
"""

import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import time

PROBE = """#!/bin/busybox sh
PATH=/bin
exec 2>/dev/null
say() { echo "$@"; }
for signal in HUP INT QUIT USR1 USR2 TERM; do trap "echo stopped by $signal; exit 0" $signal; done
tr '\\000' '\\n' </proc/1/environ | sort | sed 's/^/env /'
say "command $(tr '\\000' '|' </proc/1/cmdline)"
say "user $(id -u) $(id -g) $(id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' ')"
say "folder $PWD $(stat -c '%a %u %g' .)"
for place in /data /data/sub /fresh/volume /etc/conf /named /anonymous /deep/er; do
  grep -q " $place " /proc/self/mountinfo && say "mount $place $(grep " $place " /proc/self/mountinfo | cut -d' ' -f6 | cut -c1-2)"
  [ -e "$place" ] || continue
  find "$place" | sort | while read -r name; do
    say "file $(stat -c '%n %a %u %g %F %h' "$name") $([ -L "$name" ] && readlink "$name" || { [ -f "$name" ] && stat -c '%s %Y' "$name"; })"
  done
  touch "$place/.written" 2>/dev/null && say "writable $place"; rm -f "$place/.written"
done
say complete
while :; do sleep 1000 & wait; done
"""

PASSWD = """root:x:0:0:root:/root:/bin/sh
app:x:1000:1000::/home/app:/bin/sh
other:x:1001:1001::/:/bin/sh
1002:x:1003:1003::/home/odd:/bin/sh
"""
GROUP = "root:x:0:root\nwheel:x:10:root,app\napp:x:1000:\nextra:x:2000:app,other\nother:x:1001:\n"


def layer():
    """A root with busybox, accounts, and folders for volumes."""
    out = io.BytesIO()
    archive = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)

    def add(name, kind=tarfile.REGTYPE, data=b"", mode=0o644, owner=0, link=""):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.gid, info.linkname = kind, mode, owner, owner, link
        info.size, info.mtime = len(data), 1_700_000_000
        archive.addfile(info, io.BytesIO(data))

    for name, mode, owner in [
        ("bin", 0o755, 0), ("etc", 0o755, 0), ("etc/conf", 0o700, 1000), ("tmp", 0o1777, 0), ("root", 0o700, 0), ("proc", 0o555, 0),
        ("sys", 0o555, 0), ("dev", 0o755, 0), ("data", 0o2770, 1000), ("data/sub", 0o755, 1001), ("real", 0o755, 0),
        ("home", 0o755, 0), ("home/app", 0o750, 1000), ("srv", 0o755, 0),
    ]:
        add(name, tarfile.DIRTYPE, mode=mode, owner=owner)
    with open(next(p for p in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(p)), "rb") as file:
        add("bin/busybox", data=file.read(), mode=0o755)
    for name in ["sh", "tr", "sort", "sed", "id", "stat", "grep", "cut", "find", "readlink", "touch", "rm", "sleep", "cat", "echo", "test"]:
        add(f"bin/{name}", tarfile.SYMTYPE, link="busybox")
    add("probe", data=PROBE.encode(), mode=0o755)
    add("etc/passwd", data=PASSWD.encode())
    add("etc/group", data=GROUP.encode())
    add("etc/conf/one", data=b"one\n", mode=0o600, owner=1000)
    add("data/seed", data=b"seed\n", mode=0o640, owner=1000)
    add("data/same", tarfile.LNKTYPE, link="data/seed")
    add("data/set", data=b"set\n", mode=0o4755, owner=1001)
    add("data/link", tarfile.SYMTYPE, link="/etc/passwd")
    add("data/sub/deep", data=b"deep\n", owner=4242)
    add("link", tarfile.SYMTYPE, link="real")
    archive.close()
    return out.getvalue()


class Case:
    """One image's configuration and one service's part of a file."""

    def __init__(self, seed):
        self.name = f"s{seed}"
        self.random = random.Random(seed)
        self.config, self.file = {}, {"hostname": "box", "network_mode": "none", "stop_grace_period": "5s"}
        for part in (self.command, self.user, self.folder, self.environment, self.volumes, self.health, self.rest):
            part()

    def some(self, *choices):
        return self.random.choice(choices)

    def command(self):
        entrypoint = self.some(None, None, ["/probe"], ["/probe", "e 1"], ["/bin/sh", "-c", 'exec /probe "$@"', "sh"])
        words = self.some(None, ["/probe", "c1"], ["/probe", "c 2", ""], ["/bin/sh", "-c", "exec /probe shell"])
        if entrypoint is None and words is None:
            words = ["/probe"]
        self.config["Entrypoint"], self.config["Cmd"] = entrypoint, words
        over = self.some("no", "no", ["/probe", "fe"], "/probe 'f e' x", [])
        if over != "no":
            self.file["entrypoint"] = over
        replaced = self.some("no", "no", ["/probe", "fc"], "/probe 'f c' y", [])
        if replaced != "no":
            self.file["command"] = replaced
        # Something must run: an empty entrypoint leaves the image's command, if it has one.
        if over == [] and replaced in ("no", []) and words is None:
            self.file["command"] = ["/probe", "last"]

    def user(self):
        users = ["", "app", "1000", "1000:2000", "app:extra", "0", "4242", "app:4242", "root", "other", "1002", "0:0", "app:"]
        self.config["User"] = self.some(*users)
        if self.random.random() < 0.3:
            self.file["user"] = self.some(*users[1:-1])

    def folder(self):
        folders = ["", "/", "/srv/app", "/data", "/data/sub", "/link/made", "/srv/./x/../y"]
        self.config["WorkingDir"] = self.some(*folders)
        if self.random.random() < 0.3:
            self.file["working_dir"] = self.some(*folders[1:-1])

    def environment(self):
        names = ["A=1", "B=two words", "C=", "D=a=b", "PATH=/bin:/usr/bin", "HOME=/elsewhere", "TERM=dumb", "A=last", "HOSTNAME=mine"]
        self.config["Env"] = [n for n in names if self.random.random() < 0.4]
        if self.random.random() < 0.7:
            file = {"A": "file", "E": "", "F": 'quote" and space', "PATH": "/bin", "HOME": "/file", "N": 5}
            self.file["environment"] = {k: v for k, v in file.items() if self.random.random() < 0.4}

    def volumes(self):
        declared = ["/data", "/fresh/volume", "/etc/conf", "/data/", "/deep/../deep/er"]
        self.config["Volumes"] = {v: {} for v in declared if self.random.random() < 0.35}
        mine = self.name
        entries = [
            [f"{mine}:/data"], [f"{mine}:/data:ro"], [f"{mine}:/named"], ["/anonymous"], [f"{mine}:/data/sub"],
            [f"{mine}:/etc/conf", "/anonymous"], [f"./{mine}:/data"],
            [{"type": "volume", "source": mine, "target": "/data", "volume": {"nocopy": True}}], [f"{mine}:/data:nocopy"],
        ]
        if self.random.random() < 0.6:
            self.file["volumes"] = self.some(*entries)
        if self.random.random() < 0.1:
            self.file["tmpfs"] = "/fresh/volume"

    def health(self):
        touch = "cat /proc/self/cmdline >/tmp/health; echo \"$A $PWD\" >>/tmp/health"
        # With 0 for the interval, Docker takes 30 s: too long to wait for.
        self.config["Healthcheck"] = self.some(
            None, {"Test": ["CMD-SHELL", touch], "Interval": 10**9}, {"Test": ["CMD", "/bin/sh", "-c", touch], "Interval": 10**9},
            {"Test": ["NONE"]}, {"Test": [], "Interval": 10**9}, {"Test": ["CMD-SHELL", touch], "Interval": 10**9, "Retries": 2})
        if self.config["Healthcheck"] is None:
            del self.config["Healthcheck"]
        over = self.some(None, None, {"disable": True}, {"test": ["NONE"]}, {"test": "echo file >/tmp/health", "interval": "1s"})
        if over:
            self.file["healthcheck"] = over
        self.is_checked = False

    def rest(self):
        self.config["StopSignal"] = self.some("", "SIGUSR1", "USR2", "2", "SIGTERM")
        if self.random.random() < 0.3:
            self.file["stop_signal"] = self.some("SIGHUP", "SIGQUIT")
        self.config["ExposedPorts"] = {"80/tcp": {}, "53/udp": {}} if self.random.random() < 0.5 else None
        self.config["Labels"] = {"from": "image", "both": "image"}
        self.file["labels"] = {"both": "file"}
        if self.random.random() < 0.2:
            self.file["tty"] = True  # stack keeps what is written to the terminal as well

    def image(self, diff):
        config = {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux",
            "created": "2024-01-01T00:00:00Z", "config": self.config, "rootfs": {"type": "layers", "diff_ids": [diff]},
            "history": [{"created": "2024-01-01T00:00:00Z"}],
        }
        return json.dumps(config).encode()


def archive(cases, path):
    """What `docker save` writes."""
    bottom = layer()
    with tarfile.open(path, "w") as out:
        def add(name, data):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))

        diff = "sha256:" + hashlib.sha256(bottom).hexdigest()
        add("layer.tar", bottom)
        manifest = []
        for case in cases:
            config = case.image(diff)
            name = hashlib.sha256(config).hexdigest() + ".json"
            add(name, config)
            manifest.append({"Config": name, "RepoTags": [f"beside:{case.name}"], "Layers": ["layer.tar"]})
        add("manifest.json", json.dumps(manifest).encode())


def run(*words, check=True, **options):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Docker:
    name = "docker"

    def up(self):
        run("docker", "load", "-i", "images.tar")
        run("docker-compose", "-p", "d", "-f", "docker.yaml", "up", "-d")

    def container(self, case):
        return f"d_{case.name}_1"

    def log(self, case):
        return run("docker", "logs", self.container(case)).stdout

    def inside(self, case, *words):
        return run("docker", "exec", "-u", "0", self.container(case), *words, check=False)

    def stop(self):
        run("docker-compose", "-p", "d", "-f", "docker.yaml", "stop", "-t", "5")

    def down(self):
        run("docker-compose", "-p", "d", "-f", "docker.yaml", "down", "-v")


class Stack:
    name = "stack"

    def up(self):
        run("stack", "load", "--input", "images.tar")
        run("stack", "up", "stack.yaml", env=os.environ | {"COMPOSE_PROJECT_NAME": "s"})

    def log(self, case):
        return run("stack", "logs", "--no-log-prefix", case.name).stdout

    def inside(self, case, *words):
        return run("stack", "exec", "--user", "0", case.name, *words, check=False)

    def stop(self):
        run("stack", "stop")

    def down(self):
        run("stack", "down", "--volumes")


def compose(cases, path, binds):
    services, volumes = {}, {}
    for case in cases:
        entries = []
        for entry in case.file.get("volumes", []):
            source = entry["source"] if isinstance(entry, dict) else entry.split(":")[0]
            if source == case.name:
                volumes[case.name] = {}
            entries.append(entry.replace("./", f"{binds}/") if isinstance(entry, str) else entry)
        file = dict(case.file, image=f"beside:{case.name}")
        if entries:
            file["volumes"] = entries
        services[case.name] = file
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"version": "3.7", "services": services, "volumes": volumes}, out, indent=1)


def within(seconds, condition):
    end = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return answer


def main():
    first, count, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    cases = [Case(seed) for seed in range(first, first + count)]
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    archive(cases, "images.tar")
    seen = {}
    for engine in (Docker(), Stack()):
        binds = f"{folder}/binds-{engine.name}"
        for case in cases:
            os.makedirs(f"{binds}/{case.name}", exist_ok=True)
            os.chmod(f"{binds}/{case.name}", 0o755)
        compose(cases, f"{engine.name}.yaml", binds)
        engine.up()
        for case in cases:
            log = within(30, lambda case=case: engine.log(case) if "complete" in engine.log(case) else None)
            seen[engine.name, case.name] = (log or engine.log(case)).replace("\r", "").splitlines()
        for case in cases:
            def health(case=case):
                return engine.inside(case, "/bin/cat", "/tmp/health").stdout.replace("\0", "|")

            # Where Docker checks, so must stack; where it does not, a while must be enough.
            has = seen.get(("docker", case.name), [])
            limit = 3 if engine.name == "docker" else (20 if any(line.startswith("health |") for line in has) else 0)
            found = within(limit, health)
            seen[engine.name, case.name].append(f"health |{found.strip()}")
            if not found:
                seen[engine.name, case.name][-1] = "no health check"
        engine.stop()
        for case in cases:
            seen[engine.name, case.name] += [line.strip() for line in engine.log(case).splitlines() if "stopped by" in line]
        engine.down()
    differences = 0
    for case in cases:
        ours, theirs = seen["stack", case.name], seen["docker", case.name]
        if ours == theirs:
            continue
        differences += 1
        print(f"{case.name}: image {json.dumps(case.config)}\n  file {json.dumps(case.file)}")
        for line in theirs:
            if line not in ours:
                print(f"  docker alone: {line}")
        for line in ours:
            if line not in theirs:
                print(f"  stack alone:  {line}")
    print(f"{len(cases)} configurations, {differences} differ")
    sys.exit(1 if differences else 0)


main()
