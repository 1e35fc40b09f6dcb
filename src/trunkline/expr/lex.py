"""Text to tokens, each checked against the one before it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from trunkline.expr.characters import SPACE, utf16_length
from trunkline.expr.errors import ExpressionError, Kind
from trunkline.expr.numbers import INFINITY, NOT_A_NUMBER, parse_number
from trunkline.expr.values import Primitive


class TokenKind:
    """What a token is (plain text: faster than an enum); brackets are told apart by what they enclose."""

    START = "start"
    START_GROUP = "start group"
    START_INDEX = "start index"
    START_ARGUMENTS = "start arguments"
    END_GROUP = "end group"
    END_INDEX = "end index"
    END_ARGUMENTS = "end arguments"
    SEPARATOR = "separator"
    DEREFERENCE = "dereference"
    WILDCARD = "wildcard"
    NOT = "not"
    OPERATOR = "operator"
    CONSTANT = "constant"
    PROPERTY = "property"
    FUNCTION = "function"
    CONTEXT = "context"


class Token(msgspec.Struct, frozen=True):
    """A piece of an expression; `position` counts characters from 0, `value` is a constant's."""

    kind: str
    text: str
    position: int
    value: Primitive = None


# What can't stand in a word, and what can; a number goes on over dots.
_BOUNDARY = r"()\[\],.!<>=&|"
_INNER = rf"(?:[^{_BOUNDARY}\s]|[\x1c-\x1f])"
_NAME = "[A-Za-z_][A-Za-z0-9_-]*"
_TOKEN = (
    rf"{SPACE}*(?:"
    rf"(?P<call>{_NAME}(?={SPACE}*\())"
    rf"|(?P<name>{_NAME})(?=[{_BOUNDARY}]|{SPACE}|\Z)"
    r"|(?P<string>'(?:[^']|'')*'(?!'))"
    r"|(?P<operator>[!=<>]=|&&|\|\||[<>])"
    r"|(?P<mark>[()\[\],*!.])"
    rf"|(?P<number>[-+0-9](?:{_INNER}|\.)*)"
    r"|(?P<end>\Z))"
)
_DOTTED_NUMBER = rf"\.(?:{_INNER}|\.)*"
# A symbol that is no token at all, after white space: up to the next boundary, a string up to the end.
_UNKNOWN = rf"(?s:{SPACE}*(?P<text>'.*|.{_INNER}*))"

_CONSTANTS: dict[str, Primitive] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": NOT_A_NUMBER,
    "Infinity": INFINITY,
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
_FOLLOWS: dict[str, frozenset[str]] = {
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
    "!": TokenKind.NOT,
    ".": TokenKind.DEREFERENCE,
}


class Lexer:
    """Reads an expression token by token; `open` holds the brackets not closed yet."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.open: list[str] = []
        self._last = TokenKind.START

    def __iter__(self) -> Iterator[Token]:
        """Yield the tokens; raise `ExpressionError` at the first that is not allowed there."""
        at, tokens = 0, re.compile(_TOKEN)
        while True:
            found = tokens.match(self.source, at)
            if found is None or found.lastgroup is None:
                raise self._unknown(at)
            group = found.lastgroup
            if group == "end":
                return
            token = self._token(group, found[group], found.start(group))
            if self._last not in _FOLLOWS[token.kind] or not self._fits_brackets(token.kind):
                raise self._unexpected(token.text, token.position, "parsing")
            self._last = token.kind
            at = token.position + len(token.text)
            yield token

    def _token(self, group: str, text: str, position: int) -> Token:
        if group == "mark":
            return self._mark(text, position)
        if group == "operator":
            return Token(TokenKind.OPERATOR, text, position)
        if group == "string":
            return Token(TokenKind.CONSTANT, text, position, text[1:-1].replace("''", "'"))
        if group == "number":
            return self._number(text, position)
        return self._word(group, text, position)

    def _word(self, group: str, text: str, position: int) -> Token:
        if self._last == TokenKind.DEREFERENCE:
            return Token(TokenKind.PROPERTY, text, position, text)
        if text in _CONSTANTS:
            return Token(TokenKind.CONSTANT, text, position, _CONSTANTS[text])
        kind = TokenKind.FUNCTION if group == "call" else TokenKind.CONTEXT
        return Token(kind, text, position)

    def _mark(self, text: str, position: int) -> Token:
        if text == "(":
            is_call = self._last == TokenKind.FUNCTION
            kind = TokenKind.START_ARGUMENTS if is_call else TokenKind.START_GROUP
        elif text == ")":
            in_call = self.open[-1:] == [TokenKind.START_ARGUMENTS]
            kind = TokenKind.END_ARGUMENTS if in_call else TokenKind.END_GROUP
        elif text == "." and self._last in _BEFORE_OPERAND:
            found = re.compile(_DOTTED_NUMBER).match(self.source, position)
            return self._number(found.group() if found else text, position)
        else:
            kind = _MARKS[text]
        return Token(kind, text, position)

    def _number(self, text: str, position: int) -> Token:
        value = parse_number(text)
        if value != value:  # noqa: PLR0124  # NaN: no number
            raise self._unexpected(text, position, "lexing")
        return Token(TokenKind.CONSTANT, text, position, value)

    def _fits_brackets(self, kind: str) -> bool:
        """Open or close brackets; return whether the token may stand within those that are open."""
        if kind in _OPENERS:
            self.open.append(kind)
        elif kind in _OPENER_OF:
            return bool(self.open) and self.open.pop() == _OPENER_OF[kind]
        elif kind == TokenKind.SEPARATOR:
            return self.open[-1:] == [TokenKind.START_ARGUMENTS]
        return True

    def _unknown(self, at: int) -> ExpressionError:
        found = re.compile(_UNKNOWN).match(self.source, at)
        text, position = (found["text"], found.start("text")) if found else ("", at)
        return self._unexpected(text, position, "lexing")

    def _unexpected(self, text: str, position: int, kind: Kind) -> ExpressionError:
        return located("Unexpected symbol", text, position, self.source, kind)


def located(
    what: str, text: str, position: int, source: str, kind: Kind = "parsing"
) -> ExpressionError:
    """Return the error `what`, about `text` at `position` (from 0), in GitHub's form."""
    place = utf16_length(source[:position]) + 1
    return ExpressionError(
        f"{what}: '{text}'. Located at position {place} within expression: {source}", kind
    )
