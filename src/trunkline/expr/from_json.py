"""The function `fromJSON`: JSON fast, all that GitHub takes besides it by the lenient reader."""

from __future__ import annotations

import msgspec

from trunkline.expr.lenient_json import check_depth, merge, read_leniently
from trunkline.expr.values import Value


def from_json(text: str) -> Value:
    """Return the value that `text` writes.

    Of names that differ only in case the first one's case and the last one's value are kept.
    Raises `ExpressionError` ("Error parsing fromJson") for text without a value and for one that is
    nested more than 64 levels deep.
    """
    try:
        value: Value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return read_leniently(text)
    return _settle(value, 0)


def _settle(value: Value, depth: int) -> Value:
    """Merge names that differ only in case, and refuse what is too deep."""
    if isinstance(value, list):
        check_depth(depth + 1)
        if any(isinstance(each, list | dict) for each in value):
            return [_settle(each, depth + 1) for each in value]
        return value
    if isinstance(value, dict):
        check_depth(depth + 1)
        return merge((name, _settle(each, depth + 1)) for name, each in value.items())
    return value
