"""The tool cache as real set-up actions look into it, with @actions/tool-cache itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.acceptance.test_container_steps import assert_says
from tests.commands import Done, Place, assert_no_traceback
from tests.npm_packages import package
from tests.repositories import repository, write

pytestmark = pytest.mark.registry

MAJORS = ["2", "4"]
PYTHON = ".".join(str(part) for part in sys.version_info[:3])
# An action under a real one's name that looks where the real one does, and uses what it finds.
ACTION = """\
inputs:
  {input}: {{required: true}}
  packages: {{required: true}}
runs: {{using: node20, main: main.mjs}}
"""
MAIN = """\
import {{ execFileSync }} from 'node:child_process';
import fs from 'node:fs';
const {{ env }} = process;
if (env.AGENT_TOOLSDIRECTORY) env.RUNNER_TOOL_CACHE = env.AGENT_TOOLSDIRECTORY;
const lib = `${{env.INPUT_PACKAGES}}/node_modules/@actions/tool-cache/lib/tool-cache.js`;
const loaded = await import(lib);
const found = (loaded.default ?? loaded).find('{tool}', env['INPUT_{variable}'], '{arch}');
const place = found.replace(`${{env.RUNNER_TOOL_CACHE}}/`, '');
console.log('{tool}:', place || 'nothing', found && execFileSync(`${{found}}/{program}`,
  ['--version'], {{ encoding: 'utf8' }}).trim());
"""
TOOLS = {
    "actions/setup-python": ("python-version", "Python", "x64", "bin/python"),
    "actions/setup-node": ("node-version", "node", "x64", "bin/node"),
    "astral-sh/setup-uv": ("version", "uv", "x86_64", "uv"),
}


def run(place: Place, major: str, wanted: dict[str, str], env: str = "") -> Done:
    """Run a job with the actions that are wanted, of these versions."""
    packages = package("@actions/tool-cache", major)
    steps, args = "", ["run", "--plain", "--no-native", "--offline"]
    for name, version in wanted.items():
        entry, tool, arch, program = TOOLS[name]
        folder = place.root / tool
        form = {"variable": entry.upper(), "tool": tool, "arch": arch, "program": program}
        write(folder, {"action.yml": ACTION.format(input=entry), "main.mjs": MAIN.format(**form)})
        args += ["--local-repository", f"{name}@v1={folder}"]
        steps += f"      - uses: {name}@v1\n"
        steps += f"        with: {{{entry}: '{version}', packages: '{packages}'}}\n"
    steps += "      - run: echo untouched [$pythonLocation$npm_config_prefix]\n"
    job = f"    runs-on: ubuntu-latest\n{env}    steps:\n{steps}"
    root = repository(
        place.root / f"demo-{len(list(place.root.glob('demo-*')))}",
        {".github/workflows/ci.yml": f"on: push\njobs:\n  test:\n{job}", "package.json": "{}"},
    )
    done = place.run(*args, cwd=root)
    assert_no_traceback(done)
    return done


def make_uv(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("uv", "uvx"):
        (folder / name).write_text(f"#!/bin/sh\necho {name} 0.9.1\n", encoding="utf-8")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize("major", MAJORS)
def test_what_is_here_is_found(place: Place, major: str) -> None:
    make_uv(place.cache / "uv/0.9.1/bin")
    wanted = {
        "actions/setup-python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "actions/setup-node": "20.x",
        "astral-sh/setup-uv": "0.9.1",
    }
    done = run(place, major, wanted)
    assert done.code == 0, done.text
    assert_says(
        done,
        "Python: Python/3.…/x64 Python 3.…",
        "node: node/20.…/x64 v20.…",
        "uv: uv/0.9.1/x86_64 uv 0.9.1",
        "untouched []",
    )


def test_a_folder_of_the_user_s_own_counts_and_is_left_alone(place: Place) -> None:
    own = place.root / "own"
    make_uv(own / "uv/0.8.0/x86_64")
    (own / "uv/0.8.0/x86_64.complete").touch()
    make_uv(place.cache / "uv/0.9.1/bin")
    before = sorted(own.rglob("*"))
    env = f"    env: {{AGENT_TOOLSDIRECTORY: '{own}'}}\n"
    done = run(place, MAJORS[0], {"astral-sh/setup-uv": "0.8.0"}, env)
    assert_says(done, "uv: uv/0.8.0/x86_64 uv 0.9.1")
    done = run(place, MAJORS[0], {"astral-sh/setup-uv": "0.9.1"}, env)
    assert_says(done, "uv: nothing")
    assert sorted(own.rglob("*")) == before


def test_what_can_not_be_had_is_said(place: Place) -> None:
    done = run(place, MAJORS[0], {"actions/setup-node": "4.9.1"})
    assert done.code == 0, done.text
    assert_says(
        done, "The tool cache has nothing for actions/setup-node@v1: …", "node: nothing", "…"
    )
