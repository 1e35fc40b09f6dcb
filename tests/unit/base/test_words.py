"""Slips of the keyboard: what is common to two words, and the nearest of many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trunkline.base.words import ALIKE, did_you_mean, nearest

WORDS = st.text(alphabet="abcd\u00e9", max_size=9)


def common(one: str, other: str) -> int:
    """Return the length of the longest common subsequence, by its table."""
    row = [0] * (len(other) + 1)
    for letter in one:
        before = 0
        for place, its in enumerate(other):
            above = row[place + 1]
            row[place + 1] = before + 1 if letter == its else max(above, row[place])
            before = above
    return row[-1]


@given(WORDS, st.lists(WORDS, max_size=4))
def test_the_nearest_word_has_most_letters_in_common(word, known):
    rated = [(2 * common(word, other) / ((len(word) + len(other)) or 1), other) for other in known]
    likeness, other = max(rated, default=(0.0, ""))
    assert nearest(word, known) == (other if likeness >= ALIKE else None)


def test_case_is_no_slip():
    assert did_you_mean("UBUNTU-latset", ["windows-latest", "ubuntu-latest"]) == (
        "Did you mean 'ubuntu-latest'?"
    )
    assert did_you_mean("x", ["windows-latest"]) == ""
