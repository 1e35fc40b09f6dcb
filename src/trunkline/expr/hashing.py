"""The patterns of `hashFiles`, read and matched without touching a disk (reference section 2.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import IntFlag

from trunkline.expr.characters import WHITESPACE
from trunkline.expr.errors import ExpressionError
from trunkline.expr.glob import EVERY, Glob, units

TIME_LIMIT = 120  # seconds
FOLLOW_LINKS = "--follow-symbolic-links"

# What JavaScript's `trim` takes away.
_SPACE = WHITESPACE.replace("\x85", "") + "\ufeff"


class Match(IntFlag):
    """What of a path its patterns take."""

    NOTHING = 0
    DIRECTORY = 1
    FILE = 2
    ALL = 3


class Patterns:
    """The patterns of one `hashFiles` call; later ones override earlier ones.

    `search_paths` are the absolute paths to start walking from, in the order that decides the digest.
    """

    def __init__(self, patterns: Iterable[_Pattern], *, follow_links: bool) -> None:
        self.follow_links = follow_links
        self._patterns = [each for given in patterns for each in given.with_descendants()]
        self.search_paths = _search_paths([each for each in self._patterns if not each.negated])

    def match(self, path: str) -> Match:
        """Return what of an absolute path (without a `/` at its end) the patterns take."""
        parts = _parts(path)
        found = Match.NOTHING
        for pattern in self._patterns:
            hit = pattern.match(parts)
            found = found & ~hit if pattern.negated else found | hit
        return found

    def may_hold(self, path: str) -> bool:
        """Return whether a directory may hold something that matches: walk into it?"""
        parts = _parts(path) if path != "/" else [""]
        return any(not each.negated and each.glob.may_hold(parts) for each in self._patterns)


def parse_patterns(arguments: Sequence[str], root: str, home: str) -> Patterns:
    """Return the patterns that the arguments of `hashFiles` (as text) write, one a line.

    `root` is the absolute path of the workspace, `home` that of the home directory (for `~`).
    Raises `ExpressionError` with GitHub's message for an unknown option or a pattern it refuses.
    """
    follow_links = False
    if arguments and arguments[0].startswith("--"):
        if arguments[0].lower() != FOLLOW_LINKS:
            raise ExpressionError(
                f"Invalid glob option {arguments[0]}, avaliable option: '{FOLLOW_LINKS}'."
            )
        follow_links, arguments = True, arguments[1:]
    lines = [line.strip(_SPACE) for line in "\n".join(arguments).split("\n")]
    try:
        patterns = [_Pattern.read(line, root, home) for line in lines if line and line[0] != "#"]
    except BadPattern as error:
        raise failed(arguments, root, error.message) from error
    return Patterns(patterns, follow_links=follow_links)


def failed(arguments: Sequence[str], root: str, cause: str) -> ExpressionError:
    """Return GitHub's error for files that can't be hashed, and what the reason is."""
    return ExpressionError(
        f"{_call(arguments)} failed. Fail to hash files under directory '{root}'\n{cause}"
    )


def timed_out(arguments: Sequence[str]) -> ExpressionError:
    """Return GitHub's error for files that take too long to hash."""
    return ExpressionError(f"{_call(arguments)} couldn't finish within {TIME_LIMIT} seconds.")


def _call(arguments: Sequence[str]) -> str:
    patterns = [each for each in arguments if each.lower() != FOLLOW_LINKS]
    return "hashFiles('" + ", ".join(patterns).replace("'", "''") + "')"


class BadPattern(Exception):
    """A pattern that `@actions/glob` refuses; the message is its own."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _Pattern:
    """One pattern, with an absolute path."""

    def __init__(self, path: str, *, negated: bool, is_implicit: bool = False) -> None:
        self.negated = negated
        self._is_implicit = is_implicit
        self._for_directories = path.endswith("/")
        self._path = path.rstrip("/") or "/"
        segments = self._path[1:].split("/") if self._path != "/" else []
        self._ends_in_every = segments[-1:] == [EVERY]
        self.search_path = _search_path(segments)
        self.glob = Glob(self._path)

    @classmethod
    def read(cls, text: str, root: str, home: str) -> _Pattern:
        negated = False
        while text.startswith("!"):
            negated = not negated
            text = text[1:].strip(_SPACE)
        if not text:
            raise BadPattern("pattern cannot be empty")
        segments = re.split("/+", text.rstrip("/") or "/")
        for place, segment in enumerate(segments):
            name = _literal(segment)
            if name == ".." or (name == "." and place > 0):
                raise BadPattern(
                    f"Invalid pattern '{text}'. Relative pathing '.' and '..' is not allowed."
                )
        return cls(_rooted(re.sub("/+", "/", text), root, home), negated=negated)

    def with_descendants(self) -> list[_Pattern]:
        """Return this pattern, and the one for everything below what it matches."""
        if self._ends_in_every and not self._for_directories:
            return [self]
        below = f"{self._path.rstrip('/')}/{EVERY}"
        return [self, _Pattern(below, negated=self.negated, is_implicit=True)]

    def match(self, parts: list[str]) -> Match:
        """Return what of a path, in parts, this pattern takes."""
        if self._ends_in_every and not self._is_implicit and parts[-1]:
            parts = [*parts, ""]
        if not self.glob.matches(parts):
            return Match.NOTHING
        return Match.DIRECTORY if self._for_directories else Match.ALL


def _rooted(text: str, root: str, home: str) -> str:
    if text == "." or text.startswith("./"):
        return _escape(root) + text[1:]
    if text == "~" or text.startswith("~/"):
        return _escape(home) + text[1:]
    if text.startswith("/"):
        return text
    return f"{_escape(root).rstrip('/')}/{text}"


def _escape(path: str) -> str:
    """Return a pattern that matches `path` alone."""
    path = path.replace("\\", "\\\\")
    path = re.sub(r"\[(?=[^/]+\])", "[[]", path)
    return path.replace("?", "[?]").replace("*", "[*]")


_LITERAL_TOKEN = re.compile(
    r"\\(?P<escaped>.)|(?P<wildcard>[*?])|\[(?P<set>(?:\\.|[^\]])*)\]|(?P<char>.)", re.DOTALL
)


def _literal(segment: str) -> str:
    """Return the name that a part of a pattern stands for, or '' when it has a wildcard.

    This is `@actions/glob`'s own reading, which knows less of sets than the matcher does.
    """
    name = ""
    at = 0
    while token := _LITERAL_TOKEN.match(segment, at):
        at = token.end()
        members = re.sub(r"\\(.)", r"\1", token["set"] or "", flags=re.DOTALL)
        if token["wildcard"] or len(units(members)) > 1:
            return ""
        if token["set"] == "":
            at = token.start() + 1
            members = "["
        name += token["escaped"] or token["char"] or members
    return name


def _search_path(segments: list[str]) -> str:
    names: list[str] = []
    for segment in segments:
        name = _literal(segment)
        if not name:
            break
        names.append(name)
    return "/" + "/".join(names)


def _search_paths(patterns: list[_Pattern]) -> tuple[str, ...]:
    """Return where to start: each distinct search path, but none that lies below another."""
    known = {each.search_path for each in patterns}
    found: dict[str, None] = {}
    for path in (each.search_path for each in patterns):
        if not any(parent in known for parent in _ancestors(path)):
            found[path] = None
    return tuple(found)


def _ancestors(path: str) -> Iterable[str]:
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


def _parts(path: str) -> list[str]:
    return re.split("/+", units(path))
