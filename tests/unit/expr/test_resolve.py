"""Tokens of a file to values: splices, inserts, keys, and where a mistake stands."""

from __future__ import annotations

import pytest

from trunkline.base.spans import Span
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate_text, evaluate_token
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Sequence, Token
from trunkline.expr.values import Value

OBJECT: Value = {"K": "v", "n": None}
CONTEXTS: dict[str, Value] = {"x": {"list": [1, [2]], "object": OBJECT, "text": "t", "none": None}}
HERE = Span(3, 7)


def text(value: str) -> Literal:
    return Literal(value)


def mapping(*entries: tuple[Token, Token]) -> Mapping:
    return Mapping(entries, HERE)


def refusal(token: Token) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        evaluate_token(token, CONTEXTS)
    return caught.value


def test_scalars_keep_their_kind():
    assert evaluate_token(Literal(1.5), CONTEXTS) == 1.5
    assert evaluate_token(Literal(None), CONTEXTS) is None
    assert evaluate_token(Expression("x.list"), CONTEXTS) == [1, [2]]


def test_an_item_that_is_an_array_is_spliced_one_level():
    token = Sequence((text("a"), Expression("x.list"), Sequence((Expression("x.list"),))))
    assert evaluate_token(token, CONTEXTS) == ["a", 1, [2], [1, [2]]]
    assert evaluate_token(Sequence((Expression("x.object"),)), CONTEXTS) == [OBJECT]


def test_keys_become_text():
    token = mapping((Expression("x.text"), text("1")), (Literal(2.0), Expression("x.list")))
    assert evaluate_token(token, CONTEXTS) == {"t": "1", "2": [1, [2]]}
    assert evaluate_token(mapping((Expression("x.none"), text("1"))), CONTEXTS) == {"": "1"}


def test_insert_joins_entries():
    token = mapping(
        (text("a"), text("1")),
        (Insert(), Expression("x.object")),
        (Insert(), mapping((text("b"), Expression("x.text")), (Insert(), mapping()))),
    )
    assert evaluate_token(token, CONTEXTS) == {"a": "1", "K": "v", "n": None, "b": "t"}


@pytest.mark.parametrize(
    ("token", "message", "span"),
    [
        (
            mapping((text("k"), text("")), (Literal("K", HERE), text(""))),
            "'K' is already defined",
            HERE,
        ),
        (
            mapping((text("k"), text("")), (Insert(), Expression("x.object", HERE))),
            "'K' is already defined",
            HERE,
        ),
        (mapping((Insert(), Expression("x.list", HERE))), "Expected a mapping", HERE),
        (mapping((Insert(), Literal("s", HERE))), "Expected a mapping", HERE),
        (mapping((Expression("x.list", HERE), text(""))), "A sequence was not expected", HERE),
        (
            Insert(HERE),
            "The expression directive 'insert' is not supported in this context",
            HERE,
        ),
        (
            Sequence((Expression("y", HERE),)),
            "Unrecognized named-value: 'y'. Located at position 1 within expression: y",
            HERE,
        ),
    ],
)
def test_mistakes_stand_where_the_token_stands(token, message, span):
    error = refusal(token)
    assert (error.message, error.span) == (message, span)


def test_results_have_a_depth_and_a_size():
    deep = Expression("fromJSON('" + "[" * 51 + "]" * 51 + "')", HERE)
    assert refusal(deep).message == "Maximum object depth exceeded"
    fine = Expression("fromJSON('" + "[" * 50 + "]" * 50 + "')")
    assert evaluate_token(fine, CONTEXTS)
    large: Value = {str(place): "x" * 1000 for place in range(6000)}
    with pytest.raises(ExpressionError, match="Maximum object size exceeded"):
        evaluate_token(Expression("large"), {"large": large})


def test_text_wants_a_scalar():
    assert evaluate_text(Literal(None), CONTEXTS) == ""
    assert evaluate_text(Literal(1000.0), CONTEXTS) == "1000"
    assert evaluate_text(Expression("x.text"), CONTEXTS) == "t"
    refused: dict[str, Token] = {
        "A sequence was not expected": Expression("x.list", HERE),
        "A mapping was not expected": mapping(),
    }
    for message, token in refused.items():
        with pytest.raises(ExpressionError) as caught:
            evaluate_text(token, CONTEXTS)
        assert (caught.value.message, caught.value.span) == (message, HERE)
