"""Matching names with minimatch's patterns: wildcards, sets, braces, extended globs."""

from __future__ import annotations

import re
from itertools import pairwise

from trunkline.expr.glob import compile_part

_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
_EXTENDED = re.compile(r"([?*+@!])\(([^()]*)\)")
_COUNTS = {"?": "?", "*": "*", "+": "+", "@": ""}


def matches_name(pattern: str, name: str) -> bool:
    """Tell whether a name without `/` matches a pattern, as `new Minimatch(pattern)` says.

    A leading `!` turns it round, a leading `#` is a comment; a leading dot must be written.
    """
    if pattern.startswith("#"):
        return False
    negated = False
    while pattern.startswith("!") and not pattern.startswith("!("):
        negated, pattern = not negated, pattern[1:]
    found = any(_matches(each, name) for each in expand_braces(pattern))
    return found is not negated


def expand_braces(pattern: str) -> list[str]:
    """Return what `{a,b}` and `{1..3}` stand for, as bash expands them."""
    depth = 0
    start = 0
    cuts: list[int] = []
    for at, char in enumerate(pattern):
        if char == "{":
            if not depth:
                start, cuts = at, [at]
            depth += 1
        elif char == "," and depth == 1:
            cuts.append(at)
        elif char == "}" and depth:
            depth -= 1
            choices = [] if depth else _choices(pattern, [*cuts, at])
            if choices:
                head, tails = pattern[:start], expand_braces(pattern[at + 1 :])
                inner = [each for choice in choices for each in expand_braces(choice)]
                return [f"{head}{each}{tail}" for each in inner for tail in tails]
    return [pattern]


def _choices(pattern: str, cuts: list[int]) -> list[str]:
    if len(cuts) > 2:
        return [pattern[a + 1 : b] for a, b in pairwise(cuts)]
    found = _RANGE.fullmatch(pattern[cuts[0] + 1 : cuts[1]])
    if not found:
        return []
    first, last = int(found[1]), int(found[2])
    step = 1 if first <= last else -1
    return [str(number) for number in range(first, last + step, step)]


def _matches(pattern: str, name: str) -> bool:
    if not name or (name.startswith(".") and not pattern.startswith(".")):
        return False
    if _EXTENDED.search(pattern):
        return re.fullmatch(_extended(pattern), name, re.DOTALL) is not None
    part = compile_part(pattern)
    return part == name if isinstance(part, str) else part.fullmatch(name) is not None


def _extended(pattern: str) -> str:
    """Return the regular expression of a pattern with extended globs."""
    found = _EXTENDED.search(pattern)
    if not found:
        return _plain(pattern)
    inner = "|".join(_plain(choice) for choice in found[2].split("|"))
    rest = _extended(pattern[found.end() :])
    if found[1] == "!":
        return f"{_plain(pattern[: found.start()])}(?!(?:{inner}){rest}$).*{rest}"
    return f"{_plain(pattern[: found.start()])}(?:{inner}){_COUNTS[found[1]]}{rest}"


def _plain(pattern: str) -> str:
    if not pattern:
        return ""
    part = compile_part(pattern)
    return re.escape(part) if isinstance(part, str) else f"(?:{part.pattern})"
