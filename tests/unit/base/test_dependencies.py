"""What can start in a graph of dependencies."""

from __future__ import annotations

import pytest

from trunkline.base.dependencies import unmet


@pytest.mark.parametrize(
    ("needs", "left"),
    [
        ({}, {}),
        ({"a": set(), "b": {"a"}, "c": {"a", "b"}}, {}),
        ({"a": {"a"}}, {"a": {"a"}}),
        ({"a": {"b"}, "b": {"a"}, "c": {"b"}, "d": set()}, {"a": {"b"}, "b": {"a"}, "c": {"b"}}),
        ({"a": set(), "b": {"a", "nobody"}}, {"b": {"nobody"}}),
    ],
)
def test_what_never_ends_is_left(needs, left):
    before = {name: set(wanted) for name, wanted in needs.items()}
    assert unmet(needs) == left
    assert needs == before


def test_a_long_chain_in_the_wrong_order_is_quick():
    assert unmet({f"j{n}": {f"j{n - 1}"} if n else set() for n in reversed(range(100_000))}) == {}
