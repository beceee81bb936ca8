"""A terminal of 80 x 24 that a test looks at as a person would: what stands where, at a moment it names."""
import codecs
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path

import pyte

COLUMNS, LINES = 80, 24
BAR = re.compile(r"\|[█▏▎▍▌▋▊▉ ]*\|")
TIMES = re.compile(r"\[\d\d:\d\d[^]]*\]")


def typed(command: Sequence[str], cwd: Path, **environment: str) -> tuple[int, str]:
    """Run a command there: its exit code, and all that it wrote, cursor movements included."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    variables = {**os.environ, "TERM": "linux", "PYTHONUTF8": "1", **environment}
    with subprocess.Popen(
        command, cwd=cwd, env=variables, stdin=its, stdout=its, stderr=its, start_new_session=True,
    ) as process:
        os.close(its)
        written = b"".join(_until_closed(ours))
        os.close(ours)
    return process.returncode, codecs.decode(written, "utf-8")


def _until_closed(terminal: int):
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError:  # Linux: nobody has the other end open any more
            return
        if not block:
            return
        yield block


def screen(written: str, moment: str | None = None) -> list[str]:
    """The lines on the screen, up to the last that is not empty, as soon as they match `moment`; None is the
    end. Bars, times and rates, which no two runs share, read |...| and [time]."""
    shown = pyte.Screen(COLUMNS, LINES)
    stream = pyte.Stream(shown)
    for character in written:
        stream.feed(character)
        if moment and character in "])\n" and re.search(moment, _text(shown), re.MULTILINE):
            return _text(shown).split("\n")
    assert moment is None, f"{moment!r} was never shown; at the end there was:\n{_text(shown)}"
    return _text(shown).split("\n")


def _text(shown: pyte.Screen) -> str:
    text = "\n".join(line.rstrip() for line in shown.display).rstrip("\n")
    return TIMES.sub("[time]", BAR.sub("|...|", text))
