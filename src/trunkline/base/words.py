"""The nearest right word for a slip of the keyboard."""

from __future__ import annotations

from collections.abc import Iterable

# How much of two words must be the same letters in the same order.
ALIKE = 0.7


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the word of `known` that `word` was most likely meant to be, or None."""
    meant = word.lower()
    rated = ((_likeness(meant, name.lower()), name) for name in known)
    likeness, name = max(rated, default=(0.0, ""))
    return name if likeness >= ALIKE else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the word of `known` that was meant, '' when none is near."""
    meant = nearest(word, known)
    return f"Did you mean '{meant}'?" if meant is not None else ""


def _likeness(one: str, other: str) -> float:
    """Return the share of both words that is common to them, letters in order: 0 to 1."""
    row = [0] * (len(other) + 1)
    for letter in one:
        before = 0
        for place, its in enumerate(other):
            above = row[place + 1]
            row[place + 1] = before + 1 if letter == its else max(above, row[place])
            before = above
    return 2 * row[-1] / ((len(one) + len(other)) or 1)
