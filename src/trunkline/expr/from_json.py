"""The function `fromJSON`: reads JSON as leniently as Newtonsoft's reader, which GitHub uses.

Beyond JSON it takes single quotes, unquoted names, comments, trailing and doubled commas, `undefined`,
`NaN` and `Infinity`, hexadecimal and octal integers, and anything at all after the first value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NoReturn

import msgspec

from trunkline.expr.characters import WHITESPACE, fold
from trunkline.expr.errors import ExpressionError
from trunkline.expr.numbers import as_double
from trunkline.expr.values import Value

_MAX_DEPTH = 64
_MAX_INTEGER_LENGTH = 380

_BLANK = f"{WHITESPACE}\\0"
_SPACE = re.compile(f"[{_BLANK}]*")
_STRING = {
    quote: re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*+){quote}", re.DOTALL) for quote in "\"'"
}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"} | dict.fromkeys("\\\"'/")
_SURROGATE = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")
_COMMENT = re.compile(r"/(?:/([^\r\n]*)|\*((?:(?!\*/).)*+)\*/)", re.DOTALL)
_WORD = re.compile(rf"(?:true|false|null|undefined|NaN|-?Infinity)(?=[}}\],{_BLANK}]|/[*/]|\Z)")
_NUMBER = re.compile(rf"[-.0-9][-+.0-9a-fA-FxX]*(?=[,}}\])/{_BLANK}]|\Z)")
_DECIMAL = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_INTEGER = re.compile(r"-?[0-9]+\Z")
_OTHER_BASE = re.compile(r"0(?:[xX](?P<hex>[0-9a-fA-F]+)|(?P<octal>[0-7]+))\Z")

_WORDS: dict[str, Value] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": "",  # no value of the language: it becomes text, and its text is empty
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


def from_json(text: str) -> Value:
    """Return the value that `text` writes.

    Of names that differ only in case the first one's case and the last one's value are kept.
    Raises `ExpressionError` ("Error parsing fromJson") for text without a value and for one that is
    nested more than 64 levels deep.
    """
    try:
        value: Value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _Reader(text).read()
    return _settle(value, 0)


def _settle(value: Value, depth: int) -> Value:
    """Merge names that differ only in case, and refuse what is too deep."""
    if isinstance(value, list):
        _check_depth(depth + 1)
        if any(isinstance(each, list | dict) for each in value):
            return [_settle(each, depth + 1) for each in value]
        return value
    if isinstance(value, dict):
        _check_depth(depth + 1)
        return _merge((name, _settle(each, depth + 1)) for name, each in value.items())
    return value


def _merge(entries: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    names: dict[str, str] = {}
    result: dict[str, Value] = {}
    for name, value in entries:
        result[names.setdefault(fold(name), name)] = value
    return result


def _check_depth(depth: int) -> None:
    if depth > _MAX_DEPTH:
        _fail()


def _fail() -> NoReturn:
    raise ExpressionError("Error parsing fromJson")


class _Reader:
    """Reads one value from the start of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read(self) -> Value:
        self._skip_space()
        comment = _COMMENT.match(self.text, self.at)
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
        found = _WORD.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            return _WORDS[found.group()]
        return self._number()

    def _array(self, depth: int) -> list[Value]:
        _check_depth(depth)
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
        _check_depth(depth)
        self.at += 1
        entries: list[tuple[str, Value]] = []
        while True:
            self._skip()
            if self._took("}"):
                return _merge(entries)
            name = self._name()
            self._skip_space()
            if not self._took(":"):
                _fail()
            entries.append((name, self._value(depth)))
            if self._ended("}"):
                return _merge(entries)

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
        end = self.at
        while end < len(self.text) and (self.text[end].isalnum() or self.text[end] in "_$"):
            end += 1
        name, self.at = self.text[self.at : end], end
        if not name:
            _fail()
        return name

    def _string(self, quote: str) -> str:
        found = _STRING[quote].match(self.text, self.at)
        if found is None:
            _fail()
        self.at = found.end()
        text = found[1]
        if "\\" not in text:
            return text
        return _SURROGATE.sub(_join_surrogates, _ESCAPE.sub(_unescape, text))

    def _number(self) -> float:
        found = _NUMBER.match(self.text, self.at)
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
        found = _SPACE.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def _skip(self) -> None:
        """Go past white space and comments."""
        self._skip_space()
        while (found := _COMMENT.match(self.text, self.at)) is not None:
            self.at = found.end()
            self._skip_space()


def _unescape(found: re.Match[str]) -> str:
    if found[1] is not None:
        return chr(int(found[1], 16))
    char = found[2]
    if char not in _ESCAPED:
        _fail()
    return _ESCAPED[char] or char


def _join_surrogates(found: re.Match[str]) -> str:
    pair = found.group()
    if len(pair) == 1:
        return "\ufffd"
    return pair.encode("utf-16-be", "surrogatepass").decode("utf-16-be")


def _number(text: str) -> float:
    if len(text) > 1 and text[0] == "0" and text[1] not in ".eE":
        found = _OTHER_BASE.match(text)
        if found is None:
            _fail()
        return _signed(found["hex"], 16) if found["hex"] else _signed(found["octal"], 8)
    if _INTEGER.match(text):
        if len(text) > _MAX_INTEGER_LENGTH:
            _fail()
        return as_double(int(text))
    if not _DECIMAL.match(text):
        _fail()
    return float(text)


def _signed(digits: str, base: int) -> float:
    """Return the value of 64 bits written in `base`, the highest being the sign."""
    digits = digits.lstrip("0") or "0"
    value = int(digits, base) if len(digits) <= 22 else 1 << 64
    if value >= 1 << 64:
        _fail()
    return float(value - (1 << 64) if value >= 1 << 63 else value)
