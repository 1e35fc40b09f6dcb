"""The built-in actions as a table: versions, and which inputs have an effect."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from textwrap import fill
from types import ModuleType

from trunkline.adapters.actions import NATIVE
from trunkline.app.adapter_table import load

ACTIONS = "trunkline.adapters.actions"
# Steps that a buildspec is lowered to: no workflow names them.
OWN = "trunkline/"


def table() -> str:
    """Return a section for every built-in action."""
    shown = ((name, entry) for name, entry in sorted(NATIVE.items()) if not name.startswith(OWN))
    return "\n" + "\n".join(_section(name, entry) for name, entry in shown) + "\n"


def _section(name: str, entry: str) -> str:
    action = load(entry)
    oldest, newest = (action.describe(action, ref) for ref in ("v0", "v9999"))
    reasons = {
        key: reason
        for key, reason in _without_effect(entry.partition(":")[0]).items()
        if key in action.inputs
    }
    taken = ", ".join(f"`{key}`" for key in sorted(action.inputs - set(reasons)))
    versions = oldest if oldest == newest else f"{oldest} to {newest}"
    text = fill(f"Behaves as {versions}. Inputs: {taken}.", 120, break_on_hyphens=False)
    lines = [f"### {name}", "", text]
    if reasons:
        lines += ["", "Without effect:", ""]
        lines += [f"- `{key}`: {reason}" for key, reason in sorted(reasons.items())]
    return "\n".join(lines) + "\n"


def _without_effect(module: str) -> dict[str, str]:
    """Return why inputs have no effect, from the tables of an action's modules."""
    found: dict[str, str] = {}
    for each in _modules(module):
        for name, value in vars(each).items():
            if re.fullmatch(r"_?UNSUPPORTED", name) and isinstance(value, dict):
                found |= value
    return found


def _modules(name: str) -> Iterator[ModuleType]:
    """Yield an action's module, and those it brought of its own package."""
    yield sys.modules[name]
    package = name.rpartition(".")[0]
    if package != ACTIONS:
        yield from (each for key, each in sorted(sys.modules.items()) if key.startswith(package))
