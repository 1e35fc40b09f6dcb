"""Records as JSON lines and back: the one place that knows how the journal is written.

A record of an older version is read for ever: its upgrade is one more branch in `decode`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from trunkline.base.errors import Corrupt
from trunkline.run.events import VERSION, Event, Record

ENCODER = msgspec.json.Encoder()


class Head(msgspec.Struct, frozen=True):
    """What every version of a record has."""

    number: int
    version: int


def encode(number: int, at: float, event: Event) -> bytes:
    """Return the record's line, without a newline. What is no text (a lone surrogate) becomes `?`."""
    record = Record(number=number, at=at, event=event)
    try:
        return ENCODER.encode(record)
    except UnicodeEncodeError:
        return ENCODER.encode(_as_text(msgspec.to_builtins(record)))


def decode(line: bytes) -> Record:
    """Return the record of a line. Raises Corrupt for what is no record of a version we know."""
    try:
        record = _decoder().decode(line)
    except msgspec.DecodeError as error:  # ValidationError is one
        raise Corrupt(_reason(line, error)) from error
    if record.version != VERSION:
        raise Corrupt(_unknown(record.number, record.version))
    return record


def _as_text(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_as_text(key): _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_text(inner) for inner in value]
    return value


@cache
def _decoder() -> msgspec.json.Decoder[Record]:
    """Build the decoder when a journal is first read: a run that only writes needs none."""
    return msgspec.json.Decoder(Record)


def _reason(line: bytes, error: msgspec.DecodeError) -> str:
    try:
        head = msgspec.json.decode(line, type=Head)
    except msgspec.DecodeError:
        return f"This is not a record of a journal: {error}"
    if head.version != VERSION:
        return _unknown(head.number, head.version)
    return f"Record {head.number} can't be read: {error}"


def _unknown(number: int, version: int) -> str:
    return (
        f"Record {number} was written by a newer Trunkline (format {version}; "
        f"this one reads up to {VERSION})."
    )
