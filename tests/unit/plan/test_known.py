"""Expressions that are partly known, and tokens as they were written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.expr.errors import ExpressionError
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Sequence, Token
from trunkline.expr.text import Names, compile_text
from trunkline.expr.written import written
from trunkline.plan.known import UNKNOWN, Known, Late, LateObject

NAMES = Names(("github", "needs", "matrix"), {})
KNOWN = Known(
    {
        "github": {"ref": "main"},
        "needs": {"a": LateObject({"result": "success", "outputs": UNKNOWN}, [])},
        "inputs": LateObject({"x": 1}, ["Y"]),
        "matrix": UNKNOWN,
    }
)


@pytest.mark.parametrize(
    ("source", "late"),
    [
        ("github.ref", False),
        ("needs.a.result", False),
        ("needs.A.Result", False),
        ("needs.A.Outputs.x", True),
        ("toJSON(needs)", True),
        ("toJSON(needs.a.outputs)", True),
        ("join(needs.*.outputs.*)", True),
        ("needs.*.result", False),
        ("needs['a'].result", False),
        ("needs[matrix.x]", True),
        ("inputs.X", False),
        ("inputs.y", True),
        ("toJSON(inputs)", True),
        ("matrix.os || github.ref", True),
        ("github.ref == 'x' && matrix.os", False),
        ("github.ref == 'main' || matrix.os", False),
        ("contains(matrix, 'x')", False),
        ("contains(matrix.*, 'x')", True),
        ("case(github.ref == 'main', 1, matrix.os)", False),
        ("(", False),
    ],
)
def test_what_is_late(source, late):
    assert is_late(Expression(source)) is late
    assert is_late(Sequence((Literal("x"), Expression(source)))) is late
    assert is_late(Mapping(((Literal("x"), Expression(source)),))) is late


def is_late(token: Token) -> bool:
    try:
        KNOWN.value(token)
    except Late:
        return True
    except ExpressionError:
        return False
    return False


@pytest.mark.parametrize("use", [len, list, bool, lambda late: [*late.values()]])
def test_an_object_with_unknown_parts_can_be_read_by_name_only(use):
    with pytest.raises(Late):
        use(UNKNOWN)


def test_text_is_the_value_or_the_expression():
    assert KNOWN.text(None) == ""
    assert KNOWN.text(Expression("github.ref")) == "main"
    assert KNOWN.text(Expression("matrix.os")) == "${{ matrix.os }}"
    assert KNOWN.text(Expression("fromJSON('x')")) == "${{ fromJSON('x') }}"
    assert KNOWN.also(matrix={}).text(Literal(value=2.0)) == "2"


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


@settings(deadline=None)
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
