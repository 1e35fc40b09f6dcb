"""Expressions that are partly known, and tokens as they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.expr.errors import ExpressionError
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Sequence
from trunkline.expr.text import Names, compile_text
from trunkline.plan.known import Known, written

NAMES = Names(("github", "needs", "matrix"), {})
KNOWN = Known(
    {"github": {"ref": "main"}, "needs": {"a": {"result": "success"}}},
    frozenset({("needs", "a", "outputs"), ("matrix",)}),
)


@pytest.mark.parametrize(
    ("source", "late"),
    [
        ("github.ref", False),
        ("needs.a.result", False),
        ("needs.A.Outputs.x", True),
        ("needs.a.outputs", True),
        ("toJSON(needs)", True),
        ("needs['a'].result", False),
        ("needs[github.ref]", True),
        ("matrix.os || github.ref", True),
        ("contains('x', matrix)", True),
        ("(", False),
    ],
)
def test_what_is_late(source, late):
    assert KNOWN.is_late(Expression(source)) is late
    assert KNOWN.is_late(Sequence((Literal("x"), Expression(source)))) is late
    assert KNOWN.is_late(Mapping(((Expression(source), Literal("x")),))) is late


def test_text_is_the_value_or_the_expression():
    assert KNOWN.text(None) == ""
    assert KNOWN.text(Expression("github.ref")) == "main"
    assert KNOWN.text(Expression("matrix.os")) == "${{ matrix.os }}"
    assert KNOWN.text(Expression("fromJSON('x')")) == "${{ fromJSON('x') }}"
    assert KNOWN.also({"matrix": {}}).text(Literal(value=2.0)) == "2"


def test_values():
    assert KNOWN.value(Sequence((Literal(1.0), Expression("github.ref")))) == [1.0, "main"]
    with pytest.raises(ExpressionError, match="Unrecognized named-value: 'secrets'"):
        KNOWN.value(Expression("secrets.x"))


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "${{ github.ref }}",
        "a ${{ github.ref }} b's {x} ${{ format('q{0}', 'it''s, (') }}",
        "${{ github.ref }}}",
        "{${{ github.ref }}",
        "}}${{ needs.a[0] }}{{ ${{ contains('a,b', matrix.x) }}",
    ],
)
def test_written_is_what_stood_there(text):
    assert written(compile_text(text, NAMES)) == text


@given(
    st.lists(st.sampled_from(["{", "}", "'", "a,", "(", "${{ github.x }}", "${{ 'a' == 'b' }}"]))
)
def test_written_undoes_what_the_reader_did(pieces):
    text = "".join(pieces)
    assert written(compile_text(text, NAMES)) == text


def test_collections():
    token = Mapping(
        ((Literal("a"), Sequence((Literal(1.0), Expression("x")))), (Insert(), Expression("y")))
    )
    assert written(token) == "{a: [1, ${{ x }}], ${{ insert }}: ${{ y }}}"
