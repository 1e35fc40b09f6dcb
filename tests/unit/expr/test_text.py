"""Scalar text with expressions in it, as GitHub compiles it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.base.spans import Span
from trunkline.expr.condition import condition, functions_used
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate, evaluate_text
from trunkline.expr.references import references
from trunkline.expr.template import Expression, Insert, Literal
from trunkline.expr.text import Names, Piece, compile_text, split

NAMES = Names(("github", "x"), {"always": (0, 0)})
NOT_CLOSED = (
    "The expression is not closed. An unescaped ${{ sequence was found, "
    "but the closing }} sequence was not found."
)
NOT_INLINE = (
    "The directive 'insert' is not allowed in this context. Directives are not supported for "
    "expressions that are embedded within a string. Directives are only supported when the entire "
    "value is an expression."
)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("", Literal("")),
        ("plain } text {{", Literal("plain } text {{")),
        ("${{ github.ref }}", Expression("github.ref")),
        ("${{github.ref}}", Expression("github.ref")),
        ("${{ 'it''s ${{ }}' }}", Literal("it's ${{ }}")),
        ("${{ 'a' == 'b' }}", Expression("'a' == 'b'")),
        ("${{ '}}' == x }}", Expression("'}}' == x")),
        ("${{ insert }}", Insert()),
        ("${{ x.insert }}", Expression("x.insert")),
        ("a ${{ x }}", Expression("format('a {0}', x)")),
        ("${{ x }} ", Expression("format('{0} ', x)")),
        ("${{ x }}${{ github }}", Expression("format('{0}{1}', x, github)")),
        ("it's {${{ 'b' }}}", Expression("format('it''s {{{0}}}', 'b')")),
        ("false || ${{ true && true }}", Expression("format('false || {0}', true && true)")),
        ("${{ x }}}", Expression("format('{0}}}', x)")),
    ],
)
def test_tokens(text, token):
    assert compile_text(text, NAMES) == token


def test_tokens_know_their_place():
    for text in ("a", "${{ x }}", "${{ 'x' }}", "${{ insert }}", "a ${{ x }}"):
        assert compile_text(text, NAMES, Span(2, 5)).span == Span(2, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${{ }}", "An expression was expected"),
        ("a ${{}} b", "An expression was expected"),
        ("${{ x", NOT_CLOSED),
        ("${{ 'x }}", NOT_CLOSED),
        ("${{ x } }", NOT_CLOSED),
        ("${{ }} ${{", "An expression was expected"),
        ("a ${{ insert }}", NOT_INLINE),
        (
            "${{ insert x }}",
            "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual",
        ),
        ("${{ y }}", "Unrecognized named-value: 'y'. Located at position 1 within expression: y"),
        (
            "a ${{ x }} ${{  x y }} ${{ z }}",
            "Unexpected symbol: 'y'. Located at position 3 within expression: x y",
        ),
        ("${{ " + "x" * 21_001 + " }}", "Exceeded max expression length 21000"),
        ("x" * 20_990 + "${{ x }}", "Exceeded max expression length 21000"),
        ("${{ x }}" * 255, "Too many parameters supplied"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(ExpressionError) as caught:
        compile_text(text, NAMES)
    assert caught.value.message.startswith(message)


def test_text_is_split_into_pieces():
    assert list(split("a${{ x }}b${{y}}")) == [
        Piece("a", is_expression=False),
        Piece("x", is_expression=True),
        Piece("b", is_expression=False),
        Piece("y", is_expression=True),
    ]


@given(st.text(alphabet="ab'{}$ \n\\é", max_size=30), st.text(alphabet="ab'{}$ \n\\é", max_size=30))
def test_text_around_an_expression_survives(before, after):
    if "${{" in before + "$" or "${{" in after:
        return
    token = compile_text(f"{before}${{{{ x }}}}{after}", NAMES)
    assert evaluate_text(token, {"x": "<>"}) == f"{before}<>{after}"


@pytest.mark.parametrize(
    ("source", "rewritten"),
    [
        ("", "success()"),
        (" \n", "success()"),
        ("false", "success() && (false)"),
        ("github.x == 'always()'", "success() && (github.x == 'always()')"),
        ("Always()", "Always()"),
        ("contains(failure(), 'x') && false", "contains(failure(), 'x') && false"),
        ("!cancelled() || x", "!cancelled() || x"),
        ("success", "success() && (success)"),
        ("hashFiles('x')", "success() && (hashFiles('x'))"),
    ],
)
def test_conditions(source, rewritten):
    assert condition(source) == rewritten


def test_a_bad_condition_is_told():
    with pytest.raises(ExpressionError, match="Unexpected end of expression"):
        condition("a &&")


def test_functions_used():
    assert functions_used("Always() && toJSON(hashFiles('x'))") == {
        "always",
        "tojson",
        "hashfiles",
    }


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("1", ()),
        ("vars.X", (("vars", "X"),)),
        ("Vars['x y'].z[0]", (("Vars", "x y", "z", "0"),)),
        ("a.*.b", (("a",),)),
        ("a[b.c].d", (("a",), ("b", "c"))),
        ("toJSON(a.b).c || !d.e", (("a", "b"), ("d", "e"))),
        ("a && a.b", (("a",), ("a", "b"))),
    ],
)
def test_references(source, paths):
    assert references(source) == paths


def test_an_empty_text_is_null():
    assert evaluate("", {}) is None
