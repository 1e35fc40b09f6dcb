"""The documentation tells the truth where a machine can see it: the tree, the options, the links."""

from __future__ import annotations

import functools
import re
import shlex
import sys
from pathlib import Path

import pytest

from docs import generate

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?:\$ |    (?:\$ )?)?(?:\.venv/bin/)?(trunkline .*)$", re.MULTILINE)
WORDS = (
    "workflow job step action runner-label matrix-leg run attempt artifact cache environment release "
    "deployment promotion gate digest sandbox agent journal diagnostic conclusion"
)


def commands(page: Path) -> list[list[str]]:
    """Return the `trunkline` commands that a page tells its reader to type."""
    found = COMMAND.findall(page.read_text(encoding="utf-8"))
    return [shlex.split(command.split(" | ")[0], comments=True) for command in found]


@functools.cache
def help_of(verb: str) -> str:
    return generate.help_of(verb)


def between(page: Path, mark: str) -> str:
    text = page.read_text(encoding="utf-8")
    return text.partition(f"<!-- {mark} -->\n")[2].partition(f"<!-- /{mark} -->")[0]


def test_the_tree_is_the_tree_of_the_source():
    assert between(generate.ARCHITECTURE, "tree") == generate.modules(), "run `make docs`"


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="argparse lays its help out anew")
def test_the_command_line_page_is_what_help_says():
    assert between(generate.COMMAND_LINE, "help") == generate.help_pages(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_can_be_typed(page):
    for _, verb, *arguments in commands(page):
        if verb.startswith("-"):
            continue
        assert verb in generate.verbs(), f"trunkline {verb}"
        options = [each.partition("=")[0] for each in arguments if each.startswith("-")]
        unknown = [each for each in options if not re.search(rf"(?<![\w-]){each}\b", help_of(verb))]
        assert not unknown, f"trunkline {verb} {' '.join(arguments)}"


def test_every_page_can_be_reached_from_the_readme():
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.is_file():
            continue
        reached.add(page)
        targets = LINK.findall(page.read_text(encoding="utf-8"))
        waiting += [(page.parent / target).resolve() for target in targets if "://" not in target]
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def test_the_glossary_defines_every_word_once():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    defined = re.findall(r"^\*\*([^*]+)\*\*", text, flags=re.MULTILINE)
    assert len(defined) == len(set(defined))
    assert {word.replace("-", " ") for word in WORDS.split()} <= set(defined)
    assert defined == sorted(defined, key=str.lower)
