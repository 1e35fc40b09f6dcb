"""Handlebars' templates, as far as values on one line need them (https://handlebarsjs.com/guide/).

Expressions, literals, helpers with arguments and `name=value`, comments, `if` and `unless` with
their `else`. What is shown is escaped as for HTML unless it stands in three braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn

from trunkline.ports.actions import ActionFailed

Value = str | int | float | bool | None | tuple[str | int, ...]
Helper = Callable[[tuple[Value, ...], Mapping[str, Value]], Value]
Names = Mapping[str, Value | Helper]

_SEGMENT = r"""(?:\[[^\]]*\]|\.\.|\.(?=[=~}\s/.)\]|]|$)|[^\s!"#%-,./;->@\[-^`{-~]+)"""
_TOKEN = re.compile(
    r"\s*(?:(?P<close>~?\}\}\}?)|(?P<bracket>[()])|(?P<string>\"(?:\\\"|[^\"])*\"|'(?:\\'|[^'])*')"
    r"|(?P<number>-?\d+(?:\.\d+)?(?=[~}\s)\]]))"
    rf"|(?P<key>{_SEGMENT})=|(?P<path>@?{_SEGMENT}(?:[./]{_SEGMENT})*))"
)
_COMMENT = re.compile(r"\{\{~?!--.*?--~?\}\}|\{\{~?!.*?\}\}", re.DOTALL)
_OPEN = re.compile(r"\{\{(?P<strip>~?)(?P<kind>\{|[#&^/>*]|)\s*(?P<else>else(?=[\s~}]))?")
_PARTS = re.compile(r"\[([^\]]*)\]|([^./]+|\.\.)")
_LITERALS: dict[str, Value] = {"true": True, "false": False, "undefined": None, "null": None}
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;"}
    | {"=": "&#x3D;"}
)


class _Path(NamedTuple):
    parts: tuple[str, ...]


class _Call(NamedTuple):
    """What stands in braces or parentheses: a name with its arguments."""

    name: _Path
    arguments: tuple[_Expression, ...] = ()
    named: tuple[tuple[str, _Expression], ...] = ()


class _Literal(NamedTuple):
    value: Value


_Expression = _Path | _Call | _Literal


class _Output(NamedTuple):
    call: _Call
    escaped: bool


class _Block(NamedTuple):
    """`if` or `unless`: the test, and what stands for yes and for no."""

    call: _Call
    yes: tuple[_Node, ...]
    no: tuple[_Node, ...]


_Node = str | _Output | _Block


class Template:
    """A template that was read."""

    def __init__(self, text: str) -> None:
        """Read a template. Raises ActionFailed when it can't be read."""
        try:
            self._nodes = _Reader(text).template()
        except RecursionError as error:
            raise ActionFailed("Parse error: the template is nested too deeply") from error

    def render(self, names: Names) -> str:
        """Return the text for `names`. Raises ActionFailed for a helper that is not among them."""
        return "".join(_shown(node, names) for node in self._nodes)

    def is_only(self, name: str) -> bool:
        """Tell whether the template shows `name` and nothing else."""
        return len(self._nodes) == 1 and (
            isinstance(self._nodes[0], _Output) and self._nodes[0].call.name.parts == (name,)
        )


def _shown(node: _Node, names: Names) -> str:
    match node:
        case str():
            return node
        case _Output(call, escaped):
            text = _text(_called(call, names))
            return text.translate(_ESCAPES) if escaped else text
        case _Block(call, yes, no):
            if len(call.arguments) != 1:
                raise ActionFailed(f"#{call.name.parts[0]} requires exactly one argument")
            holds = bool(_evaluated(call.arguments[0], names))
            chosen = yes if holds is (call.name.parts == ("if",)) else no
            return "".join(_shown(each, names) for each in chosen)


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(str(each) for each in value)
        case _:
            return str(value)


def _evaluated(expression: _Expression, names: Names) -> Value:
    match expression:
        case _Literal(value):
            return value
        case _Path():
            return _called(_Call(expression), names)
        case _Call():
            return _called(expression, names)


def _called(call: _Call, names: Names) -> Value:
    name, *rest = call.name.parts or ("",)
    value = names.get(name)
    if value is None and (call.arguments or call.named):
        raise ActionFailed(f'Missing helper: "{name}"')
    if callable(value):
        arguments = tuple(_evaluated(each, names) for each in call.arguments)
        value = value(arguments, {key: _evaluated(each, names) for key, each in call.named[::-1]})
    for part in rest:
        inside = isinstance(value, tuple) and part.isdecimal() and int(part) < len(value)
        value = value[int(part)] if isinstance(value, tuple) and inside else None
    return value


