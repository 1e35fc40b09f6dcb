"""Text as GitHub's engine sees it: UTF-16, its own white space, ordinal comparison without case."""

from __future__ import annotations

# The white space of .NET: Python's `str.isspace` adds U+001C to U+001F.
WHITESPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# The same as a piece of a regular expression; spelled out, the set takes milliseconds to compile.
SPACE = r"[^\S\x1c-\x1f]"

# Lower-case letters whose capital is plain ASCII: never equal to it in an ordinal comparison.
_KEEP = frozenset("\u0131\u017f")


def utf16_length(text: str) -> int:
    """Return how many UTF-16 units `text` takes: positions and sizes are counted in them."""
    if text.isascii():
        return len(text)
    return len(text) + sum(1 for char in text if char > "\uffff")


def fold(text: str) -> str:
    """Return `text` so that equal results mean "equal, ignoring case" (.NET OrdinalIgnoreCase).

    Each character is replaced by its single capital; those without one (like the German sharp s) stay.
    """
    if text.isascii():
        return text.upper()
    return "".join(map(_capital, text))


def _capital(char: str) -> str:
    capital = char.upper()
    return capital if len(capital) == 1 and char not in _KEEP else char


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1: the ordinal order of two texts, ignoring case, by UTF-16 unit."""
    left, right = fold(left), fold(right)
    if left == right:
        return 0
    if left.isascii() and right.isascii():
        return -1 if left < right else 1
    smaller = _units(left) < _units(right)
    return -1 if smaller else 1


def _units(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")
