"""Trees and contexts to values."""

from __future__ import annotations

import pytest

from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate
from trunkline.expr.memory import MAX_BYTES
from trunkline.expr.values import CaseSensitive, FilteredArray, Value

CONTEXTS: dict[str, Value] = {
    "github": {"Ref": "main", "event": {"labels": [{"name": "a"}, {"name": "b"}, {"id": 3}]}},
    "env": CaseSensitive(Path="/bin"),
    "list": [10, [1, 2], {"k": "v"}],
    "big": "x" * 600_000,
}


def value(source: str) -> Value:
    return evaluate(source, CONTEXTS)


def refusal(source: str, **functions: object) -> str:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, CONTEXTS, functions)  # type: ignore[arg-type]
    return caught.value.message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", None),
        ("GITHUB.ref", "main"),
        ("github['REF']", "main"),
        ("github.nothing.at.all", None),
        ("env.Path", "/bin"),
        ("env.path", None),
        ("list[0]", 10),
        ("list['0']", 10),
        ("list[1.9]", [1, 2]),
        ("list[3]", None),
        ("list[-1]", None),
        ("list['x']", None),
        ("list.length", None),
        ("list[1][1]", 2),
        ("github.ref[0]", None),
        ("github.event.labels.*.name", ["a", "b"]),
        ("github.event.labels[*].id", [3]),
        ("list.*.*", [1, 2, "v"]),
        ("list.*[1]", [2]),
        ("list.*[1][0]", []),
        ("github.ref.*", []),
        ("true && 'yes' || 'no'", "yes"),
        ("null && github.y", None),
        ("'' || 0", 0.0),
        ("!'' && !null", True),
        ("1 < 2 == true", True),
        ("'a' <= 'A'", True),
        ("null <= null", True),
        ("null < null", False),
        ("NaN != NaN", True),
        ("list == list", True),
        ("list[1] == list[1]", True),
        ("list.* == list.*", False),
        ("github.ref == 'MAIN'", True),
    ],
)
def test_values(source, expected):
    assert value(source) == expected


def test_a_filtered_array_stays_one():
    assert isinstance(value("github.event.labels.*.name"), FilteredArray)
    assert evaluate("join(github.event.labels.*.name, '+')", CONTEXTS) == "a+b"
    assert evaluate("contains(github.event.labels.*.name, 'B')", CONTEXTS) is True


def test_short_circuits_evaluate_nothing_more():
    def fail(_arguments: list[Value]) -> Value:
        raise ExpressionError("evaluated")

    assert evaluate("true || own()", {}, {"own": fail}) is True
    assert evaluate("false && own()", {}, {"own": fail}) is False
    assert evaluate("case(true, 1, own())", {}, {"own": fail}) == 1
    assert evaluate("format('{0}', 1, own())", {}, {"own": fail}) == "1"
    assert evaluate("contains(fromJSON('[]'), own())", {}, {"own": fail}) is False
    assert refusal("own()", own=fail) == "evaluated"


def test_functions_are_given_their_arguments():
    seen: list[list[Value]] = []

    def remember(arguments: list[Value]) -> Value:
        seen.append(arguments)
        return "ok"

    functions = {"hashFiles": remember}
    assert evaluate("hashfiles('a', github.ref, list[0])", CONTEXTS, functions) == "ok"
    assert seen == [["a", "main", 10]]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("true || other.x", "Unrecognized named-value: 'other'. Located at position 9"),
        ("true || other()", "Unrecognized function: 'other'. Located at position 9"),
        ("contains(other.x)", "Unrecognized named-value: 'other'. Located at position 10"),
        ("github. ", "Unexpected end of expression: '.'. Located at position 7"),
    ],
)
def test_mistakes_are_told_in_github_order(source, message):
    assert refusal(source) == f"{message} within expression: {source}"


def test_contexts_and_functions_ignore_case():
    assert evaluate("MyContext.x", {"mycontext": {"x": 1}}) == 1
    assert evaluate("mycontext.x", {"MyContext": {"x": 1}}) == 1
    assert evaluate("ALWAYS()", {}, {"Always": lambda _: True}) is True


def test_context_text_does_not_pile_up():
    assert evaluate("big == big && big == big && big == big && 1", CONTEXTS) == 1


def test_results_that_are_too_large_are_refused():
    source = "format('{0}{0}{0}{0}{0}{0}{0}{0}{0}', big)"
    assert refusal(source) == (
        "The maximum allowed memory size was exceeded while evaluating the following expression: "
        + source
    )
    assert len(evaluate("format('{0}{0}{0}{0}', big)", CONTEXTS)) == 2_400_000  # type: ignore[arg-type]


def test_no_doubling_reaches_the_sky():
    source = "'xxxxxxxxxx'"
    for _ in range(22):
        source = f"format('{{0}}{{0}}', {source})"
    assert "maximum allowed memory size" in refusal(source)
    wide = "toJSON(fromJSON('[" + ",".join(["[]"] * 3000) + "]').*)"
    assert evaluate(wide, {})


def test_the_limit_is_the_callers():
    assert evaluate("toJSON(big)", CONTEXTS, limit=MAX_BYTES)
    with pytest.raises(ExpressionError, match="maximum allowed memory size"):
        evaluate("toJSON(big)", CONTEXTS, limit=1_000_000)


def test_filters_of_filters_are_counted():
    items: list[Value] = [list(range(100))] * 100
    rows: list[Value] = [items] * 200
    with pytest.raises(ExpressionError, match="maximum allowed memory size"):
        evaluate("rows.*.*.*", {"rows": rows})
