"""What `.name`, `[index]` and `.*` find (reference section 2.3): nothing is an error, much is null."""

from __future__ import annotations

import math

from trunkline.expr.memory import Counter
from trunkline.expr.values import FilteredArray, Value, is_primitive, member, to_number, to_text

_LAST_INDEX = 2**31 - 1


def item(target: list[Value] | dict[str, Value], index: Value) -> Value:
    """Return what stands at `index` in an array or object, or null.

    A filtered array gives another one: of what stands at `index` in each of its items.
    """
    if isinstance(target, dict):
        return member(target, to_text(index))[1] if is_primitive(index) else None
    if isinstance(target, FilteredArray):
        return _item_of_each(target, index)
    place = _place(index)
    return target[place] if place is not None and place < len(target) else None


def _item_of_each(target: FilteredArray, index: Value) -> FilteredArray:
    name = to_text(index) if is_primitive(index) else None
    place = _place(index)
    found = FilteredArray()
    for each in target:
        if isinstance(each, dict):
            hit, value = member(each, name) if name is not None else (False, None)
            if hit:
                found.append(value)
        elif isinstance(each, list) and place is not None and place < len(each):
            found.append(each[place])
    return found


def _place(index: Value) -> int | None:
    number = to_number(index)
    if not 0 <= number <= _LAST_INDEX + 1:
        return None
    return math.floor(number)


def every(target: Value, counter: Counter) -> FilteredArray:
    """Return all items of an array or all values of an object; of anything else, none.

    On a filtered array: the items of all its items, one level flattened. Sizes go to `counter`.
    """
    found = FilteredArray()
    sources = target if isinstance(target, FilteredArray) else [target]
    for each in sources:
        if isinstance(each, dict):
            found.extend(each.values())
            counter.add_items(len(each))
        elif isinstance(each, list):
            found.extend(each)
            counter.add_items(len(each))
    return found
