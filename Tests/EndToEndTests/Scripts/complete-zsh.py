# complete-zsh.py FOLDER LINE NAME...
#
# Types LINE into a zsh that has FOLDER's functions, has it list what it would complete, and ends with 0 once all names are
# on the screen, or with 1 and the screen after 20 seconds.
import os
import pty
import re
import select
import sys
import time

folder, line, names = sys.argv[1], sys.argv[2], sys.argv[3:]
deadline = time.monotonic() + 20
child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="vt100", HOME=folder, COLUMNS="200")
    os.execvp("zsh", ["zsh", "-f", "-i"])

screen = b""


def shows(words):
    text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x00", b" ", screen).decode(errors="replace").split()
    return all(word in text for word in words)


def wait(words):
    global screen
    while not shows(words) and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                screen += os.read(terminal, 65536)
            except OSError:
                break
    return shows(words)


os.write(terminal, (
    f"stty rows 50 cols 200; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; "
    "bindkey '^I' list-choices; unsetopt prompt_cr; echo rea''dy\n").encode())
wait(["ready"])
screen = b""
os.write(terminal, line.encode() + b"\t")
found = wait(names)
os.write(terminal, b"\x15exit\n")
os.close(terminal)
os.waitpid(child, 0)
if not found:
    sys.exit(screen.replace(b"\0", b"").decode(errors="replace"))
