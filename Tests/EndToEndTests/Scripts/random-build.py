#!/usr/bin/env python3
"""Makes a context with a Dockerfile by chance: equal seeds make equal ones.

Usage: random-build.py SEED FOLDER

The Dockerfile begins with the image `base:1`, which has busybox and the users root and app (1000:1000). Its files have
a time of 2001, so that a copy which keeps times can be told from what a step made.
"""
import os
import random
import sys

NAMES = ["a", "b.txt", "c.conf", "d e", "sub", "x.log", "ä", ".hidden"]
MODES = [0o644, 0o600, 0o755, 0o640, 0o4755, 0o444]
OLD = 1_000_000_000


class Context:
    """The files of a context."""

    def __init__(self, chance, folder):
        self.chance = chance
        self.folder = folder
        self.files = []
        self.folders = []
        self.links = []

    def fill(self, folder="", depth=0):
        for name in self.chance.sample(NAMES, self.chance.randint(2, 5)):
            path = f"{folder}{name}"
            kind = self.chance.random()
            if kind < 0.3 and depth < 3:
                os.mkdir(f"{self.folder}/{path}")
                os.chmod(f"{self.folder}/{path}", self.chance.choice([0o755, 0o700, 0o750]))
                self.folders.append(path)
                self.fill(f"{path}/", depth + 1)
            elif kind < 0.42 and self.files:
                target = os.path.relpath(self.chance.choice(self.files), folder or ".")
                os.symlink(target, f"{self.folder}/{path}")
                self.links.append(path)
            else:
                self.add_file(path)

    def add_file(self, path):
        with open(f"{self.folder}/{path}", "w", encoding="utf-8") as file:
            file.write(f"{path} {self.chance.randint(0, 9)}\n" * self.chance.randint(0, 3))
        os.chmod(f"{self.folder}/{path}", self.chance.choice(MODES))
        if self.chance.random() < 0.1:
            try:
                os.setxattr(f"{self.folder}/{path}", "user.note", b"x")
            except OSError:
                # Not every file system has them.
                pass
        self.files.append(path)

    def set_times(self):
        for place, folders, files in os.walk(self.folder, topdown=False):
            for name in folders + files:
                os.utime(f"{place}/{name}", (OLD, OLD), follow_symlinks=False)

    def source(self):
        """A source of COPY that means something."""
        patterns = ["*.txt", "sub*", "[a-c]*", "*/*", "?*.conf", "no*"]
        kinds = [self.files, self.files, self.folders or ["."], ["."], patterns]
        return self.chance.choice(self.chance.choice(kinds))


