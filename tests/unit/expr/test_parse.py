"""Text to trees: what is accepted, what is refused with which words, and that no nesting hurts."""

from __future__ import annotations

import pytest

from trunkline.expr.errors import ExpressionError
from trunkline.expr.parse import MAX_LENGTH, SUCCESS, parse, parsed, read
from trunkline.expr.tree import (
    And,
    Call,
    Comparison,
    Constant,
    ContextName,
    Index,
    Not,
    Or,
    Wildcard,
    to_source,
)

A, B, C = (ContextName(name, name.lower()) for name in "aBc")


EVEN = (
    "Even number of parameters supplied, requires an odd number of parameters: 'case'. "
    "Located at position 1"
)


def refusal(source: str) -> tuple[str, str]:
    with pytest.raises(ExpressionError) as caught:
        parse(source)
    return caught.value.kind, caught.value.message


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("", Constant(None)),
        (" \t\n ", Constant(None)),
        ("a", A),
        ("B", ContextName("B", "b")),
        ("'it''s'", Constant("it's")),
        ("0x10", Constant(16.0)),
        ("-.5", Constant(-0.5)),
        ("true", Constant(value=True)),
        ("True", ContextName("True", "true")),
        ("a.null", Index(A, Constant("null"))),
        ("a . b-c", Index(A, Constant("b-c"))),
        ("a[0]['x']", Index(Index(A, Constant(0.0)), Constant("x"))),
        ("a.*.b[*]", Index(Index(Index(A, Wildcard()), Constant("b")), Wildcard())),
        ("a[B.x]", Index(A, Index(B, Constant("x")))),
        ("!a.b", Not(Index(A, Constant("b")))),
        ("!a == c", Comparison("==", Not(A), C)),
        ("a < B == c", Comparison("==", Comparison("<", A, B), C)),
        ("a == B < c", Comparison("==", A, Comparison("<", B, C))),
        ("a || B && c", Or((A, And((B, C))))),
        ("(a || B) && c", And((Or((A, B)), C))),
        ("a && (B && c)", And((A, B, C))),
        ("a || B || c", Or((A, B, C))),
        ("ToJson ( a )", Call("ToJson", "tojson", (A,))),
        ("own()", Call("own", "own", ())),
        ("own(a, own(B), (c))", Call("own", "own", (A, Call("own", "own", (B,)), C))),
        ("own(a).b", Index(Call("own", "own", (A,)), Constant("b"))),
    ],
)
def test_trees(source, tree):
    assert parse(source) == tree


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("a b", "parsing", "Unexpected symbol: 'b'. Located at position 3"),
        ("a..b", "parsing", "Unexpected symbol: '.'. Located at position 3"),
        ("a.5", "parsing", "Unexpected symbol: '5'. Located at position 3"),
        ("'x'.y", "parsing", "Unexpected symbol: '.'. Located at position 4"),
        ("own((a,B))", "parsing", "Unexpected symbol: ','. Located at position 7"),
        ("a[B)", "parsing", "Unexpected symbol: ')'. Located at position 4"),
        ("a]", "parsing", "Unexpected symbol: ']'. Located at position 2"),
        ("()", "parsing", "Unexpected symbol: ')'. Located at position 2"),
        ("own(,)", "parsing", "Unexpected symbol: ','. Located at position 5"),
        ("true(a)", "parsing", "Unexpected symbol: '('. Located at position 5"),
        ("*", "parsing", "Unexpected symbol: '*'. Located at position 1"),
        ("a === B", "lexing", "Unexpected symbol: '='. Located at position 5"),
        ('"a"', "lexing", "Unexpected symbol: '\"a\"'. Located at position 1"),
        ("'a", "lexing", "Unexpected symbol: ''a'. Located at position 1"),
        ("'a''", "lexing", "Unexpected symbol: ''a'''. Located at position 1"),
        ("$x", "lexing", "Unexpected symbol: '$x'. Located at position 1"),
        ("1x", "lexing", "Unexpected symbol: '1x'. Located at position 1"),
        ("é", "lexing", "Unexpected symbol: 'é'. Located at position 1"),
        ("'😀' b", "parsing", "Unexpected symbol: 'b'. Located at position 6"),
        ("a\x1c", "lexing", "Unexpected symbol: 'a\x1c'. Located at position 1"),
        ("a &&", "parsing", "Unexpected end of expression: '&&'. Located at position 3"),
        ("own(", "parsing", "Unexpected end of expression: '('. Located at position 4"),
        ("(a", "parsing", "Unexpected end of expression: 'a'. Located at position 2"),
        ("a[", "parsing", "Unexpected end of expression: '['. Located at position 2"),
        ("a.", "parsing", "Unexpected end of expression: '.'. Located at position 2"),
        ("!", "parsing", "Unexpected end of expression: '!'. Located at position 1"),
        ("join()", "parsing", "Too few parameters supplied: 'join'. Located at position 1"),
        (
            "a || toJSON(a, a)",
            "parsing",
            "Too many parameters supplied: 'toJSON'. Located at position 6",
        ),
        (
            "case(a, a, a, a)",
            "parsing",
            EVEN,
        ),
    ],
)
def test_refusals(source, kind, message):
    assert refusal(source) == (kind, f"{message} within expression: {source}")


def test_the_usual_condition_is_known_as_it_is_read():
    assert parsed(SUCCESS) == read(SUCCESS, lambda _: None)


def test_format_takes_at_most_255_arguments():
    parse("format('x'" + ", 1" * 254 + ")")
    assert refusal("format('x'" + ", 1" * 255 + ")")[1].startswith("Too many parameters")


def test_length_is_limited():
    parse("'" + "x" * (MAX_LENGTH - 2) + "'")
    too_long = ("parsing", "Exceeded max expression length 21000")
    assert refusal("'" + "x" * (MAX_LENGTH - 1) + "'") == too_long
    assert refusal("'" + "😀" * (MAX_LENGTH // 2) + "'") == too_long


@pytest.mark.parametrize(
    "source",
    [
        "!" * 20_000 + "1",
        "a" + "[0]" * 6_000,
        "a" + ".*" * 10_000,
        "own(" * 4_000 + ")" * 4_000,
        "a == " * 4_000 + "a",
    ],
)
def test_depth_is_limited(source):
    assert refusal(source) == ("parsing", "Exceeded max expression depth 50")


def test_parentheses_and_chains_are_not_depth():
    assert parse("(" * 10_000 + "a" + ")" * 10_000) == A
    chain = parse(" && ".join("a" * 4_000))
    assert chain == And((A,) * 4_000)


def test_fifty_levels_are_not_too_deep():
    parse("!" * 49 + "a")
    assert refusal("!" * 50 + "a")[1] == "Exceeded max expression depth 50"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("a && B||c", "((a && B) || c)"),
        ("!(a==1)", "!(a == 1)"),
        ("a['x'].y['b c'][0].*", "a.x.y['b c'][0].*"),
        ("a['-x']", "a['-x']"),
        ("format('it''s', null, true, 1.50)", "format('it''s', null, true, 1.5)"),
    ],
)
def test_trees_are_shown_as_github_shows_them(source, shown):
    assert to_source(parse(source)) == shown
