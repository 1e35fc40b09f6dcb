"""Dotenv files, as docker, GitHub and people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.adapters.dotenv import read
from trunkline.base.errors import TrunklineError, Unavailable, UsageError


@pytest.fixture
def variables(tmp_path):
    def of(text: str | bytes) -> dict[str, str]:
        file = tmp_path / ".env"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(str(file))

    return of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# comment\n\n  # more\n", {}),
        ("A=1", {"A": "1"}),
        ("A=1\nB=two words \n", {"A": "1", "B": "two words"}),
        ("export A=1\n export\tB = 2", {"A": "1", "B": "2"}),
        ("A=", {"A": ""}),
        ("A= # nothing", {"A": ""}),
        ("A=1 # one\nB=a#b", {"A": "1", "B": "a#b"}),
        ("A='x # $y \\n'", {"A": "x # $y \\n"}),
        ('A="x \\"y\\" \\n\\t\\\\ \\$z" # c', {"A": 'x "y" \n\t\\ $z'}),
        ("A='one\ntwo'\nB=3", {"A": "one\ntwo", "B": "3"}),
        ('A="-----BEGIN\nkey\n-----END"\n', {"A": "-----BEGIN\nkey\n-----END"}),
        ("A<<END\none\ntwo\nEND\nB=3", {"A": "one\ntwo", "B": "3"}),
        ("A<<END\nEND\nB=3", {"A": "", "B": "3"}),
        ("A=b=c\n", {"A": "b=c"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=1\r\nB='2'\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=ü", {"A": "ü"}),
        ("a.b-c=1", {"a.b-c": "1"}),
        ("A=$HOME ${B}", {"A": "$HOME ${B}"}),
    ],
)
def test_read(variables, text, expected):
    assert variables(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nnonsense\n", ":2: this is no NAME=value line"),
        ("A='x", ":1: the quote ' is not closed"),
        ('\n\nA="x\ny', ':3: the quote " is not closed'),
        ("A='x' y", ":1: something follows the closing quote '"),
        ("A<<END\nx", ":1: the delimiter 'END' is missing"),
        ("1A=x", ":1: this is no NAME=value line"),
        (b"A=\xff", "is not UTF-8 text"),
    ],
)
def test_refusals(variables, text, message):
    with pytest.raises(UsageError, match=message):
        variables(text)


def test_files_that_are_not_there(tmp_path):
    missing = str(tmp_path / "none")
    assert read(missing) == {}
    with pytest.raises(Unavailable, match="can't be read"):
        read(str(tmp_path))


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)


@settings(deadline=None)
@given(
    st.dictionaries(
        NAMES, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r'"))
    )
)
def test_single_quotes_keep_everything(tmp_path_factory, wanted):
    file = tmp_path_factory.mktemp("dotenv") / "f"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in wanted.items()), "utf-8")
    assert read(str(file)) == wanted


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_hostile_text_is_read_or_refused(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("dotenv") / "f"
    file.write_bytes(text.encode())
    told = str(file)
    try:
        read(str(file))
    except TrunklineError as error:
        told = error.message
    assert str(file) in told
