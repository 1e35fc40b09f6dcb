"""YAML text to a tree of nodes, each with its place: one document, aliases replayed, bounded.

The rules are GitHub's: scalars of the YAML 1.2 core schema, no merge keys (`<<` is a key like any
other), no cycles, and limits on depth and on the number of nodes after aliases are replayed.
libyaml finds the structure; what a scalar means is decided here (`scalars`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from trunkline.base.spans import Span
from trunkline.document import scalars
from trunkline.document.limits import Limits
from trunkline.document.problems import TooMuch
from trunkline.document.scalars import Value

_STYLES = {"'": "SingleQuoted", '"': "DoubleQuoted", "|": "Literal", ">": "Folded"}


class ScalarNode(msgspec.Struct, gc=False):
    """A scalar; `written` is its text before it got a type."""

    value: Value
    span: Span
    written: str


class SequenceNode(msgspec.Struct):
    """A sequence of nodes."""

    items: list[Node]
    span: Span


class MappingNode(msgspec.Struct):
    """A mapping: keys and values in the order written, repeated keys included."""

    entries: list[tuple[Node, Node]]
    span: Span


Node = ScalarNode | SequenceNode | MappingNode


class _Weight(NamedTuple):
    """What replaying an anchored node costs: its nodes, and the collections it nests."""

    nodes: int
    height: int


class _Open(msgspec.Struct):
    """A collection that is being read."""

    node: SequenceNode | MappingNode
    anchor: str | None
    nodes_before: int
    key: Node | None = None
    height: int = 0


def load(text: str, limits: Limits) -> Node:
    """Read the one document in `text`.

    Raises:
        TooMuch: for text that is no YAML document or is beyond the limits; carries the place.
    """
    if len(text) > limits.max_characters:
        message = f"The maximum file size of {limits.max_characters} characters has been exceeded"
        raise TooMuch(message)
    try:
        return _Builder(limits).build(_events(text))
    except MarkedYAMLError as error:
        raise _syntax(error) from None
    except YAMLError as error:
        raise TooMuch(_unreadable(error), _position(text, error), rule="syntax") from None


def _events(text: str) -> Iterator[Any]:
    """Yield libyaml's events; a character that UTF-8 can't hold becomes one YAML refuses."""
    parser = CParser(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode())
    while True:
        event = parser.get_event()
        if event is None:
            return
        yield event


class _Builder:
    """Puts events together to nodes, without recursion."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._anchors: dict[str, tuple[Node, _Weight] | None] = {}
        self._stack: list[_Open] = []
        self._root: Node | None = None
        self._nodes = 0

    def build(self, events: Iterator[Any]) -> Node:
        """Return the root of the one document that `events` describe."""
        handlers: dict[type, Callable[[Any], None]] = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._open_mapping,
            SequenceStartEvent: self._open_sequence,
            MappingEndEvent: self._close,
            SequenceEndEvent: self._close,
            AliasEvent: self._alias,
            DocumentStartEvent: self._start,
        }
        for event in events:
            handle = handlers.get(type(event))
            if handle is not None:
                handle(event)
        if self._root is None:
            hint = "The file is empty: a workflow needs at least `on` and `jobs`."
            raise TooMuch("Expected document start parse event", Span(1, 1), hint, rule="syntax")
        return self._root

    def _start(self, event: DocumentStartEvent) -> None:
        if self._root is not None:
            hint = "A workflow file holds one YAML document: remove the line '---'."
            message = "Expected stream end parse event"
            raise TooMuch(message, _span(event), hint, rule="syntax")

    def _scalar(self, event: ScalarEvent) -> None:
        span = _span(event)
        self._count(1, span)
        node = ScalarNode(_value(event, span), span, event.value)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, _Weight(1, 0))
        self._add(node, 0)

    def _open_mapping(self, event: MappingStartEvent) -> None:
        self._open(event.anchor, MappingNode([], _span(event)))

    def _open_sequence(self, event: SequenceStartEvent) -> None:
        self._open(event.anchor, SequenceNode([], _span(event)))

    def _open(self, anchor: str | None, node: SequenceNode | MappingNode) -> None:
        self._count(1, node.span)
        if len(self._stack) >= self._limits.max_depth:
            raise TooMuch("Maximum object depth exceeded", node.span)
        if anchor is not None:
            self._anchors[anchor] = None
        self._stack.append(_Open(node, anchor, self._nodes - 1))

    def _close(self, _: Any) -> None:
        done = self._stack.pop()
        self._count(1, done.node.span)
        height = done.height + 1
        if done.anchor is not None:
            weight = _Weight(self._nodes - done.nodes_before, height)
            self._anchors[done.anchor] = (done.node, weight)
        self._add(done.node, height)

    def _alias(self, event: AliasEvent) -> None:
        span = _span(event)
        if event.anchor not in self._anchors:
            raise TooMuch(f"Unknown anchor '{event.anchor}'", span, rule="syntax")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            hint = f"The alias '*{event.anchor}' stands inside of its own anchor."
            raise TooMuch("Maximum YAML nodes exceeded", span, hint)
        node, weight = anchored
        self._count(weight.nodes, span)
        if len(self._stack) + weight.height > self._limits.max_depth:
            raise TooMuch("Maximum object depth exceeded", span)
        self._add(node, weight.height)

    def _count(self, nodes: int, span: Span) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.max_nodes:
            raise TooMuch("Maximum YAML nodes exceeded", span)

    def _add(self, node: Node, height: int) -> None:
        if not self._stack:
            self._root = node
            return
        into = self._stack[-1]
        into.height = max(into.height, height)
        if isinstance(into.node, SequenceNode):
            into.node.items.append(node)
        elif into.key is None:
            into.key = node
        else:
            into.node.entries.append((into.key, node))
            into.key = None


