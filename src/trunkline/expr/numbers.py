"""Numbers to text and back, by the rules of .NET's doubles."""

from __future__ import annotations

import math
import re

from trunkline.expr.characters import WHITESPACE

_DECIMAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_HEX = "0x[0-9a-fA-F]+"
_OCTAL = "0o[0-7]+"
_WORDS = {"INFINITY": math.inf, "+INFINITY": math.inf, "-INFINITY": -math.inf}

INFINITY = math.inf
NOT_A_NUMBER = math.nan


def parse_number(text: str) -> float:
    """Return the number that `text` writes, or NaN (reference appendix A1).

    Blank text is 0; `0x` and `0o` hold 32 bits, so that 0xFFFFFFFF is -1 and more digits are NaN.
    """
    text = text.strip(WHITESPACE)
    if not text:
        return 0.0
    if re.fullmatch(_DECIMAL, text):
        return float(text)
    if re.fullmatch(_HEX, text):
        return _signed(text[2:], 16)
    if re.fullmatch(_OCTAL, text):
        return _signed(text[2:], 8)
    return _WORDS.get(text.upper(), NOT_A_NUMBER)


def _signed(digits: str, base: int) -> float:
    digits = digits.lstrip("0") or "0"
    if len(digits) > 11:
        return NOT_A_NUMBER
    value = int(digits, base)
    if value >= 1 << 32:
        return NOT_A_NUMBER
    return float(value - (1 << 32) if value >= 1 << 31 else value)


def format_number(value: float) -> str:
    """Return a number as GitHub writes it: 15 significant digits, .NET's `G15` (appendix A2)."""
    value = as_double(value)
    if value != value:  # noqa: PLR0124  # NaN is the only such number
        return "NaN"
    if value in {math.inf, -math.inf}:
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    return f"{value:.15G}"


def as_double(value: float) -> float:
    """Return `value` as a double; an integer that is too large is an infinity."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
