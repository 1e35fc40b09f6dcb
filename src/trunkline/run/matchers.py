"""Problem matchers: ordinary output that is an error, warning or notice (reference section 3.18).

A pattern is the user's regular expression in .NET's ECMAScript dialect, as near as the `regex`
library comes to it: ASCII classes, case-sensitive, unanchored, with a time limit per line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from trunkline.run.annotations import Annotation, integer

SECONDS = 1.0
ATTEMPTS = 3
SEVERITIES = frozenset({"error", "warning", "notice"})
FIELDS = ("file", "fromPath", "line", "column", "severity", "code", "message")

# What may see beyond its line, or hold on to what it took there: look-around, atomic groups,
# conditions, flags, possessive quantifiers and absolute anchors.
_BEYOND_LINE = r"\(\?(?!:|<[A-Za-z_])|[*+?}]\+|\\[AZzGKXR]"
_COLOURS = "\x1b\\[[0-9;]*m?"


class Match(Protocol):
    """A match of an expression."""

    def group(self, number: int, /) -> str | None:
        """Return what a group took, None for nothing."""
        ...


class Matching(Protocol):
    """A compiled expression: ASCII classes, case-sensitive, unanchored."""

    groups: int
    groupindex: Mapping[str, int]

    def search(self, text: str, *, timeout: float) -> Match | None:
        """Find the first match. Raises TimeoutError after `timeout` seconds."""
        ...


# Compiles an expression; with True `^` and `$` match at every line. Raises ValueError for a bad one.
# The library that can do this is an adapter: it takes long to load, and few jobs use matchers.
Compile = Callable[[str, bool], Matching]


class MatcherError(Exception):
    """A matcher file is wrong; the command that named it fails with this message."""


class PatternFile(msgspec.Struct, frozen=True, rename={"from_path": "fromPath"}):
    """One pattern as written; the properties are numbers of capture groups."""

    regexp: str = ""
    file: int | None = None
    from_path: int | None = None
    line: int | None = None
    column: int | None = None
    severity: int | None = None
    code: int | None = None
    message: int | None = None
    loop: bool = False

    def group_of(self, field: str) -> int | None:
        """Return the capture group of a field, by its name in the file."""
        return {
            "file": self.file,
            "fromPath": self.from_path,
            "line": self.line,
            "column": self.column,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
        }[field]


class MatcherFile(msgspec.Struct, frozen=True, rename={"from_path": "fromPath"}):
    """One matcher as written."""

    owner: str | None = ""
    severity: str | None = ""
    from_path: str | None = ""
    pattern: tuple[PatternFile, ...] | None = ()


class MatchersFile(msgspec.Struct, frozen=True, rename={"matchers": "problemMatcher"}):
    """A matcher file."""

    matchers: tuple[MatcherFile, ...] | None = ()


class Pattern(msgspec.Struct, frozen=True):
    """A compiled pattern: the groups of its fields, and whether it repeats.

    `in_block` finds the pattern in several lines at once, None where that would not be safe.
    """

    expression: Matching
    in_block: Matching | None
    groups: tuple[tuple[str, int], ...]
    loop: bool


class MatcherRule(msgspec.Struct, frozen=True):
    """A checked matcher; `severity` and `from_path` count when no pattern captured them."""

    owner: str
    severity: str
    from_path: str
    patterns: tuple[Pattern, ...]


class Problem(msgspec.Struct, frozen=True):
    """What a matcher captured, as text; a field that no pattern captures is missing."""

    fields: dict[str, str]


def parse_matchers(text: str | bytes, compile_: Compile) -> tuple[MatcherRule, ...]:
    """Read a matcher file. Raises MatcherError with GitHub's sentence."""
    data = text.encode() if isinstance(text, str) else text
    try:
        file = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=MatchersFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MatcherError(f"The problem matcher file can't be read: {error}") from error
    rules: list[MatcherRule] = []
    for matcher in file.matchers or ():
        rule = _rule(matcher, compile_)
        if any(rule.owner.lower() == other.owner.lower() for other in rules):
            raise MatcherError(f"Duplicate owner name '{rule.owner}'")
        rules.append(rule)
    return tuple(rules)


