"""Whatever the text: a value or GitHub's error, never a crash, never a hang."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from trunkline.expr.check import check
from trunkline.expr.condition import condition
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate, evaluate_text
from trunkline.expr.glob import Glob
from trunkline.expr.hashing import parse_patterns
from trunkline.expr.parse import parse
from trunkline.expr.references import references
from trunkline.expr.text import Names, compile_text
from trunkline.expr.to_json import write_json
from trunkline.expr.tree import to_source
from trunkline.expr.values import Value, kind

CONTEXTS: dict[str, Value] = {"x": {"A": [1, {"a": None}], "b": "B"}, "y": "text"}
NAMES = Names(tuple(CONTEXTS), {"always": (0, 0)})

PIECES = st.sampled_from(
    [
        *(
            "x",
            "y",
            ".a",
            ".*",
            "[*]",
            "[0]",
            "['b']",
            "'",
            "''",
            "(",
            ")",
            "[",
            "]",
            ",",
            ".",
            "*",
        ),
        *("!", "&&", "||", "==", "!=", "<", ">=", " ", "\n", "1", "-0x1F", "1e400", "null", "true"),
        *(
            "NaN",
            "format(",
            "'{0}'",
            "join(",
            "toJSON(",
            "fromJSON(",
            "contains(",
            "case(",
            "always(",
        ),
        *("\x00", "\x1c", "é", "😀", "\ud800", "${{", "}}", "'{'", "'[1,'"),
    ]
)
SOURCES = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60)


@given(SOURCES)
def test_any_text_gives_a_value_or_an_error(source):
    with contextlib.suppress(ExpressionError):
        value = evaluate(source, CONTEXTS, {"always": lambda _: True})
        assert kind(value) in {"Null", "Boolean", "Number", "String", "Array", "Object"}
        write_json(value, len)


@given(SOURCES)
def test_a_tree_is_parsed_from_its_own_text(source):
    with contextlib.suppress(ExpressionError):
        tree = parse(source)
        shown = to_source(tree)
        assert to_source(parse(shown)) == shown


@given(SOURCES)
def test_what_passes_the_check_evaluates_without_unknown_names(source):
    with contextlib.suppress(ExpressionError):
        check(source, *NAMES)
        references(source)
        try:
            evaluate(source, CONTEXTS, {"always": lambda _: True})
        except ExpressionError as error:
            assert error.kind == "evaluation"  # noqa: PT017  # either outcome is fine


@given(SOURCES)
def test_a_condition_is_an_expression_again(source):
    with contextlib.suppress(ExpressionError):
        parse(condition(source))


@given(SOURCES)
def test_any_scalar_compiles_or_is_refused(text):
    with contextlib.suppress(ExpressionError):
        token = compile_text(text, NAMES)
        evaluate_text(token, CONTEXTS)


GLOBS = st.text(alphabet="a*?[]!^-\\/:.#~ b\n", max_size=14)


@given(st.lists(GLOBS, max_size=4), st.text(alphabet="ab/[]*.\n", max_size=12))
def test_any_pattern_matches_or_is_refused(patterns, path):
    with contextlib.suppress(ExpressionError):
        found = parse_patterns(patterns, "/root", "/home")
        found.match("/root/" + path)
        found.may_hold("/root/" + path)
        assert all(start.startswith("/") for start in found.search_paths)


def test_stars_do_not_explode():
    long = "a" * 250
    assert not Glob("/" + "*a" * 100 + "b").matches(["", long])
    assert not Glob("/" + "**/a/" * 50 + "b").matches(["", *("a" * 200)])
