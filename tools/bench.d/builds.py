"""Building images: stack beside docker's BuildKit and buildah (or podman, which is buildah's own code), on one disk."""

import os
import random
import shutil
import time

from common import GAP, attempt, leave_out, medians, run, shown, table, verdict
from images import Bench

FILES = 20_000
BYTES = 480_000_000


def write_context(folder, dockerfile, files=0):
    """A folder with a Dockerfile, and files of noise below `src`."""
    os.makedirs(f"{folder}/src", exist_ok=True)
    with open(f"{folder}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(dockerfile)
    generator = random.Random(1)
    for k in range(files):
        if k % 100 == 0:
            os.makedirs(f"{folder}/src/d{k // 100}", exist_ok=True)
        with open(f"{folder}/src/d{k // 100}/f{k}", "wb") as file:
            file.write(generator.randbytes(BYTES // FILES))


def write_base(folder):
    """The context of the base image, which every builder makes for itself: busybox."""
    write_context(folder, 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n')
    shutil.copy(shutil.which("busybox"), f"{folder}/busybox")


def builders(bench):
    """Each builder's command up to the name of the image and the folder, and what takes its cache away."""
    found = {"stack": (("stack", "build", "-q", "-t"), ("stack", "build", "prune", "--all"))}
    docker = attempt("docker build", bench.docker)
    if docker and docker is not GAP:
        # Its engine has no bridge here, so its steps get no network, which is less work than ours.
        build = ("env", "DOCKER_BUILDKIT=1", *docker, "build", "--network=none", "-q", "-t")
        found["docker"] = (build, (*docker, "builder", "prune", "-af"))
    if shutil.which("buildah"):
        store = ("--root", f"{bench.disk}/buildah", "--runroot", "/run/buildah-builds", "--storage-driver=overlay")
        # Without --layers it keeps nothing for the next build.
        found["buildah"] = (("buildah", *store, "bud", "--layers", "--isolation=chroot", "-q", "-t"), None)
    else:
        podman = attempt("podman build", bench.podman)
        if podman and podman is not GAP:
            found["buildah"] = ((*podman, "build", "--layers", "--isolation=chroot", "-q", "-t"), None)
    for name in ("docker", "buildah"):
        if name not in found:
            leave_out(f"{name} build", "not installed: tools/bench --peers")
    return found


def timed_build(command, name, folder, before, is_fresh):
    """Milliseconds of a build. A fresh one finds no step done."""
    if is_fresh and before:
        run(*before)
    fresh = ("--no-cache",) if is_fresh else ()
    begin = time.monotonic()
    run(*command, name, *fresh, folder)
    return (time.monotonic() - begin) * 1e3


def builds(runs):
    """All cached, ten steps that do nothing, and a large COPY."""
    if not shutil.which("busybox"):
        leave_out("builds", "busybox is not installed: tools/setup --tests")
        return
    with Bench() as bench:
        context = f"{bench.disk}/context"
        write_base(f"{context}/base")
        write_context(f"{context}/ten", "FROM base\n" + "RUN true\n" * 10)
        write_context(f"{context}/copy", "FROM base\nCOPY src /src\n", FILES)
        found = builders(bench)
        for who, (command, _) in list(found.items()):
            if attempt(f"{who} build", run, *command, "base", f"{context}/base") is GAP:
                del found[who]
        rows = []
        for title, name, is_fresh, targets in [
            ("all cached, 20,000 files", "copy", False, (0.3, None)),
            ("ten RUN true", "ten", True, (0.2, 0.1)),
            ("COPY of 20,000 files, 480 MB", "copy", True, (0.6, None)),
        ]:
            folder = f"{context}/{name}"
            measures = {}
            for who, (command, before) in found.items():
                if not is_fresh:
                    run(*command, name, folder)
                measures[who] = lambda c=command, b=before, f=is_fresh, n=name, d=folder: timed_build(c, n, d, b, f)
            result = medians(runs, **measures)
            ours, theirs, others = (result.get(who, GAP) for who in ("stack", "docker", "buildah"))
            rows.append([
                title, shown(ours), shown(theirs), shown(others), verdict(ours / theirs, targets[0]), verdict(ours / others, targets[1]),
            ])
        table("Build", rows, ["", "stack, ms", "docker BuildKit", "buildah", "of BuildKit", "of buildah"])
