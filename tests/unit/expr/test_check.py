"""Names are checked in the whole tree, and the first mistake of the text is the one told."""

from __future__ import annotations

import pytest

from trunkline.expr.check import check
from trunkline.expr.errors import ExpressionError

CONTEXTS = ("github", "Env")
FUNCTIONS = {"always": (0, 0), "hashFiles": (1, 255), "success": (0, 2)}


@pytest.mark.parametrize(
    "source",
    [
        "",
        "github.ref && ENV.X",
        "HASHFILES('a', 'b') == ''",
        "always() || success('a', 'b')",
        "contains(GitHub.ref, 'x')",
        "true || github.x.y[github.z]",
    ],
)
def test_known_names_pass(source):
    check(source, CONTEXTS, FUNCTIONS)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("true || secrets.X", "Unrecognized named-value: 'secrets'. Located at position 9"),
        ("github[Steps.a]", "Unrecognized named-value: 'Steps'. Located at position 8"),
        ("failure()", "Unrecognized function: 'failure'. Located at position 1"),
        ("always(1)", "Too many parameters supplied: 'always'. Located at position 1"),
        ("hashFiles()", "Too few parameters supplied: 'hashFiles'. Located at position 1"),
        ("success(1, 2, 3)", "Too many parameters supplied: 'success'. Located at position 1"),
        # The first mistake of the text wins, whatever it is.
        ("nope(1, 2 a)", "Unrecognized function: 'nope'. Located at position 1"),
        ("contains(needs.x)", "Unrecognized named-value: 'needs'. Located at position 10"),
        ("join() && needs", "Too few parameters supplied: 'join'. Located at position 1"),
        ("github 2 && needs", "Unexpected symbol: '2'. Located at position 8"),
    ],
)
def test_the_first_mistake_is_told(source, message):
    with pytest.raises(ExpressionError) as caught:
        check(source, CONTEXTS, FUNCTIONS)
    assert caught.value.message == f"{message} within expression: {source}"
    assert caught.value.kind == "parsing"


def test_github_functions_are_unknown_where_the_caller_has_none():
    with pytest.raises(ExpressionError, match="Unrecognized function: 'success'"):
        check("success()", (), {})
