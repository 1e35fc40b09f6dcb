r"""Glob patterns as `@actions/glob` reads them: minimatch with dot files, without braces and extglobs.

A path is matched part by part: `*` and `?` stay within a part, a part `**` stands for any number of parts,
`[...]` is a set (`!` or `^` first negates it, `[:alpha:]` and its like are known), `\` escapes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

EVERY = "**"

# What stands for one part of a path: a name, or what names must match.
Part: TypeAlias = str | re.Pattern[str]

_NOTHING = "(?!)"
_ANY = "[^/]"
_STAR = ".*"

# Which general categories of Unicode each named set takes, and what else.
_NAMED_SETS: dict[str, tuple[tuple[str, ...], str]] = {
    "[:alnum:]": (("L", "Nl", "Nd"), ""),
    "[:alpha:]": (("L", "Nl"), ""),
    "[:ascii:]": ((), r"\x00-\x7f"),
    "[:blank:]": (("Zs",), r"\t"),
    "[:cntrl:]": (("Cc",), ""),
    "[:digit:]": (("Nd",), ""),
    "[:graph:]": (("L", "M", "N", "P", "S"), ""),
    "[:lower:]": (("Ll",), ""),
    "[:print:]": (("L", "M", "N", "P", "S", "Z"), ""),
    "[:punct:]": (("P",), ""),
    "[:space:]": (("Z",), r"\t\r\n\v\f"),
    "[:upper:]": (("Lu",), ""),
    "[:word:]": (("L", "Nl", "Nd", "Pc"), ""),
    "[:xdigit:]": ((), "A-Fa-f0-9"),
}


class Glob:
    """A pattern for whole paths, both cut into parts at `/`."""

    def __init__(self, pattern: str) -> None:
        self._sections = _sections(re.split("/+", pattern))

    def matches(self, path: Sequence[str]) -> bool:
        """Return whether the whole path, as parts, matches."""
        head, *middle = self._sections
        if not middle:
            return len(path) == len(head) and _match_at(head, path, 0)
        *middle, tail = middle
        end = len(path) - len(tail)
        at = len(head)
        if end < at or not _match_at(head, path, 0) or not _match_at(tail, path, end):
            return False
        for section in middle:
            while at + len(section) <= end and not _match_at(section, path, at):
                at += 1
            at += len(section)
            if at > end:
                return False
        # A `**` that ends the pattern needs something to stand for.
        return bool(tail) or at < end

    def may_hold(self, path: Sequence[str]) -> bool:
        """Return whether a path that begins with these parts could match."""
        head = self._sections[0]
        if len(self._sections) == 1 and len(path) > len(head):
            return False
        return all(_fits(part, name) for part, name in zip(head, path, strict=False))


def _sections(parts: list[str]) -> list[list[Part]]:
    """Return the matchers of the parts, cut at each run of `**`."""
    sections: list[list[Part]] = [[]]
    for at, part in enumerate(parts):
        if part != EVERY:
            sections[-1].append(compile_part(part))
        elif parts[at - 1 : at] != [EVERY]:
            sections.append([])
    return sections


def _match_at(section: list[Part], path: Sequence[str], at: int) -> bool:
    return all(_fits(part, path[at + place]) for place, part in enumerate(section))


def _fits(part: Part, name: str) -> bool:
    if isinstance(part, str):
        return part == name
    return part.fullmatch(name) is not None


def units(text: str) -> str:
    """Return a text with each character beyond U+FFFF as its two UTF-16 units: `?` stands for one."""
    if not any(char > "\uffff" for char in text):
        return text
    encoded = text.encode("utf-16-be", "surrogatepass")
    pairs = zip(encoded[::2], encoded[1::2], strict=True)
    return "".join(chr(high << 8 | low) for high, low in pairs)


class _Piece(NamedTuple):
    """A piece of a part: plain text, or a regular expression for a wildcard."""

    text: str
    is_plain: bool


@lru_cache(maxsize=256)
def compile_part(part: str) -> Part:
    """Return the matcher of one part of a pattern; one without wildcards is the name it stands for."""
    pieces = list(_pieces(units(part)))
    if all(piece.is_plain for piece in pieces):
        return "".join(piece.text for piece in pieces)
    return re.compile(_expression(pieces), re.DOTALL)


def _expression(pieces: list[_Piece]) -> str:
    """Return the regular expression of a part; what follows a `*` is found once, never sought again."""
    runs = [""]
    for piece in pieces:
        if piece.is_plain:
            runs[-1] += re.escape(piece.text)
        elif piece.text != _STAR:
            runs[-1] += piece.text
        elif runs[-1] or len(runs) == 1:
            runs.append("")
    first, *rest = runs
    if not rest:
        return first
    *middle, last = rest
    if not first and not middle and not last:
        return ".+"
    return first + "".join(f"(?>.*?{run})" for run in middle) + _STAR + last


def _pieces(part: str) -> Iterator[_Piece]:
    at = 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            yield _Piece(_STAR, is_plain=False)
        elif char == "?":
            yield _Piece(_ANY, is_plain=False)
        elif char == "\\" and at < len(part):
            yield _Piece(part[at], is_plain=True)
            at += 1
        elif char == "[" and (found := _read_set(part, at)) is not None:
            piece, at = found
            yield piece
        else:
            yield _Piece(char, is_plain=True)


class _Set:
    """What stands between brackets, while it is read."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.range_start = ""
        self.is_valid = True

    def add(self, char: str) -> None:
        if not self.range_start:
            self.items.append(re.escape(char))
        elif char > self.range_start:
            self.items.append(f"{re.escape(self.range_start)}-{re.escape(char)}")
        elif char == self.range_start:
            self.items.append(re.escape(char))
        self.range_start = ""

    def add_named(self, name: str) -> None:
        self.is_valid = self.is_valid and not self.range_start
        self.items.append(_named_set(name))


