"""Port: the terminal of the person who waits for a run."""

from __future__ import annotations

from typing import Protocol


class Terminal(Protocol):
    """A terminal that lines are typed at. A terminal that is gone is at its end, and shows nothing."""

    def write(self, data: bytes) -> None:
        """Show output."""
        ...

    def read(self, timeout: float) -> bytes | None:
        """Return the next typed line; b'' at the end (Ctrl-D); None when `timeout` seconds passed."""
        ...

    def forget(self) -> None:
        """Drop what was typed before anybody asked."""
        ...
