"""Pages of listings: at most `n` names of those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a listing; there is more of it when `has_more`."""

    items: tuple[T, ...]
    has_more: bool = False


def page_of(names: Sequence[str], limit: int | None) -> Page[str]:
    """Return the first `names`, at most `limit` (None: all).

    A limit of 0 gives an empty page without more (specification, listing tags).
    """
    if limit is None or len(names) <= limit:
        return Page(tuple(names))
    return Page(tuple(names[:limit]), has_more=limit > 0)
