"""Tokens to a tree, without recursion: hostile nesting costs an error, not a stack."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec

from trunkline.expr.arity import BUILTIN_ARITY, Arity
from trunkline.expr.characters import utf16_length
from trunkline.expr.errors import ExpressionError
from trunkline.expr.lex import Lexer, Token, TokenKind, located
from trunkline.expr.tree import (
    And,
    Call,
    Comparison,
    Constant,
    ContextName,
    Index,
    Mention,
    Node,
    Not,
    Or,
    Wildcard,
)

MAX_LENGTH = 21_000
MAX_DEPTH = 50

_OPENERS = frozenset({TokenKind.START_GROUP, TokenKind.START_INDEX, TokenKind.START_ARGUMENTS})
_STOPS = _OPENERS | {TokenKind.SEPARATOR}
_CLOSERS = frozenset({TokenKind.END_GROUP, TokenKind.END_INDEX, TokenKind.END_ARGUMENTS})
# An expression that ends in one of these, with an operator waiting, is complete.
_COMPLETE = _CLOSERS | {
    TokenKind.CONSTANT,
    TokenKind.PROPERTY,
    TokenKind.CONTEXT,
    TokenKind.WILDCARD,
}

_PRECEDENCE = {
    "!": 16,
    "<": 11,
    "<=": 11,
    ">": 11,
    ">=": 11,
    "==": 10,
    "!=": 10,
    "&&": 6,
    "||": 5,
}
_DEREFERENCE_PRECEDENCE = 19

Accept = Callable[[Mention], None]


class Parsed(msgspec.Struct, frozen=True):
    """A tree, and every context and function that its text names."""

    root: Node
    mentions: tuple[Mention, ...]


def parse(source: str) -> Node:
    """Return the tree of an expression (without its `${{ }}`); blank text is null.

    Names are not looked up: see `expr.check`. Raises `ExpressionError` with GitHub's message for
    text over 21,000 characters, a tree over 50 levels, a symbol that is wrong where it stands,
    and too few or too many arguments of a built-in function.
    """
    return parsed(source).root


# The condition of most jobs and steps: a run of nothing else compiles no pattern of tokens.
SUCCESS = "success()"
_SUCCESS = Parsed(
    Call(name="success", key="success", arguments=()),
    (Mention(name="success", key="success", position=0, arguments=0),),
)


@lru_cache(maxsize=4096)
def parsed(source: str) -> Parsed:
    """Return the tree of an expression with the names it mentions; raises as `parse` does."""
    if source == SUCCESS:
        return _SUCCESS
    return read(source, lambda mention: check_arity(mention, BUILTIN_ARITY, source))


def read(source: str, accept: Accept) -> Parsed:
    """Parse `source`, calling `accept` for each name in the order GitHub meets it.

    A context comes with `arguments` None, a function first with -1 and again with its number of
    arguments when its call is complete. `accept` raises to refuse.
    """
    if utf16_length(source) > MAX_LENGTH:
        raise ExpressionError(f"Exceeded max expression length {MAX_LENGTH}", "parsing")
    return _Reader(source, accept).read()


def check_arity(mention: Mention, known: dict[str, Arity], source: str) -> None:
    """Raise `ExpressionError` when a call's number of arguments is not what `known` allows."""
    arity = known.get(mention.key)
    if arity is None or mention.arguments is None or mention.arguments < 0:
        return
    what = ""
    if mention.arguments < arity.least:
        what = "Too few parameters supplied"
    elif mention.arguments > arity.most:
        what = "Too many parameters supplied"
    elif arity.odd and mention.arguments % 2 == 0:
        what = "Even number of parameters supplied, requires an odd number of parameters"
    if what:
        raise located(what, mention.name, mention.position, source)


