"""Runs a command at a pseudoterminal, and types keys once it shows something. Prints what the terminal showed.

type-command.py COMMAND [PATTERN KEYS]

Its status is that of the command. Keys are typed after 30 seconds, whatever was shown. Without keys nobody types anything.
"""
import os
import pty
import re
import select
import sys
import time

command, pattern, keys = (sys.argv[1:] + ["", ""])[:3]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "-c", command])
shown = b""
due = time.monotonic() + 30
is_typed = not keys
while True:
    readable, _, _ = select.select([terminal], [], [], 0.2)
    if readable:
        try:
            read = os.read(terminal, 65536)
        except OSError:
            # EIO: the last process has closed the terminal.
            break
        if not read:
            break
        shown += read
    if not is_typed and (re.search(pattern.encode(), shown) or time.monotonic() > due):
        os.write(terminal, keys.encode().decode("unicode_escape").encode())
        is_typed = True
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
sys.stdout.buffer.flush()
sys.exit(os.waitstatus_to_exitcode(status))
