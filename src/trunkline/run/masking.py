"""Replaces what must not be shown by `***` (reference section 3.19 and appendix A13).

Text is looked through in blocks of whole lines by an Aho-Corasick automaton over bytes (as
Latin-1 characters, so that offsets hold). Most blocks hold no secret, and a filter says so in a
fraction of the time: see `Filter`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter

import ahocorasick
import msgspec

from trunkline.run.encodings import MASK, encodings, trimmed_lines

_MASK = MASK.encode()
_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALL_BUT_UPPER = bytes(set(range(256)) - set(_UPPER))
_FEWEST_UPPER = 3
_MOST_SEARCHES = 32

# Longer patterns (whole files as secrets) would make an automaton of many megabytes.
_LONGEST_WORD = 4096


class Filter(msgspec.Struct, frozen=True):
    """Tells quickly that no pattern is in a block.

    If a pattern is in a text, its capitals alone are in the text's capitals alone. Encoded secrets
    are rich in capitals and logs are not, so that text is short. Patterns without enough capitals
    are searched one by one.
    """

    capitals: tuple[bytes, ...]
    others: tuple[bytes, ...]

    def may_match(self, data: bytes) -> bool:
        """Return False when no pattern is in `data`."""
        if any(other in data for other in self.others):
            return True
        if not self.capitals:
            return False
        capitals = data.translate(None, _ALL_BUT_UPPER)
        return any(wanted in capitals for wanted in self.capitals)


class Masker:
    """Holds a job's secrets and masks them. Not thread-safe: the job's output locks around it."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._patterns: set[bytes] = set()
        self._lines: Finder | None = None
        self._texts: Finder | None = None
        self._stale = False

    def add(self, values: Iterable[str], *, as_they_are: bool = False) -> None:
        """Mask these values from now on: trimmed and each line too, or just `as_they_are`."""
        chosen = set(values) - {""} if as_they_are else trimmed_lines(values)
        for value in chosen - self._values:
            self._values.add(value)
            forms = encodings(value)
            self._patterns.update(form.encode("utf-8", "surrogateescape") for form in forms)
            self._stale = True

    def mask(self, lines: bytes) -> bytes:
        """Return whole lines with every secret masked; no match spans two lines."""
        if self._stale:
            self._build()
        return self._lines.replace(lines) if self._lines is not None else lines

    def mask_text(self, text: str) -> str:
        """Return a text of its own (a name, a message, a summary) with every secret masked."""
        if self._stale:
            self._build()
        if self._texts is None:
            return text
        data = text.encode("utf-8", "surrogateescape")
        masked = self._texts.replace(data)
        return text if masked is data else masked.decode("utf-8", "surrogateescape")

    def safe_cut(self, data: bytes, at: int) -> int:
        """Return where to cut a line in two near `at`, so that no secret is torn."""
        if self._stale:
            self._build()
        return self._lines.safe_cut(data, at) if self._lines is not None else at

    def _build(self) -> None:
        single = {pattern for pattern in self._patterns if b"\n" not in pattern}
        self._lines = Finder(single) if single else None
        self._texts = self._lines if single == self._patterns else Finder(self._patterns)
        self._stale = False


class Finder:
    """Finds a set of patterns, all matches of all of them."""

    def __init__(self, patterns: set[bytes]) -> None:
        self._filter = _filter(patterns)
        self._long = [pattern for pattern in patterns if len(pattern) > _LONGEST_WORD]
        self._automaton = ahocorasick.Automaton()
        for pattern in patterns.difference(self._long):
            self._automaton.add_word(pattern.decode("latin-1"), len(pattern))
        self._automaton.make_automaton()

    def replace(self, data: bytes) -> bytes:
        """Return `data` with `***` for each stretch that matches cover; itself when none does."""
        if self._filter is not None and not self._filter.may_match(data):
            return data
        pieces: list[bytes] = []
        position = 0
        for start, end in self._stretches(data):
            pieces += (data[position:start], _MASK)
            position = end
        return b"".join((*pieces, data[position:])) if pieces else data

    def safe_cut(self, data: bytes, at: int) -> int:
        """Return `at`, or the start (else the end) of the stretch of matches around it."""
        if self._filter is not None and not self._filter.may_match(data):
            return at
        for start, end in self._stretches(data):
            if start < at < end:
                return start or (end if end < len(data) else at)
        return at

    def _stretches(self, data: bytes) -> list[tuple[int, int]]:
        """Return (start, end) with overlapping and adjacent matches merged, in order."""
        merged: list[tuple[int, int]] = []
        for start, end in self._matches(data):
            first = start
            while merged and merged[-1][1] >= first:
                first = min(first, merged.pop()[0])
            merged.append((first, end))
        return merged

    def _matches(self, data: bytes) -> Iterable[tuple[int, int]]:
        """Return (start, end) of all matches, ordered by their ends."""
        words: Iterator[tuple[int, int]] = iter(())
        if len(self._automaton):
            found = self._automaton.iter(data.decode("latin-1"))
            words = ((last + 1 - length, last + 1) for last, length in found)
        if not self._long:
            return words
        matches = list(words)
        for pattern in self._long:
            start = data.find(pattern)
            while start >= 0:
                matches.append((start, start + len(pattern)))
                start = data.find(pattern, start + 1)
        return sorted(matches, key=itemgetter(1))


def _filter(patterns: set[bytes]) -> Filter | None:
    """Return a filter for the patterns, None when it would not pay."""
    capitals, others = set(), set()
    for pattern in patterns:
        upper = pattern.translate(None, _ALL_BUT_UPPER)
        if len(upper) >= _FEWEST_UPPER:
            capitals.add(upper)
        else:
            others.add(pattern)
    if len(others) > _MOST_SEARCHES or len(capitals) > _MOST_SEARCHES * 8:
        return None
    return Filter(tuple(capitals), tuple(others))
