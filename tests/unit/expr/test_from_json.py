"""`fromJSON` takes what Newtonsoft's reader takes."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.expr.errors import ExpressionError
from trunkline.expr.from_json import from_json
from trunkline.expr.lenient_json import read_leniently


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        (" \u2003[1, 2 ] ", [1, 2]),
        ("[1,]", [1]),
        ("[1,,2]", [1, "", 2]),
        ("[,]", [""]),
        ("{'a': 'b'}", {"a": "b"}),
        ("{a: 1, $b_2: 2, é: 3}", {"a": 1, "$b_2": 2, "é": 3}),
        ('{"a":1,}', {"a": 1}),
        ('{"a":,}', {"a": ""}),
        ("{/* x */ a: 1 // y\n}", {"a": 1}),
        ("[1 /* x */, /*y*/ 2]", [1, 2]),
        ("[undefined, null]", ["", None]),
        ("undefined", ""),
        ("[NaN]", [math.nan]),
        ("[Infinity, -Infinity]", [math.inf, -math.inf]),
        ("true false", True),
        ('"x" trailing', "x"),
        ("{} }", {}),
        ("12,", 12),
        ("0x1F", 31),
        ("0xFFFFFFFFFFFFFFFF", -1),
        ("010", 8),
        ("-010", -10),
        ("1.", 1),
        (".5", 0.5),
        ("-.5e1", -5),
        ("1e999", math.inf),
        ("1" * 5000, math.inf),
        ("[-0, -0.0]", [0, -0.0]),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ('"\\u00e9\\/\\n\\\'"', "é/\n'"),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\ud83d x \\ude00"', "\ufffd x \ufffd"),
        ('"line\nbreak\ttab"', "line\nbreak\ttab"),
        ('"2020-01-01T00:00:00Z"', "2020-01-01T00:00:00Z"),
        ('{"a": 1, "b": 2, "A": 3}', {"a": 3, "b": 2}),
        ("{a: 1, A: 2}", {"a": 2}),
        ('[{"x": {"k": 1, "K": 2}}]', [{"x": {"k": 2}}]),
        # A comment that comes first is the value: so it is with GitHub.
        ("// note\n{}", " note"),
        ("/* note */ {}", " note "),
    ],
)
def test_values(text, value):
    # NaN differs from itself: compared as text, whole numbers whatever their Python type.
    assert json.dumps(_as_doubles(from_json(text))) == json.dumps(_as_doubles(value))


def _as_doubles(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_doubles(each) for each in value]
    if isinstance(value, dict):
        return {name: _as_doubles(each) for name, each in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "[", "{", "[1", "{a", "{a:", "{a:1", '"x', "'x\"", "]", "}", ")", "{]", "[}"),
        *("{a 1}", "{a: 1 b: 2}", "{,}", "[1 2]", "{-a: 1}", "nul", "truex", "true1", "n", "yes"),
        *("1x", "1a", "-", ".", "+1", "1-", "08", "0x", "0xg", "0x10000000000000000", "--1"),
        *('"\\x"', '"\\u12"', '"\\u12G4"', "/", "/ x", "/* x", "[1 // x", "new Date(1)"),
        *("{'a' /* x */ : 1}", "\ufeff1", "\ud800"),
    ],
)
def test_what_is_no_value_is_refused(text):
    with pytest.raises(ExpressionError) as caught:
        from_json(text)
    assert caught.value.message == "Error parsing fromJson"


@pytest.mark.parametrize("read", [from_json, read_leniently])
def test_nesting_ends_at_64(read):
    assert read("[" * 64 + "]" * 64)
    for text in ("[" * 65 + "]" * 65, "[" * 200_000, '{"a":' * 200_000, "[" * 65 + "]" * 65 + "x"):
        with pytest.raises(ExpressionError):
            read(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.from_regex(r"[a-z]{0,3}\Z"), inner),
    max_leaves=20,
)


@given(_JSON)
def test_both_readers_read_json_alike(value):
    text = json.dumps(value, ensure_ascii=False)
    expected = json.dumps(_as_doubles(value))
    assert json.dumps(_as_doubles(read_leniently(text))) == expected
    assert json.dumps(_as_doubles(from_json(text))) == expected


@given(st.text(alphabet="[]{}:,'\"\\u0aex1.-+/*\n tNn$", max_size=40))
def test_hostile_text_gives_a_value_or_the_error(text):
    with contextlib.suppress(ExpressionError):
        from_json(text)
