"""Semantic versions and npm's ranges (https://github.com/npm/node-semver, "Ranges")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import total_ordering
from typing import NamedTuple

_VERSION = re.compile(
    r"[v=\s]*(\d+)\.(\d+)\.(\d+)(?:-?([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
)
_NUMBER = r"(?:0|[1-9]\d*)"
_PART = rf"(?:{_NUMBER}|[xX*])"
_PARTIAL = re.compile(
    rf"[v=\s]*({_PART})(?:\.({_PART})(?:\.({_PART})"
    r"(?:-?([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?)?)?"
)
_OPERATOR = re.compile(r"(>=|<=|>|<|=|~>|~|\^)?(.*)")
_HYPHEN = re.compile(r"\s*(\S+)\s+-\s+(\S+)\s*")
_SPACE_AFTER_OPERATOR = re.compile(r"(>=|<=|>|<|=|~>|~|\^)\s+")


@total_ordering
class Version:
    """A version; it compares as semantic versions do (a pre-release comes before its release)."""

    def __init__(
        self, major: int, minor: int, patch: int, prerelease: tuple[int | str, ...] = ()
    ) -> None:
        self.release = (major, minor, patch)
        self.prerelease = prerelease

    def _key(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]:
        order = tuple(
            (isinstance(part, str), part if isinstance(part, int) else 0, str(part))
            for part in self.prerelease
        )
        return self.release, not self.prerelease, order

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        text = ".".join(str(part) for part in self.release)
        return f"{text}-{'.'.join(map(str, self.prerelease))}" if self.prerelease else text

    def __repr__(self) -> str:
        return f"Version({self})"


class _Comparator(NamedTuple):
    operator: str
    version: Version

    def allows(self, version: Version) -> bool:
        match self.operator:
            case ">=":
                return version >= self.version
            case "<":
                return version < self.version
            case ">":
                return version > self.version
            case "<=":
                return version <= self.version
            case _:
                return version == self.version


class Range(NamedTuple):
    """A range: a version fits when it fits all comparators of one alternative."""

    alternatives: tuple[tuple[_Comparator, ...], ...]

    def allows(self, version: Version) -> bool:
        """Tell whether a version fits.

        A pre-release fits only where a comparator names a pre-release of the same version.
        """
        return any(_fits(version, comparators) for comparators in self.alternatives)

    def newest(self, versions: Iterable[Version]) -> Version | None:
        """Return the newest version that fits, or None."""
        return max((version for version in versions if self.allows(version)), default=None)


def _fits(version: Version, comparators: tuple[_Comparator, ...]) -> bool:
    if not all(comparator.allows(version) for comparator in comparators):
        return False
    return not version.prerelease or any(
        comparator.version.prerelease and comparator.version.release == version.release
        for comparator in comparators
    )


def parse_version(text: str) -> Version | None:
    """Return the version that `text` is (a leading `v` may stand), or None."""
    found = _VERSION.fullmatch(text.strip())
    if not found:
        return None
    return Version(int(found[1]), int(found[2]), int(found[3]), _prerelease(found[4]))


def parse_range(text: str, *, loose: bool = False) -> Range | None:
    """Return the range that `text` says, or None when it says none.

    `loose` passes over words that are no comparators, as npm's loose mode does.
    """
    alternatives: list[tuple[_Comparator, ...]] = []
    for alternative in text.split("||"):
        comparators = _alternative(alternative, loose=loose)
        if comparators is None:
            return None
        alternatives.append(comparators)
    return Range(tuple(alternatives))


def _alternative(text: str, *, loose: bool) -> tuple[_Comparator, ...] | None:
    hyphen = _HYPHEN.fullmatch(text)
    words = (
        [f">={hyphen[1]}", f"<={hyphen[2]}"]
        if hyphen
        else _SPACE_AFTER_OPERATOR.sub(r"\1", text).split()
    )
    comparators: list[_Comparator] = []
    for word in words or ["*"]:
        found = _OPERATOR.fullmatch(word)
        partial = _PARTIAL.fullmatch(found[2] or "*") if found else None
        if found and partial:
            comparators += _desugared(found[1] or "", _Partial.read(partial))
        elif not loose:
            return None
    return tuple(comparators)


class _Partial(NamedTuple):
    """A version of which minor, patch or all may be open (None)."""

    major: int | None
    minor: int | None
    patch: int | None
    prerelease: tuple[int | str, ...]

    @classmethod
    def read(cls, found: re.Match[str]) -> _Partial:
        numbers: list[int | None] = []
        for part in (found[1], found[2], found[3]):
            is_open = part is None or not part.isdecimal() or (numbers and numbers[-1] is None)
            numbers.append(None if is_open else int(part))
        major, minor, patch = numbers
        return cls(major, minor, patch, _prerelease(found[4]) if patch is not None else ())

    def lowest(self) -> Version:
        """The lowest version it stands for."""
        return Version(self.major or 0, self.minor or 0, self.patch or 0, self.prerelease)

    def above(self, place: int) -> Version:
        """The lowest pre-release above all that share the numbers up to `place` (0: major)."""
        numbers = [self.major or 0, self.minor or 0, self.patch or 0]
        bumped = [*numbers[:place], numbers[place] + 1, 0, 0]
        return Version(bumped[0], bumped[1], bumped[2], (0,))


def _prerelease(text: str | None) -> tuple[int | str, ...]:
    return tuple(
        int(part) if part.isdecimal() else part for part in (text or "").split(".") if part
    )


def _desugared(operator: str, partial: _Partial) -> list[_Comparator]:
    if partial.major is None:
        nothing = operator in {">", "<"}
        return [_Comparator("<", Version(0, 0, 0, (0,)))] if nothing else _from(Version(0, 0, 0))
    if operator == "^":
        return [*_from(partial.lowest()), _Comparator("<", _above_caret(partial))]
    if operator in {"~", "~>"}:
        above = partial.above(0 if partial.minor is None else 1)
        return [*_from(partial.lowest()), _Comparator("<", above)]
    if partial.patch is not None:
        return [_Comparator(operator or "=", partial.lowest())]
    return _open(operator, partial)


def _open(operator: str, partial: _Partial) -> list[_Comparator]:
    """Return what an operator before `1` or `1.2` means."""
    above = partial.above(0 if partial.minor is None else 1)
    lowest = partial.lowest()
    match operator:
        case ">":
            return _from(Version(*above.release))
        case "<=":
            return [_Comparator("<", above)]
        case ">=":
            return _from(lowest)
        case "<":
            return [_Comparator("<", Version(*lowest.release, (0,)))]
        case _:
            return [*_from(lowest), _Comparator("<", above)]


def _from(version: Version) -> list[_Comparator]:
    return [_Comparator(">=", version)]


def _above_caret(partial: _Partial) -> Version:
    """The first number that is not 0 may not change."""
    if partial.major or partial.minor is None:
        return partial.above(0)
    if partial.minor or partial.patch is None:
        return partial.above(1)
    return partial.above(2)