_SET_ITEM = re.compile(r"(?P<named>\[:[a-z]+:\])|\\(?P<escaped>.)|(?P<char>.)", re.DOTALL)


def _read_set(part: str, start: int) -> tuple[_Piece, int] | None:
    """Return the piece for a set whose `[` stands before `start`, and its end; None if it is not closed."""
    negated = part.startswith(("!", "^"), start)
    at = first = start + negated
    found = _Set()
    while at < len(part):
        if part[at] == "]" and at > first:
            return _close(found, negated=negated, end=at + 1, part=part)
        item = _SET_ITEM.match(part, at)
        if item is None:
            return None
        at = item.end()
        if item["named"] in _NAMED_SETS:
            found.add_named(item["named"])
            if not found.is_valid:
                return _Piece(_NOTHING, is_plain=False), len(part)
            continue
        if item["named"]:
            at = item.start() + 1
        char = item["escaped"] or part[at - 1]
        if not found.range_start and part.startswith("-", at) and not part.startswith("-]", at):
            found.range_start = char
            at += 1
        else:
            found.add(char)
    return None


def _close(found: _Set, *, negated: bool, end: int, part: str) -> tuple[_Piece, int]:
    if not found.items:
        return _Piece(_NOTHING, is_plain=False), len(part)
    only = found.items[0]
    if len(found.items) == 1 and not negated and re.fullmatch(r"\\?.", only, re.DOTALL):
        return _Piece(only[-1], is_plain=True), end
    sign = "^" if negated else ""
    return _Piece(f"[{sign}{''.join(found.items)}]", is_plain=False), end


@lru_cache(maxsize=len(_NAMED_SETS))
def _named_set(name: str) -> str:
    """Return a named set as it stands within brackets of a regular expression."""
    categories, more = _NAMED_SETS[name]
    ranges: list[list[int]] = []
    for code in range(0x10000) if categories else ():
        if not unicodedata.category(chr(code)).startswith(categories):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return more + "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges)
