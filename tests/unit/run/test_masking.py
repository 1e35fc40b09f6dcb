"""Secrets never show: all encodings, line by line, overlapping matches merged."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.run.encodings import encodings, token_values, trimmed_lines
from trunkline.run.masking import Masker


def masker(*values: str) -> Masker:
    found = Masker()
    found.add(values)
    return found


def test_nothing_is_masked_without_secrets():
    data = b"nothing to hide\n"
    assert Masker().mask(data) is data


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("hunter2", "hunter2"),
        ("hunter2", base64.b64encode(b"hunter2").decode()),
        ("hunter2", base64.b64encode(b"unter2").decode()),
        ("hunter2", base64.b64encode(b"nter2").decode()),
        ('say "friend"', 'say \\"friend\\"'),
        ("it's", "it''s"),
        ("tab\there\\", "tab\\there\\\\"),
        ("a b/c?d=ü", "a%20b%2Fc%3Fd%3D%C3%BC"),
        ("<a & 'b'>", "&lt;a &amp; &apos;b&apos;&gt;"),
        ('"quoted value"', "quoted value"),
        ("secretpart1&secretpart2&secretpart3", "secretpart1&secretpart2&"),
        ("secretpart1&secretpart2&secretpart3", "secretpart3"),
        ("secretpart1&+secretpart2&secretpart3", "secretpart1&+"),
        ("secretpart1&+secretpart2&secretpart3", "ecretpart2&secretpart3"),
    ],
)
def test_every_encoding_is_masked(secret, shown):
    assert masker(secret).mask(f"<{shown}>\n".encode()) == b"<***>\n"


def test_short_parts_around_an_ampersand_are_not_masked():
    assert encodings("ab&cd") == encodings("ab&cd") - {"ab&", "cd"}
    assert "abcde&" in encodings("abcde&fghij")
    assert "fghij" not in encodings("abcde&fghij")


def test_quotes_are_taken_off_long_values_only():
    assert "1234567" in encodings('"1234567"')
    assert "123456" not in encodings('"123456"')


def test_a_value_is_masked_line_by_line():
    found = masker("  first line\r\n\n second \n")
    assert found.mask(b"first line\n second\nsecond line\n") == b"***\n ***\n*** line\n"
    assert found.mask_text("x first line\r\n\n second y") == "x *** y"


def test_matches_that_overlap_or_touch_become_one():
    assert masker("abc", "cde").mask(b"-abcde-\n") == b"-***-\n"
    assert masker("abc", "def").mask(b"-abcdef-\n") == b"-***-\n"
    assert masker("abcdef", "cd").mask(b"-abcdef-cd-\n") == b"-***-***-\n"
    assert masker("a").mask(b"banana\n") == b"b***n***n***\n"


def test_values_can_be_masked_as_they_are():
    found = Masker()
    found.add([" x "], as_they_are=True)
    assert found.mask(b"-x- - x -\n") == b"-x- -***-\n"


def test_masks_are_added_while_lines_go_by():
    found = masker("one")
    assert found.mask(b"one two\n") == b"*** two\n"
    found.add(["two"])
    assert found.mask(b"one two\n") == b"*** ***\n"


def test_a_token_is_masked_as_git_sends_it():
    assert token_values("") == ()
    header = base64.b64encode(b"x-access-token:ghs_abc").decode()
    assert masker(*token_values("ghs_abc")).mask(f"basic {header}\n".encode()) == b"basic ***\n"


def test_secrets_that_are_no_utf_8():
    found = masker(b"\xff\xfe\xfd".decode("utf-8", "surrogateescape"))
    assert found.mask(b"a\xff\xfe\xfdb\n") == b"a***b\n"


def test_a_long_line_is_not_cut_inside_a_secret():
    found = masker("SECRETWORD")
    data = b"x" * 10 + b"SECRETWORD" + b"y" * 10
    assert found.safe_cut(data, 5) == 5
    assert found.safe_cut(data, 15) == 10
    assert found.safe_cut(data, 20) == 20


SECRETS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def masked_by_definition(forms: set[bytes], data: bytes) -> bytes:
    """Do what the reference says, step by step: collect, sort, merge, substitute."""
    hidden: set[int] = set()
    for form in forms:
        for start in range(len(data)):
            if data.startswith(form, start):
                hidden.update(range(start, start + len(form)))
    shown = b""
    for place, byte in enumerate(data):
        if place not in hidden:
            shown += bytes([byte])
        elif place - 1 not in hidden:
            shown += b"***"
    return shown


@given(st.lists(SECRETS, max_size=5), st.data())
def test_masking_is_what_the_reference_says(secrets, draw):
    lines = [line for line in trimmed_lines(secrets) if "\n" not in line]
    shown = sorted(form for line in lines for form in encodings(line) if "\n" not in form)
    pieces = st.lists(st.one_of(st.sampled_from([*shown, "*"]), st.text(max_size=3)), max_size=6)
    text = "".join(draw.draw(pieces)).encode("utf-8", "replace")
    whole = {form for line in trimmed_lines(secrets) for form in encodings(line)}
    forms = {form.encode() for form in whole if "\n" not in form}
    masked = masker(*secrets).mask(text)
    assert masked == masked_by_definition(forms, text)


@given(st.binary(), SECRETS)
def test_lines_stay_lines(data, secret):
    found = masker(secret)
    assert found.mask(data).count(b"\n") == data.count(b"\n")


@given(st.lists(SECRETS, max_size=6), st.binary())
def test_what_holds_no_secret_stays_as_it_is(secrets, data):
    found = masker(*secrets)
    forms = {form for line in trimmed_lines(secrets) for form in encodings(line)}
    if not any(form.encode() in data for form in forms):
        assert found.mask(data) is data


@given(SECRETS)
def test_json_and_uri_forms_are_those_of_others(secret):
    forms = encodings(secret)
    assert quote(secret, safe="-_.~") in forms
    if not {"\x85", "\u2028", "\u2029"} & set(secret):
        assert json.dumps(secret, ensure_ascii=False)[1:-1] in forms