class _Reader:
    """Reads a template from its start to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._strip = False

    def template(self) -> tuple[_Node, ...]:
        nodes, end = self._nodes()
        if end:
            self._fail(f"{end} without its beginning")
        return nodes

    def _nodes(self) -> tuple[tuple[_Node, ...], str]:
        """Read up to the end or to a tag that ends a block; return its word: '', else, ^, /."""
        nodes: list[_Node] = []
        while True:
            nodes.append(self._content())
            if self._at >= len(self._text):
                return _without_empty(nodes), ""
            if comment := _COMMENT.match(self._text, self._at):
                self._open(nodes, strip=comment[0].startswith("{{~"))
                self._close(comment.end(), strip=comment[0].endswith("~}}"))
                continue
            tag = _OPEN.match(self._text, self._at)
            if not tag or tag["kind"] in {">", "*"} or self._text.startswith("{{{{", self._at):
                self._fail("partials, decorators and raw blocks are not supported here")
            self._open(nodes, strip=bool(tag["strip"]))
            self._at = tag.end()
            if tag["kind"] in {"/", "^"} or tag["else"]:
                word = tag["kind"] or "else"
                if word != "^" or self._text.startswith(("}}", "~}}"), self._at):
                    return _without_empty(nodes), word
            nodes.append(self._tag(tag["kind"]))

    def _content(self) -> str:
        """Read text up to a tag; a backslash makes the next tag text."""
        start = self._at
        at = self._text.find("{{", start)
        self._at = len(self._text) if at < 0 else at
        text = self._text[start : self._at]
        if self._strip:
            text, self._strip = text.lstrip(), False
        if at < 0 or not text.endswith("\\"):
            return text
        if text.endswith("\\\\"):
            return text[:-1]
        self._at += 2
        return f"{text[:-1]}{{{{{self._content()}"

    def _tag(self, kind: str) -> _Node:
        call = self._call("}}}" if kind == "{" else "}}")
        if kind in {"", "&", "{"}:
            return _Output(call, escaped=not kind)
        if call.name.parts not in {("if",), ("unless",)}:
            self._fail(f"of blocks there are if and unless here, not {'.'.join(call.name.parts)}")
        block = self._block(call, call.name)
        return _Block(call, block.no, block.yes) if kind == "^" else block

    def _block(self, call: _Call, opened_by: _Path) -> _Block:
        yes, word = self._nodes()
        no: tuple[_Node, ...] = ()
        if word in {"else", "^"}:
            if self._text.startswith(("}}", "~}}"), self._at):
                self._call("}}", empty=True)
                no, word = self._nodes()
            else:
                return _Block(call, yes, (self._block(self._call("}}"), opened_by),))
        if word != "/":
            self._fail(f"{opened_by.parts[0]} is not closed")
        if self._call("}}").name != opened_by:
            self._fail(f"{opened_by.parts[0]} is closed by another name")
        return _Block(call, yes, no)

    def _call(self, end: str, *, empty: bool = False) -> _Call:
        """Read a name and its arguments up to `end` (`}}`, `}}}` or `)`)."""
        name: _Path | None = None
        arguments: list[_Expression] = []
        named: list[tuple[str, _Expression]] = []
        while True:
            token = self._token()
            if token["close"] or token["bracket"] == ")":
                self._ended(token, end, complete=empty or name is not None)
                return _Call(name or _Path(()), tuple(arguments), tuple(named))
            if token["key"]:
                named.append((token["key"], self._expression(self._token())))
            elif name is None:
                name = self._name(token)
            else:
                arguments.append(self._expression(token))

    def _ended(self, token: re.Match[str], end: str, *, complete: bool) -> None:
        found = token["close"] or token["bracket"]
        if found.removeprefix("~") != end or not complete:
            self._fail(f"'{found}' where it is not expected")
        self._strip = found.startswith("~")

    def _name(self, token: re.Match[str]) -> _Path:
        expression = self._expression(token)
        if isinstance(expression, _Literal):
            return _Path((token[0].strip().strip("\"'"),))
        if isinstance(expression, _Call):
            self._fail("a name is expected")
        return expression

    def _expression(self, token: re.Match[str]) -> _Expression:
        if token["string"]:
            quote = token["string"][0]
            return _Literal(token["string"][1:-1].replace(f"\\{quote}", quote))
        if token["number"]:
            text = token["number"]
            return _Literal(float(text) if "." in text else int(text))
        if token["bracket"] == "(":
            return self._call(")")
        if not token["path"]:
            self._fail("a value is expected")
        if token["path"] in _LITERALS:
            return _Literal(_LITERALS[token["path"]])
        found = [literal or plain for literal, plain in _PARTS.findall(token["path"])]
        return _Path(tuple(found[1:] if found and found[0] in {"this", "@root"} else found))

    def _token(self) -> re.Match[str]:
        found = _TOKEN.match(self._text, self._at)
        if not found:
            self._fail("an expression is not closed, or has a character that has no place there")
        self._at = found.end()
        return found

    def _open(self, nodes: list[_Node], *, strip: bool) -> None:
        """Take the space before a tag away where it says so."""
        if strip and nodes and isinstance(nodes[-1], str):
            nodes[-1] = nodes[-1].rstrip()

    def _close(self, at: int, *, strip: bool) -> None:
        self._at = at
        self._strip = strip

    def _fail(self, why: str) -> NoReturn:
        line = self._text.count("\n", 0, self._at) + 1
        raise ActionFailed(f"Parse error on line {line}:\n{self._text}\n{why}")


def _without_empty(nodes: list[_Node]) -> tuple[_Node, ...]:
    return tuple(node for node in nodes if node != "")
