"""How many arguments each built-in function takes (reference section 2.4)."""

from __future__ import annotations

import msgspec

_MANY = 255


class Arity(msgspec.Struct, frozen=True):
    """The least and the greatest number of arguments; `odd` when an even number is wrong."""

    least: int
    most: int
    odd: bool = False


# Names are lower case.
BUILTIN_ARITY: dict[str, Arity] = {
    "case": Arity(3, _MANY, odd=True),
    "contains": Arity(2, 2),
    "endswith": Arity(2, 2),
    "format": Arity(1, _MANY),
    "fromjson": Arity(1, 1),
    "join": Arity(1, 2),
    "startswith": Arity(2, 2),
    "tojson": Arity(1, 1),
}
