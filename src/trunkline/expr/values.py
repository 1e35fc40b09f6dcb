"""What expressions work on: plain JSON-like Python values, and how GitHub converts them."""

from __future__ import annotations

from typing import Any, TypeAlias

from trunkline.expr.characters import compare, fold
from trunkline.expr.numbers import NOT_A_NUMBER, as_double, format_number, parse_number

# Numbers count as doubles whatever their Python type; lists and dicts hold values in turn.
Value: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
Primitive: TypeAlias = bool | int | float | str | None


class CaseSensitive(dict[str, Any]):
    """An object whose names are told apart by case: the `env` context."""


class FilteredArray(list[Any]):
    """What `.*` makes: an array on which a further dereference works item by item."""


def kind(value: Value) -> str:
    """Return GitHub's name of the value's kind: Null, Boolean, Number, String, Array, Object."""
    if isinstance(value, str):
        return "String"
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int | float):
        return "Number"
    return "Array" if isinstance(value, list) else "Object"


def is_primitive(value: Value) -> bool:
    """Return whether a value is null, a boolean, a number or a string."""
    return value is None or isinstance(value, str | int | float)


def is_truthy(value: Value) -> bool:
    """Return False for null, false, 0, NaN and the empty string; everything else is true."""
    if isinstance(value, str):
        return value != ""
    if value is None:
        return False
    if isinstance(value, int | float):
        return value == value and value != 0  # noqa: PLR0124  # NaN differs from itself
    return True


def to_text(value: Value) -> str:
    """Return a value as GitHub puts it into text; collections are `Array` and `Object`."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format_number(value)
    return kind(value)


def to_number(value: Value) -> float:
    """Return a value as a number: null is 0, true is 1, text is parsed, a collection is NaN."""
    if isinstance(value, str):
        return parse_number(value)
    if value is None:
        return 0.0
    if isinstance(value, int | float):
        return as_double(value)
    return NOT_A_NUMBER


def loosely_equal(left: Value, right: Value) -> bool:
    """Return `left == right` as the language has it (reference section 2.2).

    Strings are compared without case, collections by identity; different primitive kinds as numbers.
    """
    if isinstance(left, str) and isinstance(right, str):
        return left == right or fold(left) == fold(right)
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return left is right
    return to_number(left) == to_number(right)


def order(left: Value, right: Value) -> int | None:
    """Return -1, 0 or 1 for less, equal and greater; None when the values have no order.

    Numbers, strings (without case) and booleans have one; different primitives become numbers.
    """
    if isinstance(left, str) and isinstance(right, str):
        return compare(left, right)
    if isinstance(left, list | dict) or isinstance(right, list | dict) or left is right is None:
        return None
    first, second = to_number(left), to_number(right)
    if first == second:
        return 0
    if first < second:
        return -1
    return 1 if first > second else None


def member(collection: dict[str, Any], name: str) -> tuple[bool, Value]:
    """Return whether an object has a property, and its value; names ignore case.

    An exact hit wins. `CaseSensitive` objects know exact hits only.
    """
    if name in collection:
        return True, collection[name]
    if isinstance(collection, CaseSensitive):
        return False, None
    folded = fold(name)
    for key, value in collection.items():
        if len(key) == len(name) and fold(key) == folded:
            return True, value
    return False, None
