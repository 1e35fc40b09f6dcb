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
from typing import Any, Generic, Protocol, TypeVar
from zlib import crc32

import msgspec

from trunkline import __version__
from trunkline.base import diagnostics, spans
from trunkline.base.diagnostics import Diagnostic
from trunkline.document.limits import GITHUB, Limits
from trunkline.expr import template
from trunkline.workflow import model

M = TypeVar("M", bound=msgspec.Struct)
M_co = TypeVar("M_co", covariant=True, bound=msgspec.Struct)

Found = tuple[M | None, tuple[Diagnostic, ...]]
Source = tuple[str, str, Limits, str]

MOST_ENTRIES = 500
# Modules of the packages whose code decides what a reading gives.
_READING = (spans, template, model)


class Read(Protocol[M_co]):
    """Reads a text, as `ReadWorkflow` and `ReadAction` do."""

    def __call__(
        self, text: str, file: str, *, limits: Limits = GITHUB
    ) -> tuple[M_co | None, tuple[Diagnostic, ...]]:
        """Return the model, None with an error among what is wrong."""
        ...


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A reading: what it was made from (its stamp, file, limits and text), and what it gave, packed."""

    source: Source
    check: int
    packed: bytes


class Readings(Generic[M]):
    """Reads one kind of file as its reader does. Safe for several threads and processes."""

    def __init__(
        self, folder: str, kind: type[M], load: Callable[[], Read[M]], most: int = MOST_ENTRIES
    ) -> None:
        """Keep the `most` newest entries in `folder`; `load` gives the reader when one is needed."""
        self._folder = folder
        self._kind = kind
        self._load = load
        self._most = most

    def __call__(self, text: str, file: str, *, limits: Limits = GITHUB) -> Found[M]:
        """Return what the reader returns for the same arguments."""
        path = os.path.join(self._folder, _name(text, file))
        source = (self._stamp, file, limits, text)
        packed = _kept(path, source)
        if packed is not None:
            return self._unpacked(packed)
        found = self._load()(text, file, limits=limits)
        if self._stamp:
            self._keep(path, source, pack(found))
        return found

    @cached_property
    def _stamp(self) -> str:
        return stamp()

    def _unpacked(self, packed: bytes) -> Found[M]:
        found, diagnostics = unpack(packed)
        if not isinstance(found, self._kind | None):
            raise TypeError(found)
        return found, diagnostics

    def _keep(self, path: str, source: Source, packed: bytes | None) -> None:
        """Write an entry; where that is not possible, the file is read again next time."""
        if packed is None:
            return
        own = f"{path}.{os.getpid()}"
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with open(own, "xb", opener=_private) as file:
                file.write(msgspec.msgpack.encode(Entry(source, crc32(packed), packed)))
            os.replace(own, path)
            self._forget()

    def _forget(self) -> None:
        with os.scandir(self._folder) as found:
            entries = [(each.stat().st_mtime_ns, each.path) for each in found]
        for _, path in sorted(entries, reverse=True)[self._most :]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def workflow_readings(
    folder: str, load: Callable[[], Read[model.Workflow]], most: int = MOST_ENTRIES
) -> Readings[model.Workflow]:
    """Return the reader of workflow files that keeps its readings below `folder`."""
    return Readings(f"{folder}/workflows", model.Workflow, load, most)


def action_readings(
    folder: str, load: Callable[[], Read[model.Action]], most: int = MOST_ENTRIES
) -> Readings[model.Action]:
    """Return the reader of actions' files that keeps its readings below `folder`."""
    return Readings(f"{folder}/actions", model.Action, load, most)


def _kept(path: str, source: Source) -> bytes | None:
    """Return what an entry of this user's holds, None for whatever else is there."""
    try:
        with open(path, "rb") as file:
            own = os.fstat(file.fileno()).st_uid == os.getuid()
            entry = msgspec.msgpack.decode(file.read(), type=Entry)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    whole = own and entry.source == source and entry.check == crc32(entry.packed)
    return entry.packed if whole else None


# --- values as bytes ----------------------------------------------------------------------
# A typed decoder would do, but msgspec takes 3 ms to make one of the whole model.

_TUPLE, _SPAN, _SEVERITY = -1, -2, -3
_KINDS: list[type[msgspec.Struct]] = [
    found
    for module in (template, model, diagnostics)
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, msgspec.Struct)
]
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


def pack(value: object) -> bytes | None:
    """Return a value of the model as bytes; None for a text that has none (a lone surrogate)."""
    try:
        return msgspec.msgpack.encode(_plain(value))
    except (UnicodeEncodeError, RecursionError):
        return None


def unpack(data: bytes) -> Any:
    """Return the value that `pack` made the bytes of, by the same code."""
    return _value(msgspec.msgpack.decode(data))


def _plain(value: object) -> object:
    """Return structs, tuples, spans and severities as lists that begin with a number for each."""
    match value:
        case msgspec.Struct():
            fields = (getattr(value, name) for name in value.__struct_fields__)
            return [_NUMBERS[type(value)], *map(_plain, fields)]
        case spans.Span():
            return [_SPAN, *value]
        case tuple():
            return [_TUPLE, *map(_plain, value)]
        case diagnostics.Severity():
            return [_SEVERITY, value.value]
        case _:
            return value


def _value(plain: Any) -> Any:
    if type(plain) is not list:
        return plain
    number = plain[0]
    if number == _SPAN:
        return spans.Span(plain[1], plain[2])
    if number == _SEVERITY:
        return diagnostics.Severity(plain[1])
    values = [_value(each) for each in plain[1:]]
    if number == _TUPLE:
        return tuple(values)
    kind = _KINDS[number]
    return kind(**dict(zip(kind.__struct_fields__, values, strict=True)))


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
