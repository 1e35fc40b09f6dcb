"""What a push asks for: its first lines say which refs shall point where (gitprotocol-pack)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

COMMAND = re.compile(rb"[0-9a-f]{40,64} (?P<sha>[0-9a-f]{40,64}) (?P<name>[^\0\n]+)")
# Digits of a line's length; a line of that length or less ends the commands.
LENGTH = 4
# More refs are pushed and not told.
MOST = 1000


class PushCommands:
    """Reads along while a push is handed to git. `refs` are the new ids by name, zeros to remove."""

    def __init__(self) -> None:
        self.refs: dict[str, str] = {}
        self._held = b""
        self._ended = False

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces as they are."""
        for piece in pieces:
            if not self._ended:
                self._held += piece
                self._read()
            yield piece

    def _read(self) -> None:
        """Take whole lines out of what is held, up to the one that ends them."""
        while len(self._held) >= LENGTH and not self._ended:
            try:
                size = int(self._held[:LENGTH], 16)
            except ValueError:
                size = 0
            self._ended = size <= LENGTH or len(self.refs) >= MOST
            if self._ended or len(self._held) < size:
                break
            found = COMMAND.match(self._held[LENGTH:size])
            if found:
                self.refs[found["name"].decode(errors="replace")] = found["sha"].decode("ascii")
            self._held = self._held[size:]
        if self._ended:
            self._held = b""
