"""The one tree of exceptions: our fault or the world's, never the user's mistake in a file.

    TrunklineError
    ├── UsageError          the command line is wrong                     exit 2
    ├── InvalidPipeline     carries the diagnostics of a pipeline file    exit 2
    ├── NotFound            a thing that was named does not exist         exit 2
    ├── Unavailable         the world refused: network, disk, missing program   exit 3
    │   └── ActionUnavailable   an action's files can't be had (fails its job only)
    ├── Conflict            somebody else holds it, or has changed it     exit 3
    └── Corrupt             stored data can't be read                     exit 3

A user's mistake in a file is a `Diagnostic`; a failing step is a `Conclusion`.

Messages and hints are whole sentences: a capital (but for names of programs), 'quotes' around what somebody
wrote, a full stop. What Docker, Buildx or GitHub say stays as they say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trunkline.base.diagnostics import Diagnostic


class TrunklineError(Exception):
    """Something Trunkline could not do; the message is written for the user."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TrunklineError):
    """The command line asks for something that makes no sense."""


class NotFound(TrunklineError):
    """A thing that was named does not exist."""


class InvalidPipeline(TrunklineError):
    """A pipeline file has mistakes; all of them are in `diagnostics`.

    `sources` holds the lines of the files that they are in, by file.
    """

    def __init__(
        self,
        diagnostics: tuple[Diagnostic, ...],
        sources: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__("\n".join(d.text() for d in diagnostics))
        self.diagnostics = diagnostics
        self.sources = sources or {}


class Unavailable(TrunklineError):
    """The world refused: a disk, a network, a program that is missing."""


class ActionUnavailable(Unavailable):
    """An action's files can't be had; its job fails, other jobs go on."""


class Conflict(TrunklineError):
    """Somebody else holds the thing, or has changed it meanwhile."""


class Corrupt(TrunklineError):
    """Stored data can't be read."""
