"""JSON as leniently as Newtonsoft's reader takes it, which GitHub uses for `fromJSON`.

Beyond JSON: single quotes, unquoted names, comments, trailing and doubled commas, `undefined`, `NaN` and
`Infinity`, hexadecimal and octal integers, and anything at all after the first value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NoReturn

import msgspec

from trunkline.expr.characters import SPACE, fold
from trunkline.expr.errors import ExpressionError
from trunkline.expr.numbers import parse_number
from trunkline.expr.values import Value

MAX_DEPTH = 64

_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"} | {c: c for c in "\\\"'/"}
_WORDS: dict[str, Value] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": "",  # no value of the language: it becomes text, and its text is empty
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


class _Patterns(msgspec.Struct, frozen=True):
    """The regular expressions of the reader, compiled when first needed."""

    space: re.Pattern[str]
    comment: re.Pattern[str]
    word: re.Pattern[str]
    number: re.Pattern[str]
    name: re.Pattern[str]
    strings: dict[str, re.Pattern[str]]
    escape: re.Pattern[str]
    surrogate: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    blank = rf"(?:{SPACE}|\0)"
    strings = {
        quote: re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL) for quote in "\"'"
    }
    return _Patterns(
        space=re.compile(f"{blank}*"),
        comment=re.compile(r"/(?:/([^\r\n]*)|\*((?:(?!\*/).)*)\*/)", re.DOTALL),
        word=re.compile(
            rf"(?:true|false|null|undefined|NaN|-?Infinity)(?=[}}\],]|{blank}|/[*/]|\Z)"
        ),
        number=re.compile(rf"[-.0-9][-+.0-9a-fA-FxX]*(?=[,}}\])/]|{blank}|\Z)"),
        name=re.compile(r"(?:[^\W_]|[_$])+"),
        strings=strings,
        escape=re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL),
        surrogate=re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]"),
    )


def read_leniently(text: str) -> Value:
    """Return the value that a text begins with.

    Raises `ExpressionError` ("Error parsing fromJson") for text without a value and for one that is
    nested more than 64 levels deep.
    """
    return _Reader(text).read()


def merge(entries: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """Return an object: of names that differ in case, the first one's spelling and the last one's value."""
    names: dict[str, str] = {}
    result: dict[str, Value] = {}
    for name, value in entries:
        result[names.setdefault(fold(name), name)] = value
    return result


def check_depth(depth: int) -> None:
    """Raise `ExpressionError` when a value is nested too deep."""
    if depth > MAX_DEPTH:
        _fail()


def _fail() -> NoReturn:
    raise ExpressionError("Error parsing fromJson")


class _Reader:
    """Reads one value from the start of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.patterns = _patterns()

    def read(self) -> Value:
        self._skip_space()
        comment = self.patterns.comment.match(self.text, self.at)
        if comment is not None:
            # GitHub takes a comment that comes first for the value.
            return comment[1] if comment[1] is not None else comment[2]
        return self._value(0)

    def _value(self, depth: int) -> Value:
        self._skip()
        char = self._peek()
        if char in {'"', "'"}:
            return self._string(char)
        if char == "[":
            return self._array(depth + 1)
        if char == "{":
            return self._object(depth + 1)
        if char == ",":
            return ""
        found = self.patterns.word.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            return _WORDS[found.group()]
        return self._number()

    def _array(self, depth: int) -> list[Value]:
        check_depth(depth)
        self.at += 1
        items: list[Value] = []
        while True:
            self._skip()
            if self._took("]"):
                return items
            items.append(self._value(depth))
            if self._ended("]"):
                return items

    def _object(self, depth: int) -> dict[str, Value]:
        check_depth(depth)
        self.at += 1
        entries: list[tuple[str, Value]] = []
        while True:
            self._skip()
            if self._took("}"):
                return merge(entries)
            name = self._name()
            self._skip_space()
            if not self._took(":"):
                _fail()
            entries.append((name, self._value(depth)))
            if self._ended("}"):
                return merge(entries)

    def _ended(self, bracket: str) -> bool:
        """Go past what follows a value: a comma, or the closing bracket (then True)."""
        self._skip()
        if self._took(bracket):
            return True
        if not self._took(","):
            _fail()
        return False

    def _name(self) -> str:
        char = self._peek()
        if char in {'"', "'"}:
            return self._string(char)
        found = self.patterns.name.match(self.text, self.at)
        if found is None:
            _fail()
        self.at = found.end()
        return found.group()

    def _string(self, quote: str) -> str:
        found = self.patterns.strings[quote].match(self.text, self.at)
        if found is None:
            _fail()
        self.at = found.end()
        text = found[1]
        if "\\" not in text:
            return text
        return self.patterns.surrogate.sub(
            _join_surrogates, self.patterns.escape.sub(_unescape, text)
        )

    def _number(self) -> float:
        found = self.patterns.number.match(self.text, self.at)
        if found is None:
            _fail()
        self.at = found.end()
        return _number(found.group())

    def _peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def _took(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self.at += 1
        return True

    def _skip_space(self) -> None:
        found = self.patterns.space.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def _skip(self) -> None:
        """Go past white space and comments."""
        self._skip_space()
        while (found := self.patterns.comment.match(self.text, self.at)) is not None:
            self.at = found.end()
            self._skip_space()


def _unescape(found: re.Match[str]) -> str:
    if found[1] is not None:
        return chr(int(found[1], 16))
    char = found[2]
    if char not in _ESCAPED:
        _fail()
    return _ESCAPED[char]


def _join_surrogates(found: re.Match[str]) -> str:
    pair = found.group()
    if len(pair) == 1:
        return "\ufffd"
    return pair.encode("utf-16-be", "surrogatepass").decode("utf-16-be")


def _number(text: str) -> float:
    if len(text) > 1 and text[0] == "0" and text[1] not in ".eE":
        if text[1] in "xX":
            return _whole(text[2:], 16)
        return _whole(text, 8)
    value = parse_number(text)
    if value != value:  # noqa: PLR0124  # NaN: no number
        _fail()
    return value


def _whole(digits: str, base: int) -> float:
    """Return the value of 64 bits written in `base`, the highest being the sign."""
    if not digits.isalnum() or "x" in digits.lower():
        _fail()
    try:
        value = int(digits, base)
    except ValueError:
        _fail()
    if value >= 1 << 64:
        _fail()
    return float(value - (1 << 64) if value >= 1 << 63 else value)
