"""Reads a mapping key by key: values of the wanted type, and every mistake with its place."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.base.spans import Span
from trunkline.base.words import did_you_mean
from trunkline.document.problems import Problems
from trunkline.document.yaml import MappingNode, Node, ScalarNode, SequenceNode

# CodeBuild reads YAML 1.1, where these words are booleans.
_TRUE = frozenset({"yes", "true", "on"})
_FALSE = frozenset({"no", "false", "off"})
# Things that stand where something else is due, as users call them.
_KINDS: dict[type[Node], str] = {SequenceNode: "a list", MappingNode: "a mapping"}


class Fields:
    """The entries of one mapping; `finish` tells those that nobody asked for."""

    def __init__(self, node: MappingNode, problems: Problems, where: str) -> None:
        """Take the mapping; `where` names it in messages (`phases/build`, '' for the file)."""
        self.span = node.span
        self.where = where
        self._problems = problems
        self._known: set[str] = set()
        self._entries: dict[str, tuple[ScalarNode, Node]] = {}
        for key, value in node.entries:
            if not isinstance(key, ScalarNode):
                problems.error(key.span, "A key must be a string", "structure")
            elif key.written in self._entries:
                message = f"'{key.written}' is already defined"
                problems.error(key.span, message, "duplicate")
            else:
                self._entries[key.written] = (key, value)

    def has(self, name: str) -> bool:
        """Tell whether the key is there, with anything but nothing."""
        return self._node(name) is not None

    def place(self, name: str) -> Span:
        """Return where the key's value stands, or the mapping itself."""
        node = self._node(name)
        return self.span if node is None else node.span

    def error(self, name: str, message: str, rule: str, hint: str = "") -> None:
        """Tell a mistake in a key's value."""
        self._problems.error(self.place(name), message, rule, hint)

    def text(self, name: str) -> str:
        """Return a scalar as it is written, '' when it is missing."""
        node = self._node(name)
        return "" if node is None else self._text(node, name)

    def word(self, name: str, words: tuple[str, ...]) -> str:
        """Return one of `words`, whatever its case; '' when it is missing or another."""
        found = self.text(name)
        if not found:
            return ""
        fitting = next((one for one in words if one.lower() == found.lower()), "")
        if not fitting:
            hint = did_you_mean(found, words)
            message = f"Invalid value '{found}' of {self._path(name)}: {_either(words)} is expected"
            self.error(name, message, "value", hint)
        return fitting

    def flag(self, name: str) -> bool:
        """Return yes or no; no when it is missing."""
        found = self.text(name).lower()
        if found and found not in _TRUE | _FALSE:
            message = f"Invalid value '{found}' of {self._path(name)}: yes or no is expected"
            self.error(name, message, "value")
        return found in _TRUE

    def number(self, name: str, least: int, most: int) -> int:
        """Return a whole number between `least` and `most`; `least` when it is missing or wrong."""
        found = self.text(name)
        if not found:
            return least
        if not (found.isascii() and found.isdecimal() and least <= int(found) <= most):
            message = (
                f"Invalid value '{found}' of {self._path(name)}: "
                f"a whole number from {least} to {most} is expected"
            )
            self.error(name, message, "value")
            return least
        return int(found)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of scalars; a single one counts as a list of it."""
        return tuple(text for text, _ in self.items(name))

    def items(self, name: str) -> tuple[tuple[str, Span], ...]:
        """Return a list of scalars, each with its place."""
        node = self._node(name)
        if node is None:
            return ()
        found: list[tuple[str, Span]] = []
        for item in node.items if isinstance(node, SequenceNode) else [node]:
            if isinstance(item, ScalarNode):
                found.append((written(item), item.span))
            else:
                self._expected(item, f"an entry of {self._path(name)}", "a string")
        return tuple(found)

    def nodes(self, name: str) -> list[Node]:
        """Return the entries of a list, of whatever kind."""
        node = self._node(name)
        if node is None:
            return []
        if isinstance(node, SequenceNode):
            return node.items
        self._expected(node, self._path(name), "a list")
        return []

    def table(self, name: str) -> dict[str, str]:
        """Return a mapping of names that the user chose to scalars."""
        section = self.section(name)
        return {} if section is None else {key: section.text(key) for key in section.names()}

    def section(self, name: str) -> Fields | None:
        """Return a mapping inside this one, None when it is missing."""
        node = self._node(name)
        return None if node is None else self.inner(node, self._path(name))

    def inner(self, node: Node, where: str) -> Fields | None:
        """Return the fields of a node that must be a mapping."""
        if isinstance(node, MappingNode):
            return Fields(node, self._problems, where)
        self._expected(node, where, "a mapping")
        return None

    def names(self) -> Iterator[str]:
        """Yield every key, all of them known now."""
        self._known.update(self._entries)
        yield from self._entries

    def require(self, name: str) -> None:
        """Tell that a key is missing, or empty."""
        if not self.has(name):
            self._problems.error(
                self.span, f"Required key is missing: {self._path(name)}", "missing-key"
            )

    def finish(self) -> None:
        """Tell every key that is not known here."""
        for name, (key, _) in self._entries.items():
            if name not in self._known:
                place = f" in {self.where}" if self.where else ""
                message = f"Unknown key '{name}'{place}"
                hint = (
                    did_you_mean(name, self._known)
                    or f"Known keys: {', '.join(sorted(self._known))}."
                )
                self._problems.error(key.span, message, "unknown-key", hint)

    def _node(self, name: str) -> Node | None:
        self._known.add(name)
        _, node = self._entries.get(name, (None, None))
        if isinstance(node, ScalarNode) and node.value is None:
            return None
        return node

    def _path(self, name: str) -> str:
        return f"{self.where}/{name}" if self.where else name

    def _text(self, node: Node, name: str) -> str:
        if isinstance(node, ScalarNode):
            return written(node)
        self._expected(node, self._path(name), "a string")
        return ""

    def _expected(self, node: Node, what: str, wanted: str) -> None:
        kind = _KINDS.get(type(node), "a string")
        message = f"Expected {what} to be {wanted}: found {kind}"
        self._problems.error(node.span, message, "structure")


def written(node: ScalarNode) -> str:
    """Return a scalar's text: what is quoted or plain, never a number's canonical form."""
    return node.value if isinstance(node.value, str) else node.written


def _either(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
