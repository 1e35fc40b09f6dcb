"""The built-in functions, beyond what the fixtures ask."""

from __future__ import annotations

import pytest

from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate
from trunkline.expr.to_json import write_json
from trunkline.expr.values import Value

CONTEXTS: dict[str, Value] = {"list": [1, "b", None, True, [], {}], "object": {"a": 1}}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("contains('Hello', 'ELL')", True),
        ("contains('abc', '')", True),
        ("contains(123, 2)", True),
        ("contains('null', null)", True),
        ("contains('x', list)", False),
        ("contains(list, '1')", True),
        ("contains(list, 'B')", True),
        ("contains(list, 'true')", False),
        ("contains(object, 'a')", False),
        ("startsWith('Hello', 'hE')", True),
        ("startsWith(true, 'T')", True),
        ("startsWith(list, '')", False),
        ("endsWith('HELLO', 'lo')", True),
        ("endsWith('x', object)", False),
        ("join(list)", "1,b,,true,Array,Object"),
        ("join(list, '')", "1btrueArrayObject"),
        ("join(list, object)", "1,b,,true,Array,Object"),
        ("join('x', '-')", "x"),
        ("join(object)", ""),
        ("join(fromJSON('[]'))", ""),
        ("case(false, 1, true, 2, 3)", 2.0),
        ("toJSON(null)", "null"),
        ("toJSON(0.1)", "0.1"),
        ("toJSON(1e21)", "1E+21"),
        ("format('{0} {1} {0}', 'a', list)", "a Array a"),
        ("format('{00}', 'a')", "a"),
        ("format('{{{0}}}', 'a')", "{a}"),
        ("format(1)", "1"),
        ("format(list)", "Array"),
        ("format('{0}', '{1}', 'b')", "{1}"),
    ],
)
def test_results(source, expected):
    assert evaluate(source, CONTEXTS) == expected


INVALID = "The following format string is invalid: "
TOO_FEW = "The following format string references more arguments than were supplied: "


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("format('{}', 1)", INVALID + "{}"),
        ("format('{-1}', 1)", INVALID + "{-1}"),
        ("format('{ 0}', 1)", INVALID + "{ 0}"),
        ("format('{0 }', 1)", INVALID + "{0 }"),
        ("format('{0', 1)", INVALID + "{0"),
        ("format('0}', 1)", INVALID + "0}"),
        ("format('{256}', 1)", INVALID + "{256}"),
        ("format('{99999999999999999999}', 1)", INVALID + "{99999999999999999999}"),
        ("format('{255}', 1)", TOO_FEW + "{255}"),
        ("format('{0}')", TOO_FEW + "{0}"),
        ("format('{0}}}x}', 1)", INVALID + "{0}}}x}"),
        ("format('{0:yyyy}}', 1)", INVALID + "{0:yyyy}}"),
        (
            "format('{0:yyyy}', 1)",
            "The format specifiers 'yyyy' are not valid for objects of type 'Number'",
        ),
        (
            "format('{0:a}}b}', list)",
            "The format specifiers 'a}b' are not valid for objects of type 'Array'",
        ),
        ("case('true', 1, 2)", "case predicate must evaluate to a boolean value"),
        ("fromJSON('')", "Error parsing fromJson"),
        ("fromJSON('{')", "Error parsing fromJson"),
    ],
)
def test_refusals(source, message):
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, CONTEXTS)
    assert (caught.value.kind, caught.value.message) == ("evaluation", message)


def test_an_empty_specifier_is_none():
    assert evaluate("format('{0:}', 'x')", {}) == "x"


def test_json_is_written_line_by_line():
    written = write_json({"a": [1, {}], "é\n": {"b": []}, "c": "</x>'\"\\\x01\x85\u2028"}, len)
    assert written == (
        "{\n"
        '  "a": [\n'
        "    1,\n"
        "    {}\n"
        "  ],\n"
        '  "é\\n": {\n'
        '    "b": []\n'
        "  },\n"
        '  "c": "</x>\'\\"\\\\\\u0001\\u0085\\u2028"\n'
        "}"
    )


def test_json_of_any_depth_is_written():
    value: Value = []
    for _ in range(5000):
        value = [value]
    assert write_json(value, len).count("[") == 5001
