"""Filter patterns of `branches`, `tags`, `paths`: GitHub's glob dialect (workflow syntax, filter patterns).

A pattern is run as a set of reachable positions, one bit each, so that its time is bounded by
pattern length times name length whatever the pattern: no backtracking, no hostile pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

_ANY = "any"
_NOT_SLASH = "not-slash"


class _Atom(msgspec.Struct):
    """One position of a pattern. `accepts` is `any`, `not-slash`, or the characters it takes."""

    accepts: str | frozenset[str]
    optional: bool = False
    repeats: bool = False
    skips_next: bool = False

    def takes(self, char: str) -> bool:
        """Tell whether this position may consume `char`."""
        if self.accepts == _ANY:
            return True
        if self.accepts == _NOT_SLASH:
            return char != "/"
        return char in self.accepts


class Pattern:
    """A compiled pattern; `negated` when it began with `!`."""

    def __init__(self, text: str) -> None:
        """Compile `text`. Every text is a pattern: what can't be a special form is literal."""
        self.text = text
        self.negated = text.startswith("!")
        atoms = _atoms(text[1:] if self.negated else text)
        self._atoms = atoms
        self._optional = _bits(atom.optional for atom in atoms)
        self._skips = _bits(atom.skips_next for atom in atoms)
        self._repeats = _bits(atom.repeats for atom in atoms)
        self._takes: dict[str, int] = {}

    def matches(self, name: str) -> bool:
        """Tell whether the whole of `name` matches, case-sensitively; negation is not applied."""
        reached = self._close(1)
        for char in name:
            takes = self._takes.get(char)
            if takes is None:
                takes = self._takes[char] = _bits(atom.takes(char) for atom in self._atoms)
            reached = self._close(
                ((reached & takes) << 1) | (reached & ((takes & self._repeats) << 1))
            )
            if not reached:
                return False
        return bool(reached >> len(self._atoms) & 1)

    def _close(self, reached: int) -> int:
        """Add the positions that are reached by leaving out optional atoms."""
        while True:
            more = reached | ((reached & self._optional) << 1) | ((reached & self._skips) << 2)
            if more == reached:
                return reached
            reached = more


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """Return the compiled pattern, made once for each text."""
    return Pattern(text)


def matches(patterns: Sequence[str], name: str) -> bool:
    """Tell whether an ordered list selects `name`: each later match overrides an earlier one."""
    selected = False
    for text in patterns:
        pattern = compile_pattern(text)
        if pattern.negated == selected and pattern.matches(name):
            selected = not selected
    return selected


def _bits(flags: Iterable[bool]) -> int:
    """Return an integer whose bit i is flag i."""
    return sum(1 << index for index, flag in enumerate(flags) if flag)


def _atoms(text: str) -> list[_Atom]:
    """Read a pattern without its negation."""
    atoms: list[_Atom] = []
    position = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "\\" and position < len(text):
            atoms.append(_Atom(frozenset(text[position])))
            position += 1
        elif char == "*":
            position = _star(text, position, atoms)
        elif char in "?+" and atoms:
            atoms[-1].optional |= char == "?"
            atoms[-1].repeats |= char == "+"
        elif char == "[" and text.find("]", position) > position:
            end = text.index("]", position)
            atoms.append(_Atom(_characters(text[position:end])))
            position = end + 1
        else:
            atoms.append(_Atom(frozenset(char)))
    return atoms


def _star(text: str, position: int, atoms: list[_Atom]) -> int:
    """Read `*`, `**` or `**/`, whose first star lies before `position`; return where to go on.

    `**/` at the start or after a slash also stands for no folder at all.
    """
    start = position - 1
    if not text.startswith("*", position):
        atoms.append(_Atom(_NOT_SLASH, optional=True, repeats=True))
        return position
    end = position
    while text.startswith("*", end):
        end += 1
    folder = text.startswith("/", end) and (start == 0 or text[start - 1] == "/")
    atoms.append(_Atom(_ANY, optional=True, repeats=True, skips_next=folder))
    return end


def _characters(inside: str) -> frozenset[str]:
    """Return the characters of a class: single ones and `a-z` ranges."""
    characters: set[str] = set()
    position = 0
    while position < len(inside):
        first = inside[position]
        if inside[position + 1 : position + 2] == "-" and position + 2 < len(inside):
            last = inside[position + 2]
            characters.update(map(chr, range(ord(first), ord(last) + 1)))
            position += 3
        else:
            characters.add(first)
            position += 1
    return frozenset(characters)