class Dockerfile:
    """A Dockerfile's lines."""

    def __init__(self, chance, context):
        self.chance = chance
        self.context = context
        self.lines = []
        self.stages = []
        self.count = 0
        # Docker 20.10 and buildah 1.28 know no heredocs: most files are for all.
        self.has_heredocs = chance.random() < 0.15

    def write(self):
        if self.chance.random() < 0.3:
            self.lines.append("ARG BASE=base:1")
        base = "$BASE" if self.lines else "base:1"
        for index in range(self.chance.randint(1, 3)):
            name = f"stage{index}"
            earlier = self.chance.random() < 0.3 and self.stages
            self.lines.append(f"FROM {self.chance.choice(self.stages) if earlier else base} AS {name}")
            for _ in range(self.chance.randint(2, 7)):
                self.lines.append(self.instruction())
            # What a later stage copies.
            self.lines.append(f"RUN mkdir -p /out && echo {name} >/out/{name}")
            self.stages.append(name)
        return "\n".join(self.lines) + "\n"

    def instruction(self):
        self.count += 1
        kinds = [
            (5, self.copy), (4, self.run), (2, self.environment), (2, self.workdir), (1, self.user), (1, self.label),
            (1, self.expose), (1, self.volume), (1, self.command), (1, self.entrypoint), (1, self.health),
            (1, self.stop), (1, self.argument), (1, self.shell), (2 * self.has_heredocs, self.heredoc),
            (1, self.other_user),
        ]
        return self.chance.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]()

    def copy(self):
        flags = ""
        if self.stages and self.chance.random() < 0.3:
            stage = self.chance.choice(self.stages)
            return f"COPY --from={stage} /out{self.chance.choice(['', '/', '/' + stage])} /from{self.count}/"
        if self.chance.random() < 0.3:
            flags += f"--chown={self.chance.choice(['app', 'app:app', '5:6', '7', 'root:app'])} "
        if self.chance.random() < 0.2:
            flags += f"--chmod={self.chance.choice(['0755', '644', '4750'])} "
        sources = [self.context.source() for _ in range(self.chance.choice([1, 1, 1, 2]))]
        own = [f"/data{self.count}", f"rel{self.count}/", f"/into{self.count}/", f"/deep{self.count}/x/y/"]
        target = self.chance.choice(["/data/", "./", *own])
        if len(sources) > 1 and not target.endswith("/"):
            target += "/"
        word = "ADD" if self.chance.random() < 0.15 else "COPY"
        if any(" " in text for text in sources):
            return f"{word} {flags}[" + ", ".join(f'"{text}"' for text in [*sources, target]) + "]"
        return f"{word} {flags}{' '.join(sources)} {target}"

    def run(self):
        number = self.count
        return self.chance.choice([
            f"RUN echo $A-$B >/run{number}", f"RUN mkdir -p /m{number}/n && touch /m{number}/n/f",
            f"RUN touch /t{number} && chown 5:6 /t{number} && chmod 4711 /t{number}",
            f"RUN touch /l{number} && ln /l{number} /hard{number} && ln -s /l{number} /soft{number}",
            "RUN rm -f /etc/motd", "RUN rm -rf /opt/old && mkdir /opt/old && touch /opt/old/new",
            f'RUN ["/bin/touch", "/json{number}"]', f"RUN pwd >/tmp/pwd{number} && id -u >>/tmp/pwd{number}",
            f"RUN --mount=type=tmpfs,target=/mnt/t touch /mnt/t/x && touch /tmp/tmpfs{number}",
            f"RUN --mount=type=cache,target=/cache,mode=0777 touch /cache/x && touch /tmp/cache{number}",
            "RUN true", f"RUN mv /etc/issue /etc/issue{number} || true",
        ])

    def environment(self):
        return self.chance.choice([
            f"ENV A={self.count}", f"ENV B=$A-{self.count} C=\"x y\"", "ENV D 'a b'  c", "ENV PATH=/app:$PATH",
            "ENV E=${A:-none} F=${NO:+x}",
        ])

    def workdir(self):
        return f"WORKDIR {self.chance.choice(['/app', 'sub', '/app/$A', '/srv/new'])}"

    def user(self):
        return f"USER {self.chance.choice(['root', '0', 'root:root'])}"

    def other_user(self):
        """Steps of a user who is not root, and back."""
        folder = self.chance.choice(["/tmp/w", "/home/app/w"]) + str(self.count)
        copy = f'COPY ["{self.context.files[0]}", "./"]'
        return f"USER app\nWORKDIR {folder}\nRUN id -un >/tmp/u{self.count}\n{copy}\nUSER root"

    def label(self):
        return f"LABEL a={self.count} \"b c\"='d e'"

    def expose(self):
        return f"EXPOSE {self.chance.choice(['80', '80/udp 443', '8000-8002'])}"

    def volume(self):
        return f"VOLUME {self.chance.choice(['/vol', '/vol /vol2', '[' + chr(34) + '/v w' + chr(34) + ']'])}"

    def command(self):
        return self.chance.choice(["CMD echo $A", 'CMD ["echo", "$A"]'])

    def entrypoint(self):
        return self.chance.choice(["ENTRYPOINT exec echo", 'ENTRYPOINT ["/bin/echo", "-n"]'])

    def health(self):
        return self.chance.choice([
            "HEALTHCHECK NONE", "HEALTHCHECK --interval=5s --retries=2 CMD true", 'HEALTHCHECK CMD ["true"]'])

    def stop(self):
        return f"STOPSIGNAL {self.chance.choice(['SIGINT', '9', 'SIGQUIT'])}"

    def argument(self):
        return self.chance.choice(["ARG A", f"ARG B={self.count}", "ARG TARGETARCH"])

    def shell(self):
        return 'SHELL ["/bin/sh", "-ec"]'

    def heredoc(self):
        number = self.count
        return self.chance.choice([
            f"RUN <<EOF\necho one >/h{number}\necho $A >>/h{number}\nEOF", f"COPY <<EOF /h{number}\nA is $A\nEOF",
            f"COPY <<'EOF' /h{number}\nA is $A\nEOF", f"COPY <<one <<two /h{number}/\n1\none\n2\ntwo",
        ])


def main():
    chance = random.Random(int(sys.argv[1]))
    folder = sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    os.umask(0o022)
    context = Context(chance, folder)
    context.fill()
    if not context.files:
        context.add_file("only")
    if chance.random() < 0.4:
        patterns = chance.sample(["*.log", "sub", "**/a", "!sub/a", "*", "!b.txt", "# note", ".hidden", "**/*.conf"], 3)
        with open(f"{folder}/.dockerignore", "w", encoding="utf-8") as file:
            file.write("\n".join(patterns) + "\n")
    with open(f"{folder}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(Dockerfile(chance, context).write())
    context.set_times()


main()