def with_rules(
    rules: Iterable[MatcherRule], added: Iterable[MatcherRule]
) -> tuple[MatcherRule, ...]:
    """Return the rules with others in front, the newest first; the same owner is replaced."""
    kept = tuple(rules)
    for rule in added:
        kept = (rule, *without_owners(kept, [rule.owner]))
    return kept


def without_owners(rules: Iterable[MatcherRule], owners: Iterable[str]) -> tuple[MatcherRule, ...]:
    """Return the rules but those of some owners (any case)."""
    gone = {owner.lower() for owner in owners}
    return tuple(rule for rule in rules if rule.owner.lower() not in gone)


class Matchers:
    """Matches the lines of one step's output. Not thread-safe: a step's output has one reader.

    `seconds` is how long a pattern may look at a line.
    """

    def __init__(self, rules: Iterable[MatcherRule] = (), *, seconds: float = SECONDS) -> None:
        self.rules: tuple[MatcherRule, ...] = ()
        self._seconds = seconds
        self._running: dict[str, list[Problem | None]] = {}
        self.use(rules)

    def use(self, rules: Iterable[MatcherRule]) -> None:
        """Take over the job's rules as they are now; what is half matched goes on."""
        self.rules = tuple(rules)
        before = self._running
        self._running = {
            rule.owner: before.get(rule.owner, []) or [None] * len(rule.patterns)
            for rule in self.rules
        }

    def may_match(self, lines: str) -> bool:
        """Return False when none of these lines can begin or go on with a problem.

        Searching a block is a hundred times faster than searching its lines one by one.
        """
        if any(any(running) for running in self._running.values()):
            return True
        plain = re.sub(_COLOURS, "", lines) if "\x1b[" in lines else lines
        for rule in self.rules:
            first = rule.patterns[0].in_block
            try:
                if first is None or first.search(plain, timeout=self._seconds) is not None:
                    return True
            except TimeoutError:
                return True
        return False

    def match(self, line: str) -> tuple[Problem | None, str, list[MatcherRule]]:
        """Return the problem that `line` completes, the line without colours, and rules to drop.

        A rule is to be dropped when it ran out of time three times on the line. The first rule
        that matches wins, and resets all others.
        """
        plain = re.sub(_COLOURS, "", line) if "\x1b[" in line else line
        dropped: list[MatcherRule] = []
        for rule in self.rules:
            try:
                problem = self._match_rule(rule, plain)
            except TimeoutError:
                dropped.append(rule)
                continue
            if problem is not None:
                self._reset_others(rule)
                return problem, plain, dropped
        return None, plain, dropped

    def _reset_others(self, winner: MatcherRule) -> None:
        for rule in self.rules:
            if rule is not winner:
                self._running[rule.owner] = [None] * len(rule.patterns)

    def _match_rule(self, rule: MatcherRule, line: str) -> Problem | None:
        """Step the machine of a rule, its last pattern first, so that a line counts once."""
        running = self._running[rule.owner]
        last = len(rule.patterns) - 1
        for index in range(last, -1, -1):
            before = running[index - 1] if index else None
            if index and before is None:
                running[index] = None
                continue
            pattern = rule.patterns[index]
            found = self._search(pattern.expression, line)
            if found is None:
                running[index if index < last else max(index - 1, 0)] = None
                continue
            problem = _captured(before, pattern, found)
            if index < last:
                running[index] = problem
                continue
            running[:] = [None] * len(running)
            if pattern.loop:
                running[index - 1] = before
            return _with_defaults(problem, rule)
        return None

    def _search(self, expression: Matching, line: str) -> Match | None:
        """Search with the time limit; raises TimeoutError after the last attempt."""
        for _ in range(ATTEMPTS - 1):
            try:
                return expression.search(line, timeout=self._seconds)
            except TimeoutError:
                continue
        return expression.search(line, timeout=self._seconds)


