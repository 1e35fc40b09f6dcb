r"""Chunks of a process's output become blocks of whole lines, as GitHub's runner reads lines.

A line ends with `\n`, `\r\n` or a lone `\r` (progress bars become lines, as in GitHub's logs); a
NUL becomes a blank. A line without end is passed on in pieces of a MiB, so that memory stays small
and nothing is lost; a workflow command may be longer before it is taken for text.
"""

from __future__ import annotations

from collections.abc import Callable

LONGEST_LINE = 1 << 20
LONGEST_COMMAND = 16 << 20


class LineSource:
    """Cuts one process's output into blocks of lines.

    `cut(data, at)` says where a piece of an endless line may end, at `at` or before, so that no
    secret is torn in two.
    """

    def __init__(self, cut: Callable[[bytes, int], int]) -> None:
        self._cut = cut
        self._rest: list[bytes] = []
        self._size = 0
        self._limit = LONGEST_LINE

    def take(self, data: bytes) -> bytes:
        """Return the lines that are whole now, each ending with a newline; b'' for none."""
        if self._rest and self._rest[-1].endswith(b"\r"):
            data = self._drained() + data
        end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        if not end:
            return self._keep(data)
        end += self._size
        return self._split(self._drained() + data, end)

    def finish(self) -> bytes:
        """Return the last line when nothing ended it."""
        rest = self._drained()
        return _normal(rest.removesuffix(b"\r") + b"\n") if rest else b""

    def _drained(self) -> bytes:
        data = b"".join(self._rest)
        self._rest.clear()
        self._size = 0
        return data

    def _split(self, data: bytes, end: int) -> bytes:
        if end < len(data):
            self._hold(data[end:])
        return _normal(data[:end])

    def _keep(self, data: bytes) -> bytes:
        self._hold(data)
        return self._piece() if self._size > 2 * self._limit else b""

    def _hold(self, data: bytes) -> None:
        if not self._rest:
            is_command = data.lstrip().startswith((b"::", b"##["))
            self._limit = LONGEST_COMMAND if is_command else LONGEST_LINE
        self._rest.append(data)
        self._size += len(data)

    def _piece(self) -> bytes:
        data = self._drained()
        end = _before_character(data, self._cut(data, len(data) - self._limit))
        return self._split(data, end) + b"\n"


def _before_character(data: bytes, end: int) -> int:
    """Return `end`, or the start of the UTF-8 character that it would tear."""
    start = end
    while start > end - 4 and start < len(data) and data[start] & 0xC0 == 0x80:
        start -= 1
    return start if start > end - 4 and start > 0 else end


def _normal(lines: bytes) -> bytes:
    if b"\r" in lines:
        lines = lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in lines:
        lines = lines.replace(b"\0", b" ")
    return lines
