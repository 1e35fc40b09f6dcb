"""Remembers what reading a file gave: an unchanged file is not read again, its reader not loaded.

An entry holds the whole text it was made from and a stamp of the code that read it, and counts only
when both are the same byte for byte. Whatever else lies in its place is read anew and replaced.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Generic, Protocol, TypeVar
from zlib import crc32

import msgspec
from msgspec.msgpack import Decoder, Encoder

from trunkline import __version__
from trunkline.base import spans
from trunkline.base.diagnostics import Diagnostic
from trunkline.expr import template
from trunkline.workflow import model
from trunkline.workflow.limits import GITHUB, Limits
from trunkline.workflow.model import Action, Workflow

M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)

Found = tuple[M | None, tuple[Diagnostic, ...]]

MOST_ENTRIES = 500
# Modules of the packages whose code decides what a reading gives.
_READING = (spans, template, model)


_WORKFLOW = tuple[Workflow | None, tuple[Diagnostic, ...]]
_ACTION = tuple[Action | None, tuple[Diagnostic, ...]]
ENCODER = Encoder()


class Read(Protocol[M_co]):
    """Reads a text, as `ReadWorkflow` and `ReadAction` do."""

    def __call__(
        self, text: str, file: str, *, limits: Limits = GITHUB
    ) -> tuple[M_co | None, tuple[Diagnostic, ...]]:
        """Return the model, None with an error among what is wrong."""
        ...


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A reading: what it was made from (its stamp, file, limits and text), and what it gave."""

    source: tuple[str, str, Limits, str]
    found: msgspec.Raw


class Readings(Generic[M]):
    """Reads one kind of file as its reader does. Safe for several threads and processes."""

    def __init__(
        self,
        folder: str,
        load: Callable[[], Read[M]],
        make_decoder: Callable[[], Decoder[Found[M]]],
        most: int,
    ) -> None:
        """Keep the `most` newest entries in `folder`; `load` gives the reader when one is needed."""
        self._folder = folder
        self._load = load
        self._make_decoder = make_decoder
        self._most = most

    def __call__(self, text: str, file: str, *, limits: Limits = GITHUB) -> Found[M]:
        """Return what the reader returns for the same arguments."""
        path = os.path.join(self._folder, _name(text, file))
        source = (self._stamp, file, limits, text)
        kept = self._kept(path, source)
        if kept is not None:
            return kept
        found = self._load()(text, file, limits=limits)
        if self._stamp:
            self._keep(path, source, found)
        return found

    @cached_property
    def _decoder(self) -> Decoder[Found[M]]:
        return self._make_decoder()

    @cached_property
    def _stamp(self) -> str:
        return stamp()

    def _kept(self, path: str, source: tuple[str, str, Limits, str]) -> Found[M] | None:
        """Return what an entry of this user's holds, None for whatever else is there."""
        try:
            with open(path, "rb") as file:
                own = os.fstat(file.fileno()).st_uid == os.getuid()
                entry = msgspec.msgpack.decode(file.read(), type=Entry)
            if not own or entry.source != source:
                return None
            return self._decoder.decode(entry.found)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _keep(self, path: str, source: tuple[str, str, Limits, str], found: Found[M]) -> None:
        """Write an entry; where that is not possible, the file is read again next time."""
        own = f"{path}.{os.getpid()}"
        with contextlib.suppress(OSError, UnicodeEncodeError, RecursionError):
            data = ENCODER.encode(Entry(source, msgspec.Raw(ENCODER.encode(found))))
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with open(own, "xb", opener=_private) as file:
                file.write(data)
            os.replace(own, path)
            self._forget()

    def _forget(self) -> None:
        with os.scandir(self._folder) as found:
            entries = [(each.stat().st_mtime_ns, each.path) for each in found]
        for _, path in sorted(entries, reverse=True)[self._most :]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def workflow_readings(
    folder: str, load: Callable[[], Read[Workflow]], most: int = MOST_ENTRIES
) -> Readings[Workflow]:
    """Return the reader of workflow files that keeps its readings below `folder`."""
    return Readings(f"{folder}/workflows", load, lambda: Decoder(_WORKFLOW), most)


def action_readings(
    folder: str, load: Callable[[], Read[Action]], most: int = MOST_ENTRIES
) -> Readings[Action]:
    """Return the reader of actions' files that keeps its readings below `folder`."""
    return Readings(f"{folder}/actions", load, lambda: Decoder(_ACTION), most)


def stamp() -> str:
    """Return what changes when anything that reads does: our code, Python, installed libraries.

    '' where the code's files can't be looked at: then nothing is kept.
    """
    try:
        folders = [os.path.dirname(str(module.__file__)) for module in _READING]
        libraries = os.stat(os.path.dirname(os.path.dirname(str(msgspec.__file__))))
        seen = [str(libraries.st_mtime_ns)]
        for folder in folders:
            with os.scandir(folder) as found:
                seen += sorted(_seen(each) for each in found if each.name.endswith(".py"))
    except OSError:
        return ""
    return " ".join((__version__, str(sys.hexversion), *seen))


def _seen(entry: os.DirEntry[str]) -> str:
    found = entry.stat()
    return f"{entry.name}:{found.st_size}:{found.st_mtime_ns}"


def _name(text: str, file: str) -> str:
    """Return a file name; two texts may share one, since an entry holds what it is of."""
    return f"{crc32(chr(0).join((file, text)).encode('utf-8', 'surrogatepass')):08x}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
