"""Errors are told in whole sentences, wherever they are raised."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import trunkline

PACKAGE = Path(trunkline.__file__).parent
ERRORS = {"NotFound", "Unavailable", "UsageError", "Conflict", "Corrupt"}
# What these raise are often the words of Docker, of git, of the machine.
OTHERS_WORDS = PACKAGE / "adapters"
# What stands for a part of a message that is known late.
LATE = "\0"


def text_of(node: ast.expr) -> str:
    """Return a message as far as it is written down."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else LATE


def told() -> Iterator[tuple[str, str]]:
    """Yield (place, text) of every message and hint of an error."""
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(OTHERS_WORDS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name in ERRORS:
                    given = node.args[:1] + [each.value for each in node.keywords]
                    for each in given:
                        yield f"{path.relative_to(PACKAGE)}:{node.lineno}", text_of(each)
                case _:
                    continue


def is_sentence(text: str) -> bool:
    """Tell whether a text begins and ends as a sentence; a command to type is one too."""
    return text.startswith("pip install") or (
        not text[0].islower() and text.endswith((".", "?", "...", LATE))
    )


def test_messages_and_hints_are_sentences():
    found = list(told())
    assert len(found) > 50
    for place, text in found:
        assert not text or is_sentence(text), place
