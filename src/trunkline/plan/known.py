"""What can be said of expressions before a run: values where all is known, else the text itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import Function, evaluate_token
from trunkline.expr.template import Token
from trunkline.expr.values import to_text
from trunkline.expr.written import written


class Late(Exception):
    """An expression reads something that only the run can tell."""


class LateObject(dict[str, Any]):
    """An object of which some properties (or all, for None) are not known yet: reading one is `Late`.

    So `false && needs.a.outputs.x` is known, and `true && needs.a.outputs.x` is not.
    """

    def __init__(self, known: Mapping[str, Any], late: Iterable[str] | None = None) -> None:
        """Take the `known` properties, and the names of the `late` ones."""
        super().__init__({name.lower(): value for name, value in known.items()})
        self._late = None if late is None else frozenset(name.lower() for name in late)

    def __contains__(self, name: object) -> bool:
        """Tell whether a property is there; names ignore case. Raises Late."""
        key = str(name).lower()
        if self._late is None or key in self._late:
            raise Late
        return super().__contains__(key)

    def __getitem__(self, name: str) -> Any:
        """Return a property. Raises Late."""
        return super().__getitem__(name.lower()) if name in self else None

    def __iter__(self) -> Iterator[str]:
        """Raise Late: what is there at all is not known."""
        raise Late

    def __len__(self) -> int:
        """Raise Late."""
        raise Late

    def items(self) -> Any:
        """Raise Late."""
        raise Late

    def values(self) -> Any:
        """Raise Late."""
        raise Late


UNKNOWN = LateObject({})


class Known(msgspec.Struct, frozen=True):
    """Contexts as far as they are known; `LateObject`s stand in them for what is not."""

    contexts: Mapping[str, Any]
    functions: Mapping[str, Function] = {}

    def also(self, **contexts: Any) -> Known:
        """Return this with more contexts."""
        return Known({**self.contexts, **contexts}, self.functions)

    def value(self, token: Token) -> Any:
        """Return a token's value. Raises Late, ExpressionError."""
        return evaluate_token(token, self.contexts, self.functions)

    def text(self, token: Token | None) -> str:
        """Return a token as text for people: its value, or its expression where that is late."""
        if token is None:
            return ""
        try:
            return to_text(self.value(token))
        except (Late, ExpressionError):
            return written(token)
