"""Identifiers of jobs and steps: GitHub's rules, and the ids it gives to steps without one."""

from __future__ import annotations

import re

from trunkline.expr.characters import fold

MAX_LENGTH = 100
_VALID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")
_RESERVED = "__"
_MAX_ATTEMPTS = 1000


def mistake(identifier: str) -> str:
    """Return what is wrong with a written id, in GitHub's words, or ''."""
    if not _VALID.fullmatch(identifier) or len(identifier) >= MAX_LENGTH:
        return (
            f"The identifier '{identifier}' is invalid. IDs may only contain alphanumeric "
            "characters, '_', and '-'. IDs must start with a letter or '_' and and must be "
            f"less than {MAX_LENGTH} characters."
        )
    if identifier.startswith(_RESERVED):
        return reserved(identifier)
    return ""


def reserved(identifier: str) -> str:
    """Return GitHub's words for an id that starts with `__`."""
    return f"The identifier '{identifier}' is invalid. IDs starting with '__' are reserved."


class StepIds:
    """The ids of one list of steps; unequal even when case is ignored."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def add(self, identifier: str) -> str:
        """Take a written id. Returns what is wrong with it, or ''."""
        wrong = mistake(identifier)
        if wrong:
            return wrong
        if fold(identifier) in self._taken:
            return (
                f"The identifier '{identifier}' may not be used more than once "
                "within the same scope."
            )
        self._taken.add(fold(identifier))
        return ""

    def automatic(self, name: str) -> str:
        """Return the free id of a step that does what `name` says: `__run`, `__run_2`, ...

        Returns '' when GitHub would find none: it looks at 999 of them.
        """
        base = _RESERVED + _ILLEGAL.sub("_", name)
        for attempt in range(self._next.get(base, 1), _MAX_ATTEMPTS):
            suffix = "" if attempt == 1 else f"_{attempt}"
            candidate = base[: MAX_LENGTH - len(suffix)] + suffix
            if fold(candidate) not in self._taken:
                self._taken.add(fold(candidate))
                self._next[base] = attempt + 1
                return candidate
        return ""
