"""What a step writes to its files: GitHub's format, errors and limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.run.step_files import (
    StepFileError,
    file_refusal,
    parse_key_values,
    parse_paths,
    refused_variable,
    summary_refusal,
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"a=1", [("a", "1")]),
        (b"a=1\nb=2\n", [("a", "1"), ("b", "2")]),
        (b"a=b=c\n", [("a", "b=c")]),
        (b"a=1<<2\n", [("a", "1<<2")]),
        (b"=v\n", [("", "v")]),
        (b"a=x\r\n", [("a", "x\r")]),
        (b"a<<EOF\none\ntwo\nEOF\n", [("a", "one\ntwo")]),
        (b"a<<EOF\none\nEOF", [("a", "one")]),
        (b"a<<EOF\nEOF\nb=1", [("a", ""), ("b", "1")]),
        (b"a<<EOF\n\nEOF\n", [("a", "")]),
        (b"a<<EOF\n\n\nEOF\n", [("a", "\n")]),
        (b"a<<E=F\nx\nE=F\n", [("a", "x")]),
        (b"a<<EOF\n EOF\nEOF \nEOF\n", [("a", " EOF\nEOF ")]),
        (b"\xef\xbb\xbfa=1\n", [("a", "1")]),
        ("a=\u00e4\n".encode("utf-16"), [("a", "\u00e4")]),
        (b"a=\xff\n", [("a", "\ufffd")]),
    ],
)
def test_pairs(data, expected):
    assert list(parse_key_values(data)) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"nothing\n", "Invalid format 'nothing'"),
        (
            b"<<EOF\n",
            "Invalid format '<<EOF'. Name must not be empty and delimiter must not be empty",
        ),
        (b"a<<\n", "Invalid format 'a<<'. Name must not be empty and delimiter must not be empty"),
        (b"a<<EOF\nx\n", "Invalid value. Matching delimiter not found 'EOF'"),
        (b"a<<EOF\n", "Invalid value. Matching delimiter not found 'EOF'"),
        (b"a<<EOF\nx", "Invalid value. EOF marker missing new line."),
        (b"a<<EOF\nx\nEOF\r\n", "Invalid value. Matching delimiter not found 'EOF'"),
    ],
)
def test_mistakes(data, message):
    with pytest.raises(StepFileError) as caught:
        list(parse_key_values(data))
    assert str(caught.value) == message


def test_pairs_before_a_mistake_count():
    found: dict[str, str] = {}
    with pytest.raises(StepFileError):
        found.update(parse_key_values(b"a=1\nb=2\nbad\nc=3\n"))
    assert found == {"a": "1", "b": "2"}


@given(st.binary())
def test_hostile_files_are_read_or_refused(data):
    try:
        pairs = list(parse_key_values(data))
    except StepFileError:
        return
    assert all("\n" not in name for name, _ in pairs)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="=<\n\ufeff"), min_size=1)
VALUES = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_what_the_toolkit_writes_is_read_back(pairs):
    delimiter = "ghadelimiter_0f1e2d3c"
    text = "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in pairs)
    assert list(parse_key_values(text.encode())) == pairs


def test_paths_are_lines():
    assert parse_paths(b"/a\n\n/b c\r\n/d") == ["/a", "/b c", "/d"]


def test_node_options_is_refused_in_any_case():
    assert (
        refused_variable("node_options")
        == "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command."
    )
    assert not refused_variable("NODE_OPTIONS_2")


def test_a_summary_that_is_too_large_is_refused_in_githubs_words():
    assert summary_refusal(1025 * 1024).startswith(
        "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got 1025k. "
    )


def test_another_file_that_is_too_large_is_refused_in_the_same_way():
    assert file_refusal("output", 1 << 30) == (
        "$GITHUB_OUTPUT supports content up to a size of 16384k, got 1048576k."
    )
