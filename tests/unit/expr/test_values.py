"""Conversions and comparisons, as GitHub's engine makes them."""

from __future__ import annotations

import math

import pytest

from trunkline.expr.characters import compare, fold, utf16_length
from trunkline.expr.numbers import format_number, parse_number
from trunkline.expr.values import (
    CaseSensitive,
    FilteredArray,
    is_truthy,
    kind,
    loosely_equal,
    member,
    order,
    to_number,
    to_text,
)

NAN = math.nan
INFINITY = math.inf


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (1000.0, "1000"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333333"),
        (1e14, "100000000000000"),
        (1e15, "1E+15"),
        (123456789012345678, "1.23456789012346E+17"),
        (0.0001, "0.0001"),
        (0.00001, "1E-05"),
        (-2.5e-300, "-2.5E-300"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (NAN, "NaN"),
    ],
)
def test_numbers_become_text_with_fifteen_digits(number, text):
    assert format_number(number) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("\u2003\x85 ", 0),
        (" 12.50\n", 12.5),
        ("+3", 3),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("-1E-2", -0.01),
        ("1e999", INFINITY),
        ("0xFf", 255),
        ("0xFFFFFFFF", -1),
        ("0x80000000", -(2**31)),
        ("0o17", 15),
        ("0o37777777777", -1),
        ("0x" + "0" * 50 + "1", 1),
        ("Infinity", INFINITY),
        ("+infinity", INFINITY),
        ("-INFINITY", -INFINITY),
    ],
)
def test_text_becomes_a_number(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("x", "1 2", "1_000", "٣", "0x", "0X1F", "-0x1", "0o8", "0b1", ".", "1e", "+", "NaN"),
        *("0x100000000", "0x" + "f" * 5000, "\x1f1"),
    ],
)
def test_other_text_is_not_a_number(text):
    assert math.isnan(parse_number(text))


@pytest.mark.parametrize(
    ("value", "name", "text", "number", "truthy"),
    [
        (None, "Null", "", 0, False),
        (True, "Boolean", "true", 1, True),
        (False, "Boolean", "false", 0, False),
        (0, "Number", "0", 0, False),
        (2.5, "Number", "2.5", 2.5, True),
        ("", "String", "", 0, False),
        ("false", "String", "false", NAN, True),
        ([], "Array", "Array", NAN, True),
        (FilteredArray(), "Array", "Array", NAN, True),
        ({}, "Object", "Object", NAN, True),
        (CaseSensitive(), "Object", "Object", NAN, True),
        (NAN, "Number", "NaN", NAN, False),
    ],
)
def test_conversions(value, name, text, number, truthy):
    assert (kind(value), to_text(value), is_truthy(value)) == (name, text, truthy)
    assert to_number(value) == pytest.approx(number, nan_ok=True)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("Straße", "STRASSE", False),
        ("é", "É", True),
        ("µ", "\u039c", True),
        ("\u0131", "I", False),
        ("\u017f", "S", False),
        ("K", "k", True),
        (None, 0, True),
        (None, "", True),
        (None, False, True),
        (True, "1", True),
        (1, "1.0", True),
        ("abc", 0, False),
        (NAN, NAN, False),
        ([], "", False),
        ({}, None, False),
        ([1], [1], False),
    ],
)
def test_equality(left, right, equal):
    assert loosely_equal(left, right) is equal
    assert loosely_equal(right, left) is equal


def test_collections_equal_themselves():
    value = [1]
    assert loosely_equal(value, value)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("a", "B", -1),
        ("_", "a", 1),
        ("a", "A", 0),
        ("\uffff", "\U0001f600", 1),
        (False, True, -1),
        (None, 1, -1),
        ("2", 10, -1),
        ("2", "10", 1),
        ("x", 1, None),
        (None, None, None),
        ([], [], None),
        (NAN, NAN, None),
    ],
)
def test_order(left, right, expected):
    assert order(left, right) == expected


def test_members_ignore_case_unless_told_otherwise():
    assert member({"Path": 1, "PATH": 2}, "PATH") == (True, 2)
    assert member({"Path": 1}, "path") == (True, 1)
    assert member({"Path": None}, "path") == (True, None)
    assert member({"Path": 1}, "paths") == (False, None)
    assert member(CaseSensitive(Path=1), "path") == (False, None)
    assert member(CaseSensitive(Path=1), "Path") == (True, 1)


def test_text_is_measured_in_utf16():
    assert utf16_length("aé😀") == 4
    assert fold("aß😀") == "Aß😀"
    assert compare("A😀", "a😀") == 0
