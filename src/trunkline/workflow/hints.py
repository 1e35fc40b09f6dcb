"""What to do about a mistake: the nearest right word, and slips that are seen often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trunkline.base.words import nearest
from trunkline.workflow.shapes import Keys, Shape

MERGE = "GitHub knows no merge keys: repeat the entries, or alias a whole value."
_FEW = 6


def for_value(written: str, shape: Shape) -> str:
    """Say which word was meant, or which few words there are."""
    close = nearest(written, shape.words) if shape.words else None
    if close is not None:
        return f"Did you mean '{close}'?"
    if shape.words and len(shape.words) <= _FEW and not shape.string:
        return f"It may be {listed(shape.words)}."
    if shape.boolean and not shape.string:
        return "It may be true or false, without quotes."
    if shape.number and not shape.string:
        return "It must be a number, without quotes."
    if shape.string and not written:
        return "It may not be empty."
    return ""


def meant_key(name: str, candidates: Sequence[Keys]) -> str | None:
    """Return the known key that an unknown one was meant to be, or None."""
    return nearest(name, dict.fromkeys(key for keys in candidates for key in keys.known))


def for_key(name: str, meant: str | None, shape: Shape, candidates: Sequence[Keys]) -> str:
    """Say what an unknown key was meant to be, or why it can't stand here."""
    elsewhere = [keys for keys in shape.keys if name in keys.known]
    if elsewhere:
        here = listed(candidates[0].required) if candidates[0].required else "the keys around it"
        return f"'{name}' does not go together with {here}."
    if meant is not None:
        return f"Did you mean '{meant}'?"
    known = [key for keys in candidates for key in keys.known]
    return f"It may be {listed(known)}." if 0 < len(known) <= _FEW else ""


def listed(words: Iterable[str]) -> str:
    """Return words as a phrase: 'a', 'b' or 'c'."""
    *most, last = [f"'{word}'" for word in words]
    return f"{', '.join(most)} or {last}" if most else last
