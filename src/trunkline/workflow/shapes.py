"""What a value in a file may look like: the words in which the schemas are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

ANY = "any"
FILLED = "filled"


class Keys(msgspec.Struct):
    """One kind of mapping: its known keys, those it needs, and what other keys may hold.

    `filled_keys`: the keys a user names may not be empty; `lenient`: GitHub ignores unknown keys.
    """

    known: dict[str, Shape]
    required: tuple[str, ...] = ()
    loose: Shape | None = None
    filled_keys: bool = True
    lenient: bool = False


class Shape(msgspec.Struct):
    """What a value may be; several kinds at once where GitHub says `one-of`.

    `string` is '' (none), ANY or FILLED (not empty); `words` are the only strings allowed.
    `contexts` are the contexts and functions an expression may use here and below;
    `condition` marks an `if` (`raw`: without GitHub's `success() && ...`).
    """

    null: bool = False
    boolean: bool = False
    number: bool = False
    string: str = ""
    words: tuple[str, ...] = ()
    items: Shape | None = None
    keys: tuple[Keys, ...] = ()
    contexts: tuple[str, ...] = ()
    condition: str = ""


def text(*contexts: str) -> Shape:
    """Return any string; other scalars are turned into strings."""
    return Shape(string=ANY, contexts=contexts)


def filled(*contexts: str) -> Shape:
    """Return a string that is not empty."""
    return Shape(string=FILLED, contexts=contexts)


def word(*words: str) -> Shape:
    """Return one of the given words."""
    return Shape(words=words)


def boolean(*contexts: str) -> Shape:
    """Return true or false."""
    return Shape(boolean=True, contexts=contexts)


def number(*contexts: str) -> Shape:
    """Return a number."""
    return Shape(number=True, contexts=contexts)


def scalar(*contexts: str) -> Shape:
    """Return a string, a boolean or a number."""
    return Shape(boolean=True, number=True, string=ANY, contexts=contexts)


def condition(*contexts: str, raw: bool = False) -> Shape:
    """Return an `if`."""
    return Shape(string=ANY, contexts=contexts, condition="raw" if raw else "status")


def sequence(items: Shape, *contexts: str) -> Shape:
    """Return a list."""
    return Shape(items=items, contexts=contexts)


def some(items: Shape, *contexts: str) -> Shape:
    """Return one string or a list of them."""
    return Shape(string=items.string, words=items.words, items=items, contexts=contexts)


def mapping(
    known: Mapping[str, Shape], required: Iterable[str] = (), contexts: tuple[str, ...] = ()
) -> Shape:
    """Return a mapping with known keys."""
    return Shape(keys=(Keys(dict(known), tuple(required)),), contexts=contexts)


def table(values: Shape, *contexts: str) -> Shape:
    """Return a mapping whose keys the user names."""
    return Shape(keys=(Keys({}, (), values),), contexts=contexts)


def either(*shapes: Shape, contexts: tuple[str, ...] = ()) -> Shape:
    """Return a value that may have any of the shapes."""
    strings = {shape.string for shape in shapes if shape.string}
    return Shape(
        null=any(shape.null for shape in shapes),
        boolean=any(shape.boolean for shape in shapes),
        number=any(shape.number for shape in shapes),
        string=ANY if ANY in strings else "".join(strings),
        words=tuple(one for shape in shapes for one in shape.words),
        items=next((shape.items for shape in shapes if shape.items is not None), None),
        keys=tuple(keys for shape in shapes for keys in shape.keys),
        contexts=contexts,
    )


NOTHING = Shape(null=True)
ANYTHING = Shape(null=True, boolean=True, number=True, string=ANY)
ANYTHING.items = ANYTHING
ANYTHING.keys = (Keys({}, (), ANYTHING, filled_keys=False),)
