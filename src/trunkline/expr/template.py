"""Values as a workflow file writes them: literals, sequences, mappings and expressions.

A token is what GitHub calls a template token. What GitHub knows only late (a matrix, an `if`,
a runner label) stays a token in the plan and is evaluated when its contexts are known.
"""

from __future__ import annotations

import msgspec

from trunkline.base.spans import NOWHERE, Span


class Literal(msgspec.Struct, frozen=True, tag="literal"):
    """A scalar as written: null, boolean, number (always a float) or string."""

    value: bool | float | str | None
    span: Span = NOWHERE


class Expression(msgspec.Struct, frozen=True, tag="expression"):
    """An expression without its `${{ }}`; text with expressions in it is a `format(...)` call."""

    source: str
    span: Span = NOWHERE


class Sequence(msgspec.Struct, frozen=True, tag="sequence"):
    """A list of tokens."""

    items: tuple[Token, ...]
    span: Span = NOWHERE


class Insert(msgspec.Struct, frozen=True, tag="insert"):
    """The mapping key `${{ insert }}`: its value's entries join the mapping around it."""

    span: Span = NOWHERE


class Mapping(msgspec.Struct, frozen=True, tag="mapping"):
    """Keys and values in the order written; a key is a literal, an expression or an insert."""

    entries: tuple[tuple[Token, Token], ...]
    span: Span = NOWHERE

    def get(self, name: str) -> Token | None:
        """Return the value of the literal key `name` (exact case), or None."""
        for key, value in self.entries:
            if isinstance(key, Literal) and key.value == name:
                return value
        return None


Token = Literal | Expression | Sequence | Insert | Mapping
