"""Paths of folders that a container has in other places than its job."""

from __future__ import annotations

from collections.abc import Iterable

# Folders as (where it is, where it is wanted).
Mounts = tuple[tuple[str, str], ...]


def moved(value: str, mounts: Iterable[tuple[str, str]]) -> str:
    """Return a value with the path of a mounted folder, or one below it, as the other side has it.

    The longest folder counts; a value that is no such path stays (reference section 3.12).
    """
    fitting = [pair for pair in mounts if value == pair[0] or value.startswith(f"{pair[0]}/")]
    if not fitting:
        return value
    here, there = max(fitting, key=lambda pair: len(pair[0]))
    return there + value[len(here) :]


def turned(mounts: Mounts) -> Mounts:
    """Return the way back."""
    return tuple((there, here) for here, there in mounts)
