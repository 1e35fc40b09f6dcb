"""Lists in inputs of Docker's actions: csv-parse's rules, as its documentation and answers have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.toolkit.lists import RELAXED, STRICT, Dialect, parse_list, parse_records
from trunkline.ports.actions import ActionFailed

LINES = Dialect("#", infix=False, relaxed=True)
ANYWHERE = Dialect("#", relaxed=True)


@pytest.mark.parametrize(
    ("text", "dialect", "records"),
    [
        ("", STRICT, []),
        ("\n\na,b\r\nc\n", STRICT, [["a", "b"], ["c"]]),
        ("a,", STRICT, [["a", ""]]),
        ('type=match,"pattern=\\d{1,2}"', STRICT, [["type=match", "pattern=\\d{1,2}"]]),
        ('"a""b",c', STRICT, [['a"b', "c"]]),
        ('"a\nb",c', STRICT, [["a\nb", "c"]]),
        ('"",""', STRICT, [["", ""]]),
        ('d=a "good" one', RELAXED, [['d=a "good" one']]),
        ('"a"b,c', RELAXED, [['"a"b', "c"]]),
        ("a=b#c\n#d\ne", LINES, [["a=b#c"], ["e"]]),
        ("a,#c", LINES, [["a", "#c"]]),
        (" #x", LINES, [[" #x"]]),
        ("a=b#c\n#d\ne", ANYWHERE, [["a=b"], ["e"]]),
        ('"#a"#b', ANYWHERE, [["#a"]]),
        ("a,#c", ANYWHERE, [["a", ""]]),
        ('a="b,c"', Dialect(quotes=False), [['a="b', 'c"']]),
    ],
)
def test_records(text: str, dialect: Dialect, records: list[list[str]]) -> None:
    assert parse_records(text, dialect) == records


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'a\nb,x="c"',
            "Invalid Opening Quote: a quote is found on field 1 at line 2, value is ",
        ),
        ('"a"b', 'Invalid Closing Quote: got "b" at line 1 instead of delimiter'),
        ('a,"b\n', "Quote Not Closed: the parsing is finished with an opening quote at line 1"),
    ],
)
def test_quotes_where_they_may_not_be(text: str, message: str) -> None:
    with pytest.raises(ActionFailed) as failed:
        parse_records(text)
    assert str(failed.value).startswith(message)


def test_items() -> None:
    assert parse_list("linux/amd64, linux/arm64\nlinux/386,\n") == [
        "linux/amd64",
        "linux/arm64",
        "linux/386",
    ]
    assert parse_list("a=1,b=2\n c=3 \n", keep_commas=True) == ["a=1,b=2", "c=3"]
    # Quotes are gone before the commas between them are seen again.
    assert parse_list('type=raw,"value=a,b"', keep_commas=True) == ["type=raw,value=a,b"]


@given(st.lists(st.lists(st.text(alphabet='ab,"\n#', min_size=1), min_size=1), max_size=4))
def test_what_is_quoted_comes_back(records: list[list[str]]) -> None:
    text = "\n".join(
        ",".join('"' + field.replace('"', '""') + '"' for field in record) for record in records
    )
    assert parse_records(text) == records


@given(text=st.text(alphabet='a=,"\n#\r '), infix=st.booleans(), relaxed=st.booleans())
def test_any_text_is_read_or_refused(*, text: str, infix: bool, relaxed: bool) -> None:
    try:
        records = parse_records(text, Dialect("#", infix=infix, relaxed=relaxed))
    except ActionFailed:
        return
    assert all(records)
