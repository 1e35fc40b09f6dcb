"""Where blocks lie in an upload's file: never over each other, and where they belong when that is told."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.uploads.layout import Layout, Numbering, Piece
from trunkline.ports.uploads import TooLarge

LIMIT = 60


def test_places_lie_one_behind_the_other():
    layout = Layout(LIMIT)
    assert [layout.reserve(5), layout.reserve(7)] == [Piece(0, 5), Piece(5, 7)]


def test_content_goes_where_it_is_expected():
    layout = Layout(LIMIT)
    assert layout.reserve(10, 20) == Piece(20, 10)
    assert layout.reserve(10, 0) == Piece(0, 10)
    assert layout.reserve(10, 10) == Piece(10, 10)


@pytest.mark.parametrize("expected", [5, 0, 9, -1, LIMIT - 4, 1 << 60])
def test_but_not_where_something_is(expected: int):
    layout = Layout(LIMIT)
    layout.reserve(10, 0)
    assert layout.reserve(5, expected) == Piece(10, 5)


def test_what_is_kept_is_not_overwritten():
    layout = Layout(LIMIT, kept=20)
    assert layout.reserve(5, 0) == Piece(20, 5)
    with pytest.raises(TooLarge):
        layout.reserve(LIMIT - 24)


def test_a_place_that_is_free_again_counts_no_more():
    layout = Layout(10)
    for _ in range(3):
        layout.free(layout.reserve(10))
    assert layout.reserve(10) == Piece(0, 10)
    with pytest.raises(TooLarge):
        layout.reserve(1)


Step = st.tuples(st.integers(0, 8), st.none() | st.integers(-3, LIMIT), st.booleans())


@given(st.lists(Step, max_size=30))
def test_no_two_places_overlap(steps: list[tuple[int, int | None, bool]]):
    layout = Layout(LIMIT)
    held: list[Piece] = []
    for length, expected, frees in steps:
        if frees and held:
            layout.free(held.pop(0))
            continue
        if sum(piece.length for piece in held) + length > LIMIT:
            with pytest.raises(TooLarge):
                layout.reserve(length, expected)
            continue
        held.append(layout.reserve(length, expected))
        covered = [byte for p in held for byte in range(p.offset, p.offset + p.length)]
        assert len(covered) == len(set(covered))


def block(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_ids_of_azures_client_tell_the_order():
    numbering = Numbering()
    prefix = "1e7fff60-6383-4dc2-a40e-7c2936220903"  # ends in digits, as some do
    assert numbering.expected(block(f"{prefix}000000000002"), 8) == 16
    assert numbering.expected(block(f"{prefix}000000000000"), 8) == 0
    assert numbering.expected(block(f"{prefix}000000000003"), 5) == 24  # the last is shorter
    assert numbering.expected(block(f"{prefix}000000000001"), 9) is None


@pytest.mark.parametrize("name", ["", "!", "YQ==", block("abc"), block("12345"), "é"])
def test_ids_that_tell_nothing(name: str):
    assert Numbering().expected(name, 8) is None
