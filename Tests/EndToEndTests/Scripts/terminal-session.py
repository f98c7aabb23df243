"""Types at a shell in a pseudoterminal, and prints what its screen shows.

terminal-session.py ROWS COLUMNS <STEPS

A step a line: `type TEXT` (with \\n, \\x03 and the like), `await PATTERN` (a regular expression over the screen),
`screen NAME` (prints it), `clear`. The terminal understands what `stack` and a shell send, no more.
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time


class Screen:
    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.clear()

    def clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.row = self.column = 0
        self.escape, self.wraps = None, False

    def feed(self, text):
        for character in text:
            self.put(character)

    def line_feed(self):
        if self.row == self.rows - 1:
            self.cells.pop(0)
            self.cells.append([" "] * self.columns)
        else:
            self.row += 1

    def put(self, character):
        if self.escape is not None:
            self.escape += character
            if self.escape[0] != "[" or len(self.escape) > 1 and character.isalpha():
                if self.escape[0] == "[":
                    self.control(self.escape[1:])
                self.escape = None
        elif character == "\x1b":
            self.escape = ""
        elif character == "\r":
            self.column, self.wraps = 0, False
        elif character == "\n":
            self.line_feed()
            self.wraps = False
        elif character == "\b":
            self.column, self.wraps = max(0, self.column - 1), False
        elif ord(character) >= 32:
            if self.wraps:
                self.column, self.wraps = 0, False
                self.line_feed()
            self.cells[self.row][self.column] = character
            if self.column == self.columns - 1:
                self.wraps = True
            else:
                self.column += 1

    def control(self, sequence):
        match = re.match(r"\??([0-9;]*)(.)", sequence)
        number = int(match[1].split(";")[0] or 0) if match else 0
        self.wraps = False
        kind = match[2] if match else ""
        if kind == "A":
            self.row = max(0, self.row - max(number, 1))
        elif kind == "K":
            self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
        elif kind == "J":
            self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
            for row in range(self.row + 1, self.rows):
                self.cells[row] = [" "] * self.columns
        elif kind == "H":
            self.row = self.column = 0

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells).rstrip()


def main():
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(PS1="$ ", TERM="xterm")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    screen = Screen(rows, columns)

    def read(seconds):
        if select.select([terminal], [], [], seconds)[0]:
            try:
                screen.feed(os.read(terminal, 65536).decode(errors="replace"))
            except OSError:
                return False
        return True

    for line in sys.stdin.read().splitlines():
        word, _, rest = line.partition(" ")
        if word == "type":
            os.write(terminal, rest.encode().decode("unicode_escape").encode())
        elif word == "await":
            end = time.monotonic() + 30
            while not re.search(rest, screen.text(), re.M) and time.monotonic() < end:
                read(0.05)
            if not re.search(rest, screen.text(), re.M):
                print(f"never came: {rest}\n{screen.text()}")
                return 1
        elif word == "clear":
            while select.select([terminal], [], [], 0.1)[0]:
                read(0)
            # The prompt stays.
            prompt = "".join(screen.cells[screen.row]).rstrip().replace("^C", "")
            screen.clear()
            screen.feed(prompt + " ")
        elif word == "screen":
            while select.select([terminal], [], [], 0.2)[0]:
                read(0)
            print(f"== {rest}\n{screen.text()}")
    return 0


sys.exit(main())
