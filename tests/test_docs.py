"""The documentation tells the truth where a machine can see it: the tree, the options, the links."""

from __future__ import annotations

import functools
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from docs import generate
from tests.commands import Place

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?:\$ |    (?:\$ )?)?(?:\.venv/bin/)?(trunkline .*)$", re.MULTILINE)
OUTPUT = re.compile(r'set_output\(\s*"([\w-]+)"')
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


@functools.cache
def parts() -> list[tuple[Path, str, str]]:
    return list(generate.parts())


def between(page: Path, mark: str) -> str:
    text = page.read_text(encoding="utf-8")
    return text.partition(f"<!-- {mark} -->\n")[2].partition(f"<!-- /{mark} -->")[0]


def test_the_tree_is_the_tree_of_the_source():
    assert between(generate.ARCHITECTURE, "tree") == generate.modules(), "run `make docs`"


@pytest.mark.parametrize(
    "mark", ["events", "forecasts", "views", "artifacts", "caches", "images", "native"]
)
def test_what_is_generated_is_up_to_date(mark):
    page, text = next((page, text) for page, name, text in parts() if name == mark)
    assert between(page, mark) == text, "run `make docs`"


def test_every_output_of_a_built_in_action_is_told():
    folder = generate.SOURCE / "trunkline" / "adapters"
    # What buildspecs are lowered to has outputs too, but no workflow names it.
    files = [path for path in folder.rglob("*.py") if path.parent.name != "codebuild"]
    sources = [path.read_text(encoding="utf-8") for path in files]
    outputs = {name for text in sources for name in OUTPUT.findall(text)}
    told = generate.NATIVE_ACTIONS.read_text(encoding="utf-8")
    assert "python-version" in outputs
    assert {name for name in outputs if f"`{name}`" not in told} == set()


def test_what_plan_and_lint_print_is_what_the_page_tells(tmp_path):
    place = Place(tmp_path / "user")
    workflows = tmp_path / "repository" / ".github" / "workflows"
    workflows.mkdir(parents=True)
    wrong = workflows / "wrong.yml"
    wrong.write_text("on: push\njobs: {}\n")
    (workflows / "ci.yml").write_text(
        "on: push\njobs: {one: {runs-on: ubuntu-latest, steps: [run: echo]}}\n"
    )
    page = generate.JSON_OUTPUT.read_text(encoding="utf-8")
    plan = json.loads(place.run("plan", "--json", "-C", str(workflows.parents[1])).out)
    found = json.loads(place.run("lint", "--format", "json", str(wrong)).out)
    workflow = next(each for each in plan["workflows"] if each["started"])
    names = {*plan, *workflow, *found[0], *(key for each in plan["workflows"] for key in each)}
    assert {name for name in names if f"`{name}`" not in page} == set()


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
