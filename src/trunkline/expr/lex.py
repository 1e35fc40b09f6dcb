"""Text to tokens, each checked against the one before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple, NoReturn

from trunkline.expr.characters import WHITESPACE, utf16_length
from trunkline.expr.errors import ExpressionError, Kind
from trunkline.expr.numbers import NOT_A_NUMBER, parse_number
from trunkline.expr.tree import is_keyword
from trunkline.expr.values import Primitive


class TokenKind(Enum):
    """What a token is; brackets are told apart by what they enclose."""

    START = auto()  # no token yet
    START_GROUP = auto()
    START_INDEX = auto()
    START_ARGUMENTS = auto()
    END_GROUP = auto()
    END_INDEX = auto()
    END_ARGUMENTS = auto()
    SEPARATOR = auto()
    DEREFERENCE = auto()
    WILDCARD = auto()
    NOT = auto()
    OPERATOR = auto()
    CONSTANT = auto()
    PROPERTY = auto()
    FUNCTION = auto()
    CONTEXT = auto()


class Token(NamedTuple):
    """A piece of an expression; `position` counts characters from 0, `value` is a constant's."""

    kind: TokenKind
    text: str
    position: int
    value: Primitive = None


_BOUNDARY = rf"()\[\],.!<>=&|{WHITESPACE}"
_SPACE = re.compile(f"[{WHITESPACE}]*")
_STRING = re.compile(r"'(?:[^']|'')*+'")
_OPERATOR = re.compile(r"[!=<>]=|&&|\|\||[!<>]")
_NUMBER = re.compile(rf".(?:[^{_BOUNDARY}]|\.)*", re.DOTALL)
_WORD = re.compile(rf".[^{_BOUNDARY}]*", re.DOTALL)

_CONSTANTS: dict[str, Primitive] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": NOT_A_NUMBER,
    "Infinity": parse_number("Infinity"),
}

_BEFORE_OPERAND = frozenset(
    {
        TokenKind.START,
        TokenKind.SEPARATOR,
        TokenKind.START_GROUP,
        TokenKind.START_INDEX,
        TokenKind.START_ARGUMENTS,
        TokenKind.NOT,
        TokenKind.OPERATOR,
    }
)
_COLLECTION_END = frozenset(
    {
        TokenKind.END_GROUP,
        TokenKind.END_INDEX,
        TokenKind.END_ARGUMENTS,
        TokenKind.WILDCARD,
        TokenKind.PROPERTY,
        TokenKind.CONTEXT,
    }
)
_OPERAND_END = _COLLECTION_END | {TokenKind.CONSTANT}

# What each kind of token may follow.
_FOLLOWS: dict[TokenKind, frozenset[TokenKind]] = {
    TokenKind.START_GROUP: _BEFORE_OPERAND,
    TokenKind.NOT: _BEFORE_OPERAND,
    TokenKind.CONSTANT: _BEFORE_OPERAND,
    TokenKind.FUNCTION: _BEFORE_OPERAND,
    TokenKind.CONTEXT: _BEFORE_OPERAND,
    TokenKind.START_ARGUMENTS: frozenset({TokenKind.FUNCTION}),
    TokenKind.START_INDEX: _COLLECTION_END,
    TokenKind.DEREFERENCE: _COLLECTION_END,
    TokenKind.PROPERTY: frozenset({TokenKind.DEREFERENCE}),
    TokenKind.WILDCARD: frozenset({TokenKind.DEREFERENCE, TokenKind.START_INDEX}),
    TokenKind.OPERATOR: _OPERAND_END,
    TokenKind.SEPARATOR: _OPERAND_END,
    TokenKind.END_GROUP: _OPERAND_END,
    TokenKind.END_INDEX: _OPERAND_END,
    TokenKind.END_ARGUMENTS: _OPERAND_END | {TokenKind.START_ARGUMENTS},
}

_OPENERS = frozenset({TokenKind.START_GROUP, TokenKind.START_INDEX, TokenKind.START_ARGUMENTS})
# What each closing token must find open.
_OPENER_OF = {
    TokenKind.END_GROUP: TokenKind.START_GROUP,
    TokenKind.END_INDEX: TokenKind.START_INDEX,
    TokenKind.END_ARGUMENTS: TokenKind.START_ARGUMENTS,
}
_MARKS = {
    "[": TokenKind.START_INDEX,
    "]": TokenKind.END_INDEX,
    ",": TokenKind.SEPARATOR,
    "*": TokenKind.WILDCARD,
}


