"""The tree of an expression, and its text."""

from __future__ import annotations

from typing import TypeAlias, assert_never

import msgspec

from trunkline.expr.numbers import format_number
from trunkline.expr.values import Primitive


class Constant(msgspec.Struct, frozen=True):
    """A literal: null, a boolean, a number or a string."""

    value: Primitive


class ContextName(msgspec.Struct, frozen=True):
    """A context such as `github`; `key` is its name in lower case."""

    name: str
    key: str


class Wildcard(msgspec.Struct, frozen=True):
    """The `*` of `.*` and `[*]`."""


class Index(msgspec.Struct, frozen=True):
    """A dereference: `target.name`, `target[index]`, `target.*`."""

    target: Node
    index: Node


class Call(msgspec.Struct, frozen=True):
    """A function call; `key` is the function's name in lower case."""

    name: str
    key: str
    arguments: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True):
    """`!operand`."""

    operand: Node


class Comparison(msgspec.Struct, frozen=True):
    """`==`, `!=`, `<`, `<=`, `>` or `>=` between two operands."""

    operator: str
    left: Node
    right: Node


class And(msgspec.Struct, frozen=True):
    """Operands joined by `&&`; nested ones are one node, as with GitHub."""

    operands: tuple[Node, ...]


class Or(msgspec.Struct, frozen=True):
    """Operands joined by `||`; nested ones are one node, as with GitHub."""

    operands: tuple[Node, ...]


Node: TypeAlias = Constant | ContextName | Wildcard | Index | Call | Not | Comparison | And | Or


class Mention(msgspec.Struct, frozen=True):
    """A context or a function that an expression names, in the order of the text.

    `key` is the name in lower case; `arguments` the number of arguments of a call, None for a context;
    `position` counts characters of the expression from 0.
    """

    name: str
    key: str
    position: int
    arguments: int | None


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below a node, in the order of the text."""
    match node:
        case Index(target, index):
            return (target, index)
        case Call(arguments=nodes) | And(nodes) | Or(nodes):
            return nodes
        case Not(operand):
            return (operand,)
        case Comparison(left=left, right=right):
            return (left, right)
        case _:
            return ()


def to_source(node: Node) -> str:
    """Return a text that parses to the same tree, as GitHub shows expressions in messages."""
    match node:
        case Index():
            text = _index(node)
        case Call(name, _, arguments):
            text = f"{name}({', '.join(map(to_source, arguments))})"
        case Not(operand):
            text = f"!{to_source(operand)}"
        case Comparison(operator, left, right):
            text = f"({to_source(left)} {operator} {to_source(right)})"
        case And(operands):
            text = f"({' && '.join(map(to_source, operands))})"
        case Or(operands):
            text = f"({' || '.join(map(to_source, operands))})"
        case ContextName(name):
            text = name
        case Constant(value):
            text = _constant(value)
        case Wildcard():
            text = "*"
        case _:
            assert_never(node)
    return text


def _constant(value: Primitive) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return format_number(value)


def _index(node: Index) -> str:
    target = to_source(node.target)
    match node.index:
        case Wildcard():
            return f"{target}.*"
        case Constant(str(name)) if is_keyword(name):
            return f"{target}.{name}"
        case _:
            return f"{target}[{to_source(node.index)}]"


def is_keyword(text: str) -> bool:
    """Return whether `text` can stand as a name: ASCII letters, digits, `_` and `-`."""
    return text.isascii() and text.replace("-", "_").isidentifier() and text[0] != "-"
