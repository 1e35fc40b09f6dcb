"""Every kind of step in a job's container, on a real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import NEEDS_NODE, Done, Place, assert_no_traceback, missing
from tests.repositories import git, repository, write

CHECKOUT: dict[str, Any] = {"uses": "actions/checkout@v4"}
FILES = {
    "a.txt": "text\n",
    "m.json": '{"problemMatcher": [{"owner": "m", "pattern": [{"regexp": '
    '"^(.+):(\\\\d+): (.*)$", "file": 1, "line": 2, "message": 3}]}]}',
    "js/action.yml": "inputs: {who: {default: x}}\n"
    "runs: {using: node20, main: main.js, post: post.js}\n",
    "js/main.js": "console.log('js', process.env.INPUT_WHO, process.cwd());\n"
    "require('fs').appendFileSync(process.env.GITHUB_OUTPUT, 'k=v\\n');\n",
    "js/post.js": "console.log('post of js');\n",
    "comp/action.yml": "runs:\n  using: composite\n  steps:\n"
    "    - {shell: sh, run: 'echo composite in $GITHUB_ACTION_PATH'}\n",
}


def run(
    place: Place, steps: list[dict[str, Any]], files: dict[str, str], *args: str, **job: Any
) -> Done:
    """Run a workflow of one job, `test`, to its end."""
    root = place.root / "demo"
    whole = {"runs-on": "ubuntu-latest", "timeout-minutes": 5, **job, "steps": steps}
    text = yaml.safe_dump({"on": "push", "jobs": {"test": whole}}, sort_keys=False)
    repository(root, {".github/workflows/ci.yml": text, **files})
    done = place.run("run", "--plain", *args, cwd=root)
    assert_no_traceback(done)
    return done


def assert_says(done: Done, *wanted: str) -> None:
    lines = [line.rstrip() for line in done.out.splitlines()]
    absent = missing([f"test | {line}" for line in wanted], lines)
    assert not absent, "\n".join([*absent, "in:", *lines])


def test_scripts_and_what_they_leave(docked: Place, busybox_image: str):
    steps = [
        {
            "id": "one",
            "run": "echo A=1 >> $GITHUB_ENV; echo /opt/x >> $GITHUB_PATH\n"
            "echo o=2 >> $GITHUB_OUTPUT; echo '# Summary' >> $GITHUB_STEP_SUMMARY\n"
            "pwd; echo $HOME $RUNNER_TEMP $RUNNER_TOOL_CACHE $GITHUB_EVENT_PATH\n"
            "mkdir sub; echo content > sub/made.txt",
        },
        {
            "name": "after",
            "run": "echo $A ${{ steps.one.outputs.o }} $PATH ${{ github.workspace }}\n"
            "echo hash ${{ hashFiles('sub/*.txt') != '' }}\n"
            "head -c 20 $GITHUB_EVENT_PATH; pwd",
            "working-directory": "sub",
        },
        {"shell": "bash", "run": "echo never"},
    ]
    done = run(docked, steps, {}, container=busybox_image)
    assert done.code == 1, done.text
    assert_says(
        done,
        "shell: sh -e {0}",
        "/__w/demo/demo",
        "/github/home /__w/_temp /__t /github/workflow/event.json",
        "1 2 /opt/x:…bin… /__w/demo/demo",
        "hash true",
        "…/__w/demo/demo/sub",
        f"##[error]bash: command not found in the image '{busybox_image}'",
    )


@NEEDS_NODE
def test_actions_of_every_kind(docked: Place, debian_image: str):
    steps = [
        CHECKOUT,
        {"id": "js", "uses": "./js", "with": {"who": "Ada"}},
        {"uses": "./comp"},
        {
            "shell": "bash",
            "run": 'echo "::add-matcher::m.json"; echo "a.txt:3: look here"\n'
            'echo "js said ${{ steps.js.outputs.k }}"',
        },
        {"uses": "actions/upload-artifact@v4", "with": {"name": "art", "path": "a.txt"}},
        {"uses": "actions/download-artifact@v4", "with": {"name": "art", "path": "back"}},
        {"uses": "actions/cache@v4", "with": {"path": "cached", "key": "k1"}},
        {"run": "mkdir cached; echo kept > cached/f; cat back/a.txt"},
    ]
    done = run(docked, steps, FILES, container=debian_image)
    assert done.code == 0, done.text
    assert_says(
        done,
        "7 files as they are in …, uncommitted work included",
        "js Ada /__w/demo/demo",
        "composite in /__w/demo/demo/comp",
        "##[error]a.txt:3: look here",
        "js said v",
        "text",
        "Cache saved with key: k1",
        "post of js",
    )
    again = docked.run("run", "--plain", cwd=docked.root / "demo")
    assert again.code == 1, again.text  # mkdir: the folder came out of the cache
    assert_says(again, "Cache restored from key: k1")


@NEEDS_NODE
def test_an_image_that_node_can_not_run_in_is_told(docked: Place, busybox_image: str):
    done = run(docked, [CHECKOUT, {"uses": "./js"}], FILES, "--offline", container=busybox_image)
    assert done.code == 1, done.text
    assert "Node 20 does not run in the image" in done.text or "--offline was given" in done.text


def test_a_label_that_means_an_image(docked: Place, busybox_image: str):
    steps = [CHECKOUT, {"run": "cat a.txt; ls /.dockerenv"}]
    done = run(docked, steps, FILES, "-P", f"ubuntu-latest=docker:{busybox_image}")
    assert done.code == 0, done.text
    assert_says(done, f"Runner: … in the image '{busybox_image}'", "text", "/.dockerenv")


@pytest.mark.parametrize("depth", ["0", "1"])
def test_git_in_the_container_has_all_it_needs(docked: Place, debian_image: str, depth: str):
    """The image has no git: what was checked out is looked at afterwards, where it was kept."""
    steps = [
        {**CHECKOUT, "with": {"fetch-depth": depth}},
        {"run": "cat ~/.gitconfig; exit 1"},
    ]
    done = run(docked, steps, FILES, container=debian_image)
    assert_says(done, '\tdirectory = "/__w/demo/demo"')
    kept = done.out.partition("workspace of test kept: ")[2].splitlines()[0]
    assert git(Path(kept), "status", "--porcelain") == ""
    assert git(Path(kept), "fsck", "--full") == ""


def test_steps_of_a_container_that_never_was(docked: Place, absent_image: str):
    steps = [
        {"run": "echo never"},
        {"if": "always()", "run": "echo nowhere"},
    ]
    done = run(docked, steps, {}, container=absent_image)
    assert done.code == 1, done.text
    assert_says(
        done,
        "##[error]The job's container is not there: this step has no place to run in.",
        "Step …: Stop containers…",
    )
    assert "test | nowhere" not in done.out


def test_a_job_without_an_engine_fails_before_its_first_step(place: Place):
    write(place.root / "x", {})
    steps = [{"if": "always()", "run": "echo never"}]
    place.env["DOCKER_HOST"] = f"unix://{place.root}/nothing.sock"
    done = run(place, steps, {}, services={"db": {"image": "postgres"}})
    assert done.code == 1, done.text
    assert "Step 2: Complete job" in done.out
    assert "nothing.sock" in done.text
