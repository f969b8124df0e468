"""Runs a command on a pseudo-terminal and writes what was seen there, with its times, as an SVG that
plays once and then stands still: record.py OUT.svg SHOWN-COMMAND COMMAND [WORD...]

`make recording` calls it. It knows the few control sequences that bkdeploy uses, and refuses others.
"""
import fcntl
import html
import os
import pty
import re
import struct
import sys
import termios
import time

COLUMNS, ROWS = 96, 32
CHAR, LINE, EDGE = 8.43, 18, 14  # of 14 px monospace
SEQUENCE = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")


def record(command):
    """[(seconds, bytes)], and the exit code."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
        os.environ.pop("NO_COLOR", None)
        time.sleep(0.1)  # until the size is set
        os.execvp(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    start, chunks = time.monotonic(), []
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        chunks.append((time.monotonic() - start, data))
    return chunks, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Screen:
    """Rows of (character, colour)."""

    def __init__(self):
        self.rows = [[] for _ in range(ROWS)]
        self.x = self.y = 0
        self.colour = ""

    def feed(self, text):
        at = 0
        while at < len(text):
            sequence = SEQUENCE.match(text, at)
            if sequence:
                self.obey(*sequence.groups())
                at = sequence.end()
                continue
            self.put(text[at])
            at += 1

    def put(self, char):
        if char == "\r":
            self.x = 0
        elif char == "\n":
            self.y += 1
            if self.y == ROWS:
                self.rows = self.rows[1:] + [[]]
                self.y -= 1
        else:
            assert char >= " ", repr(char)
            if self.x == COLUMNS:
                self.put("\r")
                self.put("\n")
            row = self.rows[self.y]
            row += [(" ", "")] * (self.x + 1 - len(row))
            row[self.x] = (char, self.colour)
            self.x += 1

    def obey(self, argument, letter):
        number = int(argument) if argument.isdigit() else 0
        if letter == "m":
            self.colour = {0: "", 1: "b", 2: "d", 31: "r", 32: "g", 33: "y"}[number]
        elif letter == "A":
            self.y = max(0, self.y - (number or 1))
        elif letter == "J" and number == 0:
            del self.rows[self.y][self.x:]
            for row in self.rows[self.y + 1:]:
                row.clear()
        elif letter == "K" and number == 2:
            self.rows[self.y].clear()
        else:
            assert argument + letter in ("?7l", "?7h"), argument + letter

    def lines(self):
        return [tuple(row) for row in self.rows]


def runs(line):
    """A line as spans of one colour."""
    parts, text, colour = [], "", None
    for char, its in list(line) + [("", None)]:
        if its != colour and text:
            body = html.escape(text, quote=False)
            parts.append(f'<tspan class="{colour}">{body}</tspan>' if colour else body)
            text = ""
        text, colour = text + char, its
    return "".join(parts).rstrip()


def versions(chunks, shown):
    """[(row, line, begin, end)]: which line stood in a row from when to when; end None: to the last."""
    screen = Screen()
    screen.feed("$ " + shown + "\r\n")
    current = [(line, 0.0) for line in screen.lines()]
    found, pending = [], ""
    for number, (when, data) in enumerate(chunks):
        pending += data.decode()
        if number + 1 < len(chunks) and chunks[number + 1][0] - when < 0.02:
            continue  # one picture
        screen.feed(pending)
        pending = ""
        for row, line in enumerate(screen.lines()):
            if line != current[row][0]:
                found.append((row, *current[row], when))
                current[row] = (line, when)
    return found + [(row, line, begin, None) for row, (line, begin) in enumerate(current)]


STYLE = """text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre;fill:#1f2328}
.page{fill:#f6f8fa;stroke:#d0d7de}.g{fill:#1a7f37}.y{fill:#9a6700}.r{fill:#cf222e}.d{fill:#6e7781}.b{font-weight:bold}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117;stroke:#30363d}
.g{fill:#3fb950}.y{fill:#d29922}.r{fill:#f85149}.d{fill:#8b949e}}"""


def picture(found, shown):
    used = max(row for row, line, _, end in found if end is None and line) + 1
    width, height = COLUMNS * CHAR + 2 * EDGE, used * LINE + 2 * EDGE
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
           f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="A recording of {html.escape(shown)}">',
           f"<style>{STYLE}</style>",
           f'<rect class="page" x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="6"/>']
    for row, line, begin, end in found:
        body = runs(line)
        if not body or row >= used:
            continue
        if end is None:  # the last is there, too, where nothing is animated
            hide = f'<set attributeName="visibility" to="hidden" begin="0s" end="{begin:.2f}s"/>' if begin else ""
            mark = ""
        else:
            hide = f'<set attributeName="visibility" to="visible" begin="{begin:.2f}s" end="{end:.2f}s"/>'
            mark = ' visibility="hidden"'
        out.append(f'<text x="{EDGE}" y="{EDGE + row * LINE + 13}" xml:space="preserve"{mark}>{body}{hide}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    path, shown, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    chunks, code = record(command)
    if code != 0:
        sys.exit(b"".join(data for _, data in chunks).decode())
    text = picture(versions(chunks, shown), shown)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"{path}: {chunks[-1][0]:.1f} s, {len(text) // 1024} KiB")


main()