def to_annotation(problem: Problem, locate: Callable[[str, str], str]) -> Annotation | None:
    """Return the annotation of a problem, None when it has no message or an unknown severity.

    `locate(file, from_path)` returns the file's path relative to the repository, '' when there is
    no such file in it.
    """
    fields = problem.fields
    message = fields.get("message", "")
    level = fields.get("severity", "").lower() or "error"
    if not message.strip() or level not in SEVERITIES:
        return None
    file = fields.get("file", "")
    return Annotation(
        level,
        message,
        file=locate(file, fields.get("fromPath", "")) if file.strip() else "",
        line=integer(fields.get("line")),
        column=integer(fields.get("column")),
    )


def _captured(before: Problem | None, pattern: Pattern, found: Match) -> Problem:
    fields = {name: found.group(group) or "" for name, group in pattern.groups}
    return Problem({**fields, **before.fields} if before is not None else fields)


def _with_defaults(problem: Problem, rule: MatcherRule) -> Problem:
    fields = problem.fields
    if not fields.get("severity"):
        fields = {**fields, "severity": rule.severity}
    if not fields.get("fromPath"):
        fields = {**fields, "fromPath": rule.from_path}
    return Problem(fields)


def _rule(matcher: MatcherFile, compile_: Compile) -> MatcherRule:
    owner, severity, patterns = matcher.owner, matcher.severity or "", matcher.pattern or ()
    if not owner:
        raise MatcherError("Owner must not be empty")
    if severity.lower() not in {"", *SEVERITIES}:
        raise MatcherError(
            f"Matcher '{owner}' contains unexpected default severity '{matcher.severity}'"
        )
    if not patterns:
        raise MatcherError(f"Matcher '{owner}' does not contain any patterns")
    compiled: list[Pattern] = []
    seen: set[str] = set()
    for index, pattern in enumerate(patterns):
        _check_loop(pattern, may_loop=0 < index == len(patterns) - 1)
        compiled.append(_pattern(owner, pattern, seen, compile_))
    if "message" not in seen:
        raise MatcherError("At least one pattern must set 'message'")
    return MatcherRule(owner, severity, matcher.from_path or "", tuple(compiled))


def _check_loop(pattern: PatternFile, *, may_loop: bool) -> None:
    if pattern.loop and not may_loop:
        raise MatcherError("Only the last pattern in a multiline matcher may set 'loop'")
    if pattern.loop and pattern.message is None:
        raise MatcherError("The loop pattern must set 'message'")


def _pattern(owner: str, pattern: PatternFile, seen: set[str], compile_: Compile) -> Pattern:
    """Check and compile a pattern; `seen` collects the fields of all patterns of its matcher."""
    if not pattern.regexp:
        raise MatcherError(f"A pattern of matcher '{owner}' does not set 'regexp'")
    expression = _compiled(owner, pattern.regexp, compile_)
    numbers = _group_numbers(expression)
    groups: list[tuple[str, int]] = []
    for field in FIELDS:
        number = pattern.group_of(field)
        if number is None:
            continue
        if field in seen:
            raise MatcherError(f"The property '{field}' is set twice")
        if not 0 <= number < len(numbers):
            raise MatcherError(f"The property '{field}' is set to {number} which is out of range")
        seen.add(field)
        groups.append((field, numbers[number]))
    return Pattern(expression, _in_block(pattern.regexp, compile_), tuple(groups), pattern.loop)


def _compiled(owner: str, source: str, compile_: Compile) -> Matching:
    try:
        return compile_(source, False)  # noqa: FBT003 - a callable has no names
    except ValueError as error:
        raise MatcherError(f"Matcher '{owner}' has a bad pattern '{source}': {error}") from error


def _in_block(source: str, compile_: Compile) -> Matching | None:
    """Return a pattern that matches in a block of lines at least where `source` matches in one."""
    return None if re.search(_BEYOND_LINE, source) else compile_(source, True)  # noqa: FBT003


def _group_numbers(expression: Matching) -> list[int]:
    """Return our group numbers in .NET's order: unnamed groups come before named ones."""
    of_names = sorted(expression.groupindex.values())
    unnamed = [number for number in range(1, expression.groups + 1) if number not in of_names]
    return [0, *unnamed, *of_names]