class _Reader:
    """Dijkstra's two stacks: operands as (tree, its depth), operators as tokens."""

    def __init__(self, source: str, accept: Accept) -> None:
        self.source = source
        self.accept = accept
        self.operands: list[tuple[Node, int]] = []
        self.operators: list[Token] = []
        self.functions: list[Token] = []
        self.mentions: list[Mention] = []

    def read(self) -> Parsed:
        lexer = Lexer(self.source)
        last: Token | None = None
        for token in lexer:
            self._push(token, last)
            last = token
        if last is None:
            return Parsed(Constant(None), ())
        if self.operators and (last.kind not in _COMPLETE or lexer.open):
            raise located("Unexpected end of expression", last.text, last.position, self.source)
        while self.operators:
            self._reduce(self.operators.pop())
        root, depth = self.operands.pop()
        if depth > MAX_DEPTH:
            raise ExpressionError(f"Exceeded max expression depth {MAX_DEPTH}", "parsing")
        return Parsed(root, tuple(self.mentions))

    def _push(self, token: Token, last: Token | None) -> None:
        match token.kind:
            case TokenKind.CONSTANT | TokenKind.PROPERTY:
                self.operands.append((Constant(token.value), 1))
            case TokenKind.WILDCARD:
                self.operands.append((Wildcard(), 1))
            case TokenKind.CONTEXT:
                self._mention(token, None)
                self.operands.append((ContextName(token.text, token.text.lower()), 1))
            case TokenKind.FUNCTION:
                self.accept(Mention(token.text, token.text.lower(), token.position, -1))
                self.functions.append(token)
            case TokenKind.NOT | TokenKind.START_GROUP:
                self.operators.append(token)
            case _:
                self._push_operator(token, last)

    def _push_operator(self, token: Token, last: Token | None) -> None:
        precedence = _precedence(token)
        while self.operators and self.operators[-1].kind not in _STOPS:
            if _precedence(self.operators[-1]) < precedence:
                break
            self._reduce(self.operators.pop())
        if token.kind not in _CLOSERS:
            self.operators.append(token)
        elif token.kind == TokenKind.END_INDEX:
            self._reduce(self.operators.pop())
        elif token.kind == TokenKind.END_ARGUMENTS:
            self._call(empty=last is not None and last.kind == TokenKind.START_ARGUMENTS)
        else:
            self.operators.pop()

    def _call(self, *, empty: bool) -> None:
        count = 0 if empty else 1
        while self.operators.pop().kind == TokenKind.SEPARATOR:
            count += 1
        function = self.functions.pop()
        self._mention(function, count)
        arguments = self._take(count)
        nodes = tuple(node for node, _ in arguments)
        self._add(Call(function.text, function.text.lower(), nodes), _depth(arguments))

    def _add(self, node: Node, depth: int) -> None:
        # A tree that is too deep is refused at the end of the text; until then it is not built.
        self.operands.append((node if depth <= MAX_DEPTH else Constant(None), depth))

    def _mention(self, token: Token, arguments: int | None) -> None:
        mention = Mention(token.text, token.text.lower(), token.position, arguments)
        self.accept(mention)
        self.mentions.append(mention)

    def _take(self, count: int) -> list[tuple[Node, int]]:
        if count == 0:
            return []
        taken = self.operands[-count:]
        del self.operands[-count:]
        return taken

    def _reduce(self, operator: Token) -> None:
        operands = self._take(1 if operator.kind == TokenKind.NOT else 2)
        first, last = operands[0][0], operands[-1][0]
        depth = _depth(operands)
        if operator.kind == TokenKind.NOT:
            self._add(Not(first), depth)
        elif operator.kind != TokenKind.OPERATOR:
            self._add(Index(first, last), depth)
        elif operator.text in {"&&", "||"}:
            self._add(*_logical(operator.text, operands))
        else:
            self._add(Comparison(operator.text, first, last), depth)


def _precedence(token: Token) -> int:
    if token.kind in {TokenKind.DEREFERENCE, TokenKind.START_INDEX, TokenKind.START_ARGUMENTS}:
        return _DEREFERENCE_PRECEDENCE
    return _PRECEDENCE.get(token.text, 1)


def _depth(operands: list[tuple[Node, int]]) -> int:
    return 1 + max((depth for _, depth in operands), default=0)


def _logical(operator: str, operands: list[tuple[Node, int]]) -> tuple[Node, int]:
    """Join two operands, taking over the operands of those joined by the same operator."""
    kind = And if operator == "&&" else Or
    nodes: list[Node] = []
    depth = 0
    for node, below in operands:
        if isinstance(node, kind):
            nodes += node.operands
            depth = max(depth, below - 1)
        else:
            nodes.append(node)
            depth = max(depth, below)
    return kind(tuple(nodes)), depth + 1
