"""YAML as GitHub reads it: scalars, aliases, limits, and what is no YAML at all."""

from __future__ import annotations

import math

import pytest

from tests.unit.workflow.examples import SMALL, errors, valid
from tests.yardstick import in_yardsticks
from trunkline.document.limits import GITHUB, Limits
from trunkline.document.problems import TooMuch
from trunkline.document.scalars import Value
from trunkline.document.yaml import MappingNode, Node, ScalarNode, SequenceNode, load


def plain(node: Node) -> object:
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return {plain(key): plain(value) for key, value in node.entries}


def read(text: str) -> object:
    return plain(load(text, GITHUB))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("true", True),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("0", 0.0),
        ("012", 12.0),
        ("+7", 7.0),
        ("-7", -7.0),
        ("1_000", "1_000"),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        (".", "."),
        ("1e3", 1000.0),
        ("1e", "1e"),
        ("1e400", math.inf),
        ("0x1F", 31.0),
        ("0xFFFFFFFF", -1.0),
        ("0o17", 15.0),
        ("0o8", "0o8"),
        ("0b1", "0b1"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1:30", "1:30"),
        ("2001-12-14", "2001-12-14"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int 12", 12.0),
        ("!!float 1e1", 10.0),
        ("!!bool true", True),
        ("!!null ~", None),
        ("! 12", "12"),
    ],
)
def test_a_scalar_means_what_the_core_schema_says(written: str, value: Value) -> None:
    found = read(f"[{written}]" if written else "- ")
    assert found == [value]
    assert isinstance(found, list)
    assert type(found[0]) is type(value)


def test_not_a_number_is_a_number() -> None:
    found = read("[.nan]")
    assert isinstance(found, list)
    assert math.isnan(found[0])


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a: !!int x", "The value 'x' on line 1 and column 4 is invalid for the type", (1, 4)),
        ("a: !!int 1.5", "The value '1.5' on line 1 and column 4 is invalid for the type", (1, 4)),
        ("a: !!bool 1", "The value '1' on line 1 and column 4 is invalid for the type", (1, 4)),
        ("a: !!float 0x1", "The value '0x1' on line 1 and column 4 is invalid", (1, 4)),
        ("a: 0x1FFFFFFFF", "The value '0x1FFFFFFFF' on line 1 and column 4 is invalid", (1, 4)),
        ("a: !!int '3'", "The scalar style 'SingleQuoted' on line 1 and column 4 is not", (1, 4)),
        ("a: !!timestamp 2022-10-26", "Unexpected tag 'tag:yaml.org,2002:timestamp'", (1, 4)),
        ("a: !mine x", "Unexpected tag '!mine'", (1, 4)),
        ("a: *b", "Unknown anchor 'b'", (1, 4)),
        ("a: b: c", "Mapping values are not allowed in this context.", (1, 5)),
        ("a:\n\t- b", "While scanning for the next token, found character that cannot", (2, 1)),
        ("a: [b", "While parsing a flow sequence, did not find expected ',' or ']'.", (2, 1)),
        ("a: 'b", "While scanning a quoted scalar, found unexpected end of stream.", (1, 6)),
        ("a: b\n---\nc: d", "Expected stream end parse event", (2, 1)),
        ("", "Expected document start parse event", (1, 1)),
        ("# only this\n", "Expected document start parse event", (1, 1)),
        ("a: b\x00", "Control characters are not allowed.", (1, 5)),
        ("a: é\nb: \x07", "Control characters are not allowed.", (2, 4)),
    ],
)
def test_what_is_wrong_has_a_message_and_a_place(
    text: str, message: str, place: tuple[int, int]
) -> None:
    with pytest.raises(TooMuch) as caught:
        load(text, GITHUB)
    assert caught.value.message.startswith(message)
    assert caught.value.span == place


def test_keys_keep_their_order_and_repetitions() -> None:
    node = load("b: 1\na: 2\nb: 3\n", GITHUB)
    assert isinstance(node, MappingNode)
    assert [plain(key) for key, _ in node.entries] == ["b", "a", "b"]
    assert [key.span for key, _ in node.entries] == [(1, 1), (2, 1), (3, 1)]


def test_aliases_stand_for_scalars_sequences_and_mappings() -> None:
    text = "s: &s x\nl: &l [*s]\nm: &m {k: *l}\nagain: [*s, *l, *m]\n"
    assert read(text) == {
        "s": "x",
        "l": ["x"],
        "m": {"k": ["x"]},
        "again": ["x", ["x"], {"k": ["x"]}],
    }


def test_the_last_anchor_of_a_name_counts() -> None:
    assert read("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_an_alias_keeps_the_place_of_its_anchor() -> None:
    text = SMALL.replace("ubuntu-latest", "&os ''") + "  other:\n    runs-on: *os\n    steps: []\n"
    assert errors(text) == ["4:14 Unexpected value ''", "4:14 Unexpected value ''"]


def test_a_byte_order_mark_and_windows_lines_do_not_matter() -> None:
    assert valid("\ufeff" + SMALL.replace("\n", "\r\n")).jobs[0].id == "build"


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "Maximum YAML nodes exceeded"),
        ("a: &a [*a]", "Maximum YAML nodes exceeded"),
        ("a: &a {k: &b [*a]}", "Maximum YAML nodes exceeded"),
        ("[" * 500_000, "Maximum object depth exceeded"),
        ("{" * 500_000, "Maximum object depth exceeded"),
        ("- " * 500_000, "Maximum object depth exceeded"),
        ("? " * 300_000, "Maximum object depth exceeded"),
        ("[" * 30 + "&a " + "[" * 19 + "]" * 49 + "\n", ""),
        ("- &a " + "[" * 25 + "]" * 25 + "\n- " + "[" * 25 + "*a" + "]" * 25, "Maximum object"),
        ("- x\n" * 60_000, "Maximum YAML nodes exceeded"),
        ("x" * (1024 * 1024 + 1), "The maximum file size of 1048576 characters has been exceeded"),
    ],
    ids=lambda each: each[:12] if isinstance(each, str) else str(each),
)
def test_hostile_text_is_refused_at_once(text: str, message: str) -> None:
    def read() -> None:
        if message:
            with pytest.raises(TooMuch, match=message):
                load(text, GITHUB)
        else:
            load(text, GITHUB)

    assert in_yardsticks(read) < 40


def test_depth_and_nodes_have_limits_of_their_own() -> None:
    load("[[1]]", Limits(max_depth=2))
    with pytest.raises(TooMuch, match="depth"):
        load("[[[1]]]", Limits(max_depth=2))
    load("[1, 2]", Limits(max_nodes=4))
    with pytest.raises(TooMuch, match="nodes"):
        load("[1, 2, 3]", Limits(max_nodes=4))