def _span(event: Any) -> Span:
    mark = event.start_mark
    return Span(mark.line + 1, mark.column + 1)


def _value(event: ScalarEvent, span: Span) -> Value:
    """Give a scalar its type: by its tag, else by the core schema when it is plain."""
    tag, text = event.tag, event.value
    if tag is None or tag == "!":
        if event.style is not None and event.style != "":
            return text
        try:
            return scalars.plain(text) if tag is None else text
        except scalars.OutOfRange:
            raise TooMuch(_invalid(text, span, scalars.INTEGER), span, rule="syntax") from None
    if tag == scalars.STRING:
        return text
    if event.style:
        style = _STYLES[event.style]
        message = (
            f"The scalar style '{style}' on line {span.line} and column {span.column} "
            f"is not valid with the tag '{tag}'"
        )
        raise TooMuch(message, span, rule="syntax")
    if tag not in (scalars.INTEGER, scalars.FLOAT, scalars.BOOLEAN, scalars.NULL):
        raise TooMuch(f"Unexpected tag '{tag}'", span, rule="syntax")
    try:
        return scalars.tagged(text, tag)
    except ValueError:
        raise TooMuch(_invalid(text, span, tag), span, rule="syntax") from None


def _invalid(text: str, span: Span, tag: str) -> str:
    return (
        f"The value '{text}' on line {span.line} and column {span.column} "
        f"is invalid for the type '{tag}'"
    )


def _syntax(error: MarkedYAMLError) -> TooMuch:
    """Say what libyaml found, where it found it."""
    mark = error.problem_mark or error.context_mark
    span = Span(mark.line + 1, mark.column + 1) if mark else Span(1, 1)
    problem = error.problem or "the text is not YAML"
    context = (error.context or "").strip()
    message = f"{context}, {problem}" if context else problem
    return TooMuch(
        f"{message[:1].upper()}{message[1:]}.", span, _syntax_hint(problem, error), rule="syntax"
    )


def _syntax_hint(problem: str, error: MarkedYAMLError) -> str:
    if "cannot start any token" in problem:
        return "YAML is indented with spaces, and a value can't start with @, ` or %: quote it."
    if "mapping values are not allowed" in problem:
        return "A value that holds ': ' needs quotes; or a line above is indented wrongly."
    if error.context_mark is None:
        return ""
    if "did not find expected" in problem:
        return f"It began on line {error.context_mark.line + 1}; look at the indentation."
    if "end of stream" in problem:
        return f"It began on line {error.context_mark.line + 1}."
    return ""


def _unreadable(error: YAMLError) -> str:
    reason = getattr(error, "reason", "") or "the text is not YAML"
    return f"{reason[:1].upper()}{reason[1:]}."


def _position(text: str, error: YAMLError) -> Span:
    """Find the place of a character that YAML forbids (libyaml counts bytes)."""
    offset = getattr(error, "position", None)
    if not isinstance(offset, int) or offset < 0:
        return Span(1, 1)
    before = text.encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")
    return Span(before.count("\n") + 1, len(before) - before.rfind("\n"))
