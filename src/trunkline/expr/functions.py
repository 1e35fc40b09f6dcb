"""The built-in functions (reference section 2.4). Arguments are evaluated when they are asked for."""

from __future__ import annotations

from collections.abc import Callable

from trunkline.expr.characters import fold
from trunkline.expr.errors import ExpressionError
from trunkline.expr.format import format_text
from trunkline.expr.from_json import from_json
from trunkline.expr.memory import Counter
from trunkline.expr.to_json import write_json
from trunkline.expr.tree import Node
from trunkline.expr.values import Value, is_primitive, loosely_equal, to_text


class Arguments:
    """The arguments of a call; each access evaluates one."""

    def __init__(self, nodes: tuple[Node, ...], evaluate: Callable[[Node], Value]) -> None:
        self._nodes = nodes
        self._evaluate = evaluate

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, place: int) -> Value:
        return self._evaluate(self._nodes[place])


Builtin = Callable[[Arguments, Counter], Value]


def _contains(arguments: Arguments, _counter: Counter) -> Value:
    where = arguments[0]
    if isinstance(where, list):
        what = arguments[1] if where else None
        return any(loosely_equal(what, each) for each in where)
    if not is_primitive(where):
        return False
    what = arguments[1]
    return is_primitive(what) and fold(to_text(what)) in fold(to_text(where))


def _starts_with(arguments: Arguments, _counter: Counter) -> Value:
    text, start = _two_texts(arguments)
    return start is not None and text.startswith(start)


def _ends_with(arguments: Arguments, _counter: Counter) -> Value:
    text, end = _two_texts(arguments)
    return end is not None and text.endswith(end)


def _two_texts(arguments: Arguments) -> tuple[str, str | None]:
    """Return both arguments as folded text; the second is None when they can't be compared."""
    first = arguments[0]
    if not is_primitive(first):
        return "", None
    second = arguments[1]
    if not is_primitive(second):
        return "", None
    return fold(to_text(first)), fold(to_text(second))


def _format(arguments: Arguments, counter: Counter) -> Value:
    pattern = to_text(arguments[0])
    return format_text(pattern, len(arguments) - 1, lambda place: arguments[place + 1], counter)


def _join(arguments: Arguments, counter: Counter) -> Value:
    items = arguments[0]
    if not isinstance(items, list):
        return to_text(items) if is_primitive(items) else ""
    separator: Value = ","
    if len(arguments) > 1 and len(items) > 1:
        separator = arguments[1]
    between = to_text(separator) if is_primitive(separator) else ","
    texts: list[str] = []
    for each in items:
        text = to_text(each)
        counter.add_text(text)
        if texts:
            counter.add_text(between)
        texts.append(text)
    return between.join(texts)


def _case(arguments: Arguments, _counter: Counter) -> Value:
    for place in range(0, len(arguments) - 1, 2):
        predicate = arguments[place]
        if not isinstance(predicate, bool):
            raise ExpressionError("case predicate must evaluate to a boolean value")
        if predicate:
            return arguments[place + 1]
    return arguments[len(arguments) - 1]


def _to_json(arguments: Arguments, counter: Counter) -> Value:
    return write_json(arguments[0], counter.add_text)


def _from_json(arguments: Arguments, _counter: Counter) -> Value:
    return from_json(to_text(arguments[0]))


# Names are lower case.
BUILTINS: dict[str, Builtin] = {
    "case": _case,
    "contains": _contains,
    "endswith": _ends_with,
    "format": _format,
    "fromjson": _from_json,
    "join": _join,
    "startswith": _starts_with,
    "tojson": _to_json,
}
