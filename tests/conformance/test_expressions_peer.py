"""Generated expressions, evaluated here and by GitHub's npm package @actions/expressions.

Where the two differ on purpose GitHub's runner decides; docs/reference/expressions.md lists these places
with their reasons. The generators stay clear of them, and `test_the_differences_are_still_there` tells
when the package changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.conformance.node_peer import NodePeer
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate
from trunkline.expr.numbers import format_number
from trunkline.expr.values import Value

pytestmark = pytest.mark.registry
PACKAGE = "@actions/expressions@0.3.61"
EXAMPLES = settings(derandomize=True, deadline=None)


@pytest.fixture(scope="module")
def peer() -> Iterator[NodePeer]:
    found = NodePeer("expressions_peer.mjs", PACKAGE)
    yield found
    found.close()


# Texts that mean something to a comparison; what only one side takes for a number is left out.
TEXTS = st.one_of(
    st.text(alphabet="aAzZ01 .-_éÉ\n", max_size=5),
    st.sampled_from(["", "0x1F", " 0o17 ", "1e3", "-.5", "5.", "NaN", "Infinity", "true", "it's"]),
)
NUMBERS = st.integers(-1000, 1000) | st.sampled_from([0.5, -0.25, 1e9, 0.1, 123456.789])
PRIMITIVES = st.none() | st.booleans() | NUMBERS | TEXTS
NAMES = st.sampled_from(["a", "A", "b", "list", "Object", "n1", "true", "x y", ""])
VALUES: st.SearchStrategy[Any] = st.recursive(
    PRIMITIVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
# Two names that differ in case are one to the runner, and to the package too: not in one object.
CONTEXTS = st.fixed_dictionaries({"ctx": VALUES, "Other": VALUES}).filter(
    lambda contexts: not _has_twins(contexts)
)


def _has_twins(value: Any) -> bool:
    if isinstance(value, dict):
        folded = {name.lower() for name in value}
        return len(folded) < len(value) or any(map(_has_twins, value.values()))
    return isinstance(value, list) and any(map(_has_twins, value))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _written(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return json.dumps(value)


def _extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    comparisons = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    operators = comparisons | st.sampled_from(["&&", "||"])
    limits = st.sampled_from(["NaN", "Infinity", "-Infinity"])
    functions = st.sampled_from(["contains", "startsWith", "ENDSWITH", "join"])
    dereferences = st.sampled_from([".a", ".*", "['B']", "[*]", "[0]", "[1]", ".list", ".Object"])
    return st.one_of(
        st.builds("{} {} {}".format, inner, operators, inner),
        st.builds("({} {} {})".format, inner, comparisons, limits),
        st.builds("({})".format, inner),
        st.builds("!({})".format, inner),
        st.builds("({}){}".format, inner, dereferences),
        st.builds("ctx{}{}".format, dereferences, dereferences),
        st.builds("ctx[{}]".format, inner),
        st.builds("{}({}, {})".format, functions, inner, inner),
        st.builds("join({})".format, inner),
        st.builds("toJSON({})".format, inner),
        st.builds("format('<{{0}}{{{{{{1}}', {}, {})".format, inner, inner),
        st.builds("case(({}) == 1, {}, {})".format, inner, inner, inner),
        VALUES.filter(lambda value: not _has_twins(value)).map(
            lambda value: f"fromJSON({_quoted(json.dumps(value))})"
        ),
    )


EXPRESSIONS = st.recursive(
    PRIMITIVES.map(_written) | st.sampled_from(["ctx", "OTHER"]),
    _extended,
    max_leaves=8,
)


def _plain(value: Any) -> Any:
    """Return one of our values in the peer's form: numbers as text, objects as pairs."""
    if isinstance(value, bool | str | None):
        return value
    if isinstance(value, int | float):
        return {"number": format_number(value)}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return {"object": [[name, _plain(each)] for name, each in value.items()]}


def _same_numbers(value: Any) -> Any:
    """Return an answer of the peer with its numbers as we write them."""
    if isinstance(value, list):
        return [_same_numbers(each) for each in value]
    if isinstance(value, dict) and "number" in value:
        return {"number": format_number(float(value["number"]))}
    if isinstance(value, dict):
        return {"object": [[name, _same_numbers(each)] for name, each in value["object"]]}
    return value


