"""Pages of listings: the names after `last`, at most `n` of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a listing; there is more of it when `has_more`."""

    items: tuple[T, ...]
    has_more: bool = False


def page_of(names: Sequence[str], limit: int | None, last: str = "") -> Page[str]:
    """Return the sorted `names` that follow `last`, at most `limit` (None: all).

    A limit of 0 gives an empty page without more (specification, listing tags).
    """
    rest = [name for name in names if name > last] if last else list(names)
    if limit is None or len(rest) <= limit:
        return Page(tuple(rest))
    return Page(tuple(rest[:limit]), has_more=limit > 0)
