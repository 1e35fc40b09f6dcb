"""Standard output and error of this process: what can't be written there is the world's failure."""

from __future__ import annotations

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any

from trunkline.base.errors import Unavailable


class _Output(FileIO):
    """Standard output. Raises Unavailable for what can't be written, BrokenPipeError when nobody reads."""

    def write(self, data: Any, /) -> int:
        """Write bytes."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            told = f"Can't write to standard output: {error.strerror}."
            raise Unavailable(told) from error


class _Error(FileIO):
    """Standard error. What can't be written is lost: there is nowhere left to tell it."""

    def write(self, data: Any, /) -> int:
        """Write bytes."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def guard() -> None:
    """Let writing to this process's standard streams fail as `_Output` and `_Error` say."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout = _guarded(sys.stdout, _Output)
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr = _guarded(sys.stderr, _Error)


def _guarded(stream: TextIOWrapper, kind: type[FileIO]) -> TextIOWrapper:
    raw = kind(stream.fileno(), "wb", closefd=False)
    is_unbuffered = isinstance(stream.buffer, FileIO)
    return TextIOWrapper(
        raw if is_unbuffered else BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        newline="\n",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def discard() -> None:
    """Let all that is still written to standard output be lost, what waits in buffers too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