@EXAMPLES
@given(expression=EXPRESSIONS, contexts=CONTEXTS)
def test_values_are_the_same(peer, expression, contexts):
    answer = peer.ask({"expression": expression, "contexts": contexts})
    assert "value" in answer, answer
    assert _plain(evaluate(expression, contexts)) == _same_numbers(answer["value"])


@EXAMPLES
@given(
    pattern=st.lists(
        st.sampled_from(["{", "}", "{{", "}}", "{0}", "{1}", "{2}", "a", " ", "1"])
    ).map("".join)
)
def test_format_is_the_same(peer, pattern):
    # The package takes anything between the number and the brace.
    assume(not re.search(r"\{[0-9]+[^0-9}]", pattern))
    expression = f"format('{pattern}', 'x', 'y')"
    answer = peer.ask({"expression": expression, "contexts": {}})
    try:
        ours: dict[str, Value] = {"value": evaluate(expression, {})}
    except ExpressionError as error:
        ours = {"stage": error.kind, "message": error.message}
    assert ours == answer


WORDS = st.sampled_from(
    [
        *("ctx", "other", "nope", "null", "1", "-1.5", "'x'", ".", ".a", "[", "]", "(", ")", ","),
        *("*", "!", "&&", "||", "==", "<", "join(", "toJSON(", "nope(", " ", "=", '"x"', "'", "&"),
        *("1x", ".5", "#"),
    ]
)


@EXAMPLES
@given(words=st.lists(WORDS, max_size=9))
def test_the_same_texts_are_refused(peer, words):
    expression = " ".join(words)
    # The package takes a comma before the closing parenthesis.
    assume(not re.search(r",\s*\)", expression))
    contexts: dict[str, Value] = {"ctx": {"a": [1]}, "other": "x"}
    answer = peer.ask({"expression": expression, "contexts": contexts})
    try:
        evaluate(expression, contexts)
        ours = ""
    except ExpressionError as error:
        ours = error.message
    assert bool(ours) == ("message" in answer), (ours, answer)


@pytest.mark.parametrize(
    ("expression", "ours", "theirs"),
    [
        # Numbers become text with 15 significant digits.
        ("format('{0}', 1e21)", "1E+21", "1e+21"),
        ("format('{0}', 1e15)", "1E+15", "1000000000000000"),
        ("format('{0}', 1e-7)", "1E-07", "1e-7"),
        # Only what .NET reads is a number; hexadecimal digits fill 32 bits.
        ("'0b1' == 1", False, True),
        ("'0xFFFFFFFF' == -1", True, False),
        ("'infinity' == Infinity", True, False),
        # A letter has one capital or none.
        ("'ß' == 'SS'", False, True),
        # Every doubled quote is one.
        ("'a''b''c'", "a'b'c", "a'b''c"),
        # JSON is read leniently.
        ("join(fromJSON('[1,2,]'))", "1,2", None),
        ("toJSON(NaN)", "NaN", "null"),
        # Arguments are evaluated when they are needed.
        ("case(true, 1, fromJSON('x'))", {"number": "1"}, None),
        ("format('x', fromJSON('y'))", "x", None),
        ("'x' == ctx[fromJSON('y')]", False, None),
        # Format specifiers are refused, and so is a comma without an argument.
        ("format('{0:x}', 1)", None, "1"),
        ("join('a',)", None, "a"),
    ],
)
def test_the_differences_are_still_there(peer, expression, ours, theirs):
    contexts: dict[str, Value] = {"ctx": "text"}
    answer = peer.ask({"expression": expression, "contexts": contexts})
    assert answer.get("value") == theirs, answer
    try:
        assert _plain(evaluate(expression, contexts)) == ours
    except ExpressionError:
        assert ours is None


@pytest.mark.parametrize(
    ("expression", "ours", "theirs"),
    [
        # Mistakes are told in the order of the text; the end is told by the last token.
        ('nope == "x"', "Unrecognized named-value: 'nope'", "Unexpected symbol: '\"x\"'"),
        ("ctx.", "Unexpected end of expression: '.'", "Unexpected symbol: 'EOF'"),
        # An argument has a number up to 255.
        ("format('{256}', 1)", "The following format string is invalid", "The following format"),
    ],
)
def test_the_words_still_differ(peer, expression, ours, theirs):
    answer = peer.ask({"expression": expression, "contexts": {"ctx": "text"}})
    assert answer["message"].startswith(theirs)
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, {"ctx": "text"})
    assert caught.value.message.startswith(ours)
    assert answer["message"] != caught.value.message
