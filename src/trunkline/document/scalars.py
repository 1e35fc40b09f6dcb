"""What a plain YAML scalar means: the core schema of YAML 1.2, with GitHub's number ranges."""

from __future__ import annotations

import re

Value = None | bool | float | str

_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL = re.compile(r"0o[0-7]+")
_FIRST = frozenset("0123456789+-.")
_BITS = 32

INTEGER = "tag:yaml.org,2002:int"
FLOAT = "tag:yaml.org,2002:float"
BOOLEAN = "tag:yaml.org,2002:bool"
NULL = "tag:yaml.org,2002:null"
STRING = "tag:yaml.org,2002:str"


class OutOfRange(ValueError):
    """A hexadecimal or octal number does not fit in 32 bits, as GitHub demands."""


def plain(text: str) -> Value:
    """Return the value of a plain scalar.

    Raises:
        OutOfRange: for a hexadecimal or octal number beyond 32 bits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST:
        return text
    if _NUMBER.fullmatch(text):
        return float(text)
    if text[0] == "0":
        return _based(text)
    return text


def tagged(text: str, tag: str) -> Value:
    """Return the value of a plain scalar under the explicit `tag` of the core schema.

    Raises:
        ValueError: when the text is not one of that type.
    """
    value = plain(text)
    if tag == INTEGER and isinstance(value, float) and not isinstance(value, bool):
        if _INTEGER.fullmatch(text) or text.startswith(("0x", "0o")):
            return value
    elif (
        (tag == FLOAT and isinstance(value, float) and not text.startswith(("0x", "0o")))
        or (tag == BOOLEAN and isinstance(value, bool))
        or (tag == NULL and value is None)
    ):
        return value
    raise ValueError(text)


def _based(text: str) -> Value:
    """Read `0x` and `0o` numbers as .NET does: 32 bits, the highest one being the sign."""
    if _HEX.fullmatch(text) or _OCTAL.fullmatch(text):
        number = int(text, 0)
    else:
        return text
    if number >= 1 << _BITS:
        raise OutOfRange(text)
    return float(number - (1 << _BITS) if number >= 1 << (_BITS - 1) else number)
