"""Words for people: the nearest right one for a slip, numbers of things, text that stays in its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# How much of two words must be the same letters in the same order.
ALIKE = 0.7


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the word of `known` that `word` was most likely meant to be, or None."""
    meant = word.lower()
    places: dict[str, int] = {}
    for place, letter in enumerate(meant):
        places[letter] = places.get(letter, 0) | 1 << place
    rated = ((_likeness(places, len(meant), name.lower()), name) for name in known)
    likeness, name = max(rated, default=(0.0, ""))
    return name if likeness >= ALIKE else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the word of `known` that was meant, '' when none is near."""
    meant = nearest(word, known)
    return f"Did you mean '{meant}'?" if meant is not None else ""


def printable(text: str) -> str:
    """Return text without control characters: no line breaks, nothing that a terminal obeys."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def counted(number: int, word: str, words: str = "") -> str:
    """Return a number of things: `1 file`, `2 files`; `words` is a plural that has more than an s."""
    return f"{number} {word if number == 1 else words or f'{word}s'}"


def _likeness(places: Mapping[str, int], length: int, other: str) -> float:
    """Return the share of both words that is common to them, letters in order: 0 to 1.

    `places` has, for each letter of the first word, a bit for every place it stands at. A row of the
    table of common lengths is a number here, whose bits tell where the length does not grow, so that
    a letter of the other word costs a few operations (Hyyrö, "Bit-parallel LCS-length computation
    revisited", 2004).
    """
    whole = (1 << length) - 1
    row = whole
    for letter in other:
        met = row & places.get(letter, 0)
        row = (row + met | row - met) & whole
    return 2 * (length - row.bit_count()) / ((length + len(other)) or 1)
