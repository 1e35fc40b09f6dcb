"""A wish to stop, shared between whoever asks and whoever works."""

from __future__ import annotations

import threading


class CancelToken:
    """Set once, and for good. Thread-safe. `forced` means without grace, `by` who asked first."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self.forced = False
        self.by = ""

    @property
    def asked(self) -> bool:
        """Whether somebody wants this to stop."""
        return self._asked.is_set()

    def cancel(self, *, force: bool = False, by: str = "") -> None:
        """Ask to stop."""
        self.by = self.by or by
        self.forced = self.forced or force
        self._asked.set()
