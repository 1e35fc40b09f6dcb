"""Listings of tags and repositories, page by page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.image_stores import push_blob, push_image
from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.registries.memory import MemoryImageStore
from trunkline.oci.pages import Page
from trunkline.services.registry import listings
from trunkline.services.registry.registry import Registry

MANY = 2 * listings.AT_ONCE + 3


def registry() -> Registry:
    clock = FakeClock()
    return Registry(store=MemoryImageStore(clock, FakeIds()), clock=clock)


def all_pages(page_after: Callable[[str], Page[str]]) -> list[str]:
    """Return what a client gets that follows every link."""
    seen: list[str] = []
    page = page_after("")
    seen += page.items
    while page.has_more:
        page = page_after(page.items[-1])
        seen += page.items
    return seen


@given(st.lists(st.text("abAB", min_size=1, max_size=3), unique=True), st.integers(1, 4))
def test_all_pages_together_are_the_tags(names: list[str], size: int) -> None:
    asked = registry()
    push_image(asked.store, *names)
    found = all_pages(lambda last: listings.tags(asked, "team/app", size, last))
    assert found == sorted(names)


@pytest.mark.parametrize("size", [1, listings.AT_ONCE, MANY, MANY + 1])
def test_pages_have_only_repositories_that_may_be_read(size: int) -> None:
    asked = registry()
    names = [f"r{number:05}" for number in range(MANY)]
    for name in names:
        push_blob(asked.store, b"x", name)
    few = {names[0], names[listings.AT_ONCE], names[-1]}
    for readable, expected in ((few.__contains__, sorted(few)), (None, names)):
        if size > 1 or readable is not None:
            found = all_pages(
                lambda last, readable=readable: listings.repositories(asked, size, last, readable)  # type: ignore[misc]
            )
            assert found == expected
    assert listings.repositories(asked, None).items == tuple(names)
    assert listings.repositories(asked, 0) == Page(())
