"""Files and command lines that are wrong: one clear message with its place, exit 2, never a traceback."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.commands import Place, assert_no_traceback, missing
from tests.repositories import repository

HELLO = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo hello\n"
DISPATCH = """
on:
  workflow_dispatch:
    inputs:
      stage: {type: choice, options: [dev, prod], required: true}
      count: {type: number}
jobs:
  a: {runs-on: ubuntu-latest, steps: [run: 'echo "${{ inputs.stage }} ${{ inputs.count }}"']}
"""


class Wrong(NamedTuple):
    """A workflow file, the command line, and lines of the answer in their order."""

    workflow: str | bytes
    args: tuple[str, ...]
    says: tuple[str, ...]


CASES = {
    "not YAML": Wrong(
        "on: push\njobs:\n  a: [\n",
        (),
        (".github/workflows/ci.yml:4:1: error: …",),
    ),
    "not a workflow": Wrong(
        "hello\n", (), (".github/workflows/ci.yml:1:1: error: Unexpected value 'hello'",)
    ),
    "empty": Wrong("", (), (".github/workflows/ci.yml:1:1: error: …", "…empty…")),
    "binary": Wrong(
        b"\0\1\xff\xfe", (), (".github/workflows/ci.yml:1:3: error: The file is not UTF-8 text",)
    ),
    "too large, cut within a character": Wrong(
        HELLO + "#" + "\u20ac" * 3_000_000,
        (),
        ("…error: The maximum file size of 1048576 characters has been exceeded",),
    ),
    "unknown key": Wrong(
        HELLO.replace("runs-on", "runs-om"),
        (),
        (
            ".github/workflows/ci.yml:4:5: error: Unexpected value 'runs-om'",
            "  4 |     runs-om: ubuntu-latest",
            "    |     ^",
            "…Did you mean 'runs-on'?",
        ),
    ),
    "several mistakes": Wrong(
        HELLO.replace("run:", "ruin:").replace("push", "pusch"),
        (),
        (".github/workflows/ci.yml:1:5: error: …pusch…", ".github/workflows/ci.yml:6:9: error: …"),
    ),
    "bad expression": Wrong(
        HELLO.replace("hello", "${{ github.sha == }}"),
        (),
        (".github/workflows/ci.yml:6:14: error: Unexpected end of expression: …",),
    ),
    "expression that never closes": Wrong(
        HELLO.replace("hello", "${{ github.sha"),
        (),
        (".github/workflows/ci.yml:6:14: error: The expression is not closed. …",),
    ),
    "cycle of needs": Wrong(
        "on: push\njobs:\n"
        "  a: {runs-on: ubuntu-latest, steps: [run: a]}\n"
        "  b: {needs: [a, c], runs-on: ubuntu-latest, steps: [run: b]}\n"
        "  c: {needs: b, runs-on: ubuntu-latest, steps: [run: c]}\n",
        (),
        (".github/workflows/ci.yml:4:…: error: …",),
    ),
    "needs nobody": Wrong(
        HELLO.replace("runs-on", "needs: nobody\n    runs-on"),
        (),
        (
            "….yml:3:3: error: The workflow must contain at least one job with no dependencies.",
            "…Job 'a' needs 'nobody', which is no job of this workflow.",
        ),
    ),
    "needs somebody else": Wrong(
        HELLO.replace("a:", "build:")
        + "  b: {needs: biuld, runs-on: ubuntu-latest, steps: [run: b]}\n",
        (),
        (
            "….yml:7:14: error: Job 'b' depends on unknown job 'biuld'.",
            "…Did you mean 'build'?",
        ),
    ),
    "bad matrix": Wrong(
        HELLO.replace("runs-on", "strategy: {matrix: {v: []}}\n    runs-on"),
        (),
        (".github/workflows/ci.yml:4:28: error: Matrix vector 'v' does not contain any values",),
    ),
    "missing required input": Wrong(
        DISPATCH,
        ("workflow_dispatch",),
        (
            ".github/workflows/ci.yml:5:7: error: Required input 'stage' not provided",
            "…--input stage=VALUE (dev, prod).",
        ),
    ),
    "wrong inputs": Wrong(
        DISPATCH,
        ("workflow_dispatch", "--input", "stage=live", "--input", "count=many"),
        (
            "….yml:5:7: error: Provided value 'live' for input 'stage' not in the list of …",
            "….yml:6:7: error: Provided value 'many' for input 'count' is not a number",
        ),
    ),
    "unknown input": Wrong(
        DISPATCH,
        ("workflow_dispatch", "--input", "stage=dev", "--input", "stag=x"),
        ("trunkline: Unexpected inputs provided: [stag]",),
    ),
    "unknown event": Wrong(
        HELLO,
        ("pul_request",),
        ("trunkline: Unknown event 'pul_request'", "  Did you mean 'pull_request'?"),
    ),
    "unknown job": Wrong(HELLO, ("-j", "b"), ("trunkline: There is no job 'b'…", "…a…")),
    "no such workflow": Wrong(HELLO, ("-W", "none.yml"), ("trunkline: …none.yml…",)),
    "no such folder": Wrong(HELLO, ("-C", "none"), ("trunkline: …none…",)),
    "no such payload": Wrong(HELLO, ("-e", "none.json"), ("trunkline: …none.json…",)),
    "payload that is no JSON": Wrong(
        HELLO, ("-e", ".github/workflows/ci.yml"), ("trunkline: …is not JSON…",)
    ),
    "no pair": Wrong(HELLO, ("--env", "X"), ("trunkline: 'X' is not --env K=V.",)),
    "secret from nowhere": Wrong(HELLO, ("-s", "NOPE"), ("trunkline: The secret NOPE …",)),
    "no such file of secrets": Wrong(HELLO, ("--secret-file", "none"), ("trunkline: …none.",)),
    "unknown option": Wrong(HELLO, ("--nope",), ("trunkline run: error: …--nope",)),
    "no runner": Wrong(HELLO.replace("ubuntu-latest", "windows-latest"), (), ("…windows-latest…",)),
    "no owner and name": Wrong(
        HELLO, ("--repository", "x"), ("trunkline: 'x' is not OWNER/NAME.",)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told(name: str, place: Place) -> None:
    wrong = CASES[name]
    root = repository(place.root / "demo", {"readme": ""})
    path = root / ".github/workflows/ci.yml"
    path.parent.mkdir(parents=True)
    data = wrong.workflow if isinstance(wrong.workflow, bytes) else wrong.workflow.encode()
    path.write_bytes(data)
    done = place.run("run", "--plain", *wrong.args, cwd=root)
    assert done.code == 2, done.text
    assert not missing(wrong.says, done.text.splitlines()), done.text
    assert_no_traceback(done)
    if wrong.args or not isinstance(wrong.workflow, str):
        return
    linted = place.run("lint", cwd=root)
    assert linted.code == (0 if name == "no runner" else 2), linted.text
    assert_no_traceback(linted)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("rn",), "Did you mean `trunkline run`?"),
        (("nothing-like-it",), "`trunkline --help` lists them."),
        (("show", "123"), "There are no runs yet."),
        (("logs", "latest"), "There are no runs yet."),
        (("cancel",), "There are no runs yet."),
    ],
)
def test_verbs_that_can_not_be(args: tuple[str, ...], says: str, place: Place) -> None:
    done = place.run(*args)
    assert done.code == 2
    assert says in done.err
    assert_no_traceback(done)


def test_nothing_is_triggered_and_the_filter_is_named(place: Place) -> None:
    workflow = HELLO.replace("on: push", "on:\n  push:\n    branches: [release/*]")
    root = repository(place.root / "demo", {".github/workflows/ci.yml": workflow})
    done = place.run("run", "--plain", cwd=root)
    assert done.code == 0
    assert "main" in done.text
    assert "branches" in done.text
    assert place.runs() == []


def test_a_folder_without_workflows(place: Place) -> None:
    root = repository(place.root / "demo", {"readme": ""})
    done = place.run("run", "--plain", cwd=root)
    assert done.code == 2
    assert ".github/workflows" in done.err
