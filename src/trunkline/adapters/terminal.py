"""The controlling terminal, wherever standard input and output go."""

from __future__ import annotations

import contextlib
import os
import select
import termios

from trunkline.base.errors import UsageError

PATH = "/dev/tty"
# A terminal gives at most one line at a time, and no line is longer (termios(3): canonical mode).
LONGEST_LINE = 4096


class OwnTerminal:
    """See ports/terminal.py. Raises UsageError when this process has no terminal."""

    def __init__(self, path: str = PATH) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise UsageError(
                "There is no terminal to open a shell on.",
                hint="Leave --pause-on-failure out where nobody waits.",
            ) from error

    def write(self, data: bytes) -> None:
        """Show output."""
        rest = memoryview(data)
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(self._file, rest) :]

    def read(self, timeout: float) -> bytes | None:
        """Return the next typed line; b'' at the end (Ctrl-D); None when `timeout` seconds passed."""
        try:
            if not select.select([self._file], [], [], timeout)[0]:
                return None
            return os.read(self._file, LONGEST_LINE)
        except OSError:
            return b""

    def forget(self) -> None:
        """Drop what was typed before anybody asked."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._file, termios.TCIFLUSH)