class Lexer:
    """Reads an expression token by token; `open` holds the brackets not closed yet."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.open: list[TokenKind] = []
        self._last = TokenKind.START
        self._at = 0

    def __iter__(self) -> Iterator[Token]:
        """Yield the tokens; raise `ExpressionError` at the first that is not allowed there."""
        while True:
            self._at = end_of_space(self.source, self._at)
            if self._at >= len(self.source):
                return
            token = self._read(self.source[self._at])
            self._check(token)
            self._last = token.kind
            self._at += len(token.text)
            yield token

    def _read(self, first: str) -> Token:
        if first in _MARKS:
            return Token(_MARKS[first], first, self._at)
        if first in "()":
            return Token(self._parenthesis(first), first, self._at)
        if first == "." and self._last not in _BEFORE_OPERAND:
            return Token(TokenKind.DEREFERENCE, first, self._at)
        if first in ".+-0123456789":
            return self._number()
        if first in "!<>=&|":
            return self._operator()
        return self._string() if first == "'" else self._word()

    def _parenthesis(self, char: str) -> TokenKind:
        if char == "(":
            is_call = self._last is TokenKind.FUNCTION
            return TokenKind.START_ARGUMENTS if is_call else TokenKind.START_GROUP
        in_call = bool(self.open) and self.open[-1] is TokenKind.START_ARGUMENTS
        return TokenKind.END_ARGUMENTS if in_call else TokenKind.END_GROUP

    def _string(self) -> Token:
        found = _STRING.match(self.source, self._at)
        if found is None:
            self._refuse(self.source[self._at :], "lexing")
        text = found.group()
        return Token(TokenKind.CONSTANT, text, self._at, text[1:-1].replace("''", "'"))

    def _operator(self) -> Token:
        found = _OPERATOR.match(self.source, self._at)
        if found is None:
            self._refuse(self._match(_WORD), "lexing")
        text = found.group()
        return Token(TokenKind.NOT if text == "!" else TokenKind.OPERATOR, text, self._at)

    def _number(self) -> Token:
        text = self._match(_NUMBER)
        value = parse_number(text)
        if value != value:  # noqa: PLR0124  # NaN: no number
            self._refuse(text, "lexing")
        return Token(TokenKind.CONSTANT, text, self._at, value)

    def _word(self) -> Token:
        text = self._match(_WORD)
        if not is_keyword(text):
            self._refuse(text, "lexing")
        if self._last is TokenKind.DEREFERENCE:
            return Token(TokenKind.PROPERTY, text, self._at, text)
        if text in _CONSTANTS:
            return Token(TokenKind.CONSTANT, text, self._at, _CONSTANTS[text])
        after = end_of_space(self.source, self._at + len(text))
        is_call = self.source.startswith("(", after)
        return Token(TokenKind.FUNCTION if is_call else TokenKind.CONTEXT, text, self._at)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.source, self._at)
        return found.group() if found else ""

    def _check(self, token: Token) -> None:
        kind = token.kind
        if self._last not in _FOLLOWS[kind]:
            self._refuse(token.text, "parsing")
        if kind in _OPENERS:
            self.open.append(kind)
        elif kind in _OPENER_OF:
            if not self.open or self.open[-1] is not _OPENER_OF[kind]:
                self._refuse(token.text, "parsing")
            self.open.pop()
        elif kind is TokenKind.SEPARATOR and self.open[-1:] != [TokenKind.START_ARGUMENTS]:
            self._refuse(token.text, "parsing")

    def _refuse(self, text: str, kind: Kind) -> NoReturn:
        raise located("Unexpected symbol", text, self._at, self.source, kind)


def end_of_space(source: str, start: int) -> int:
    """Return the index of the first character from `start` on that is not white space."""
    found = _SPACE.match(source, start)
    return found.end() if found else start


def located(
    what: str, text: str, position: int, source: str, kind: Kind = "parsing"
) -> ExpressionError:
    """Return the error `what`, about `text` at `position` (from 0), in GitHub's form."""
    place = utf16_length(source[:position]) + 1
    return ExpressionError(
        f"{what}: '{text}'. Located at position {place} within expression: {source}", kind
    )
