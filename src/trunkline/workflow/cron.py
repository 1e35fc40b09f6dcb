"""The five fields of a schedule: minute, hour, day of month, month, day of week."""

from __future__ import annotations

import re
from typing import NamedTuple

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_SHORTEST = 5
_DIGITS = 6


class Field(NamedTuple):
    """What one field may hold; names stand for numbers."""

    least: int
    most: int
    names: dict[str, int]


FIELDS = (
    Field(0, 59, {}),
    Field(0, 23, {}),
    Field(1, 31, {}),
    Field(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    Field(0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def expand(cron: str) -> tuple[frozenset[int], ...] | None:
    """Return the numbers that each of the five fields allows, or None for a wrong expression."""
    parts = [part for part in cron.split(" ") if part]
    if len(parts) != len(FIELDS):
        return None
    found = [_field(part, field) for part, field in zip(parts, FIELDS, strict=True)]
    return tuple(part for part in found if part is not None) if all(found) else None


def too_often(minutes: frozenset[int]) -> bool:
    """Return whether a schedule would start more often than GitHub does: every five minutes."""
    ordered = sorted(minutes)
    following = [*ordered[1:], ordered[0] + 60]
    return any(after - before < _SHORTEST for before, after in zip(ordered, following, strict=True))


def is_zone_name(name: str) -> bool:
    """Return whether a name looks like one of the IANA time zone database."""
    return _ZONE.fullmatch(name) is not None


def _field(text: str, field: Field) -> frozenset[int] | None:
    numbers: set[int] = set()
    for part in text.split(","):
        found = _stepped(part, field)
        if found is None:
            return None
        numbers.update(found)
    return frozenset(numbers)


def _stepped(text: str, field: Field) -> range | None:
    base, slash, step = text.partition("/")
    found = _range(base, field, open_end=bool(slash))
    if found is None or not slash:
        return found
    if not _is_number(step) or not 0 < int(step) <= field.most:
        return None
    return range(found.start, found.stop, int(step))


def _range(text: str, field: Field, *, open_end: bool) -> range | None:
    if text == "*":
        return range(field.least, field.most + 1)
    first, dash, last = text.partition("-")
    start = _number(first, field)
    end = _number(last, field) if dash else (field.most if open_end else start)
    if start is None or end is None or start > end:
        return None
    return range(start, end + 1)


def _number(text: str, field: Field) -> int | None:
    if text.lower() in field.names:
        return field.names[text.lower()]
    if not _is_number(text) or not field.least <= int(text) <= field.most:
        return None
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS
