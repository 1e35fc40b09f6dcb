"""Runs real actions' own files from clones, and compares them with the native ones.

    python -m tests.real.actions_run DIR [--only NAME] [--write FILE]

DIR holds clones as `owner/name`, with their tags; an action or a tag that is not there is told and
left out.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.real.actions_cases import CASES, Case
from tests.real.runs import Outcome, report, run
from tests.real.surroundings import surroundings
from tests.repositories import commit, git, repository

SCENARIOS = Path(__file__).parent / "actions"
MARK = "real-actions"
# What some actions ask of the repository, by REST.
SETTINGS = {
    ".github/labeler.yml": "docs: [{changed-files: [{any-glob-to-any-file: docs/**}]}]\n",
    ".github/release-drafter.yml": "template: $CHANGES\ntag-template: v$RESOLVED_VERSION\n",
}
HEADING = ["action", "version", "its own files", "natively", "the same outputs"]
USES = re.compile(r"uses: ([\w.-]+/[\w.-]+)(?:/[\w.-]+)*@([\w.-]+)")
OUTPUT = re.compile(r"^(?:.*?\| )?OUT (.*)$", re.MULTILINE)
ERROR = re.compile(r"##\[error\](.*)")

# The second commit's, as Dependabot writes it.
MESSAGE = """build(deps): bump tool from 1.0.0 to 1.1.0

Bumps tool from 1.0.0 to 1.1.0.

---
updated-dependencies:
- dependency-name: tool
  dependency-version: 1.1.0
  dependency-type: direct:production
  update-type: version-update:semver-minor
...

Signed-off-by: dependabot[bot] <support@github.com>
"""


class Absent(Exception):
    """A clone, or a tag in it, that is not there."""


class Trees:
    """The files of actions at tags, unpacked from clones as GitHub's archives are."""

    def __init__(self, clones: Path, scratch: Path) -> None:
        self._clones = clones
        self._scratch = scratch

    def get(self, action: str, tag: str) -> Path:
        """Return the folder with an action's files. Raises Absent."""
        folder = self._scratch / "trees" / f"{action}@{tag}"
        if not folder.is_dir():
            clone = self._clones / action
            argv = ["git", "-C", str(clone), "archive", tag]
            done = subprocess.run(argv, check=False, capture_output=True)
            if done.returncode:
                raise Absent(f"there is no clone of {action} with the tag {tag}")
            with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
                files.extractall(folder, filter="tar")
        return folder


def demo(folder: Path, workflow: str, event: str) -> None:
    """Make a repository of two commits with a tag and a workflow; a pull request has a branch."""
    repository(folder, {"a.txt": "one\n", **SETTINGS})
    git(folder, "remote", "add", "origin", "https://github.com/octo/demo")
    git(folder, "tag", "v1")
    if event == "pull_request":
        git(folder, "switch", "--quiet", "--create=dependabot/pip/tool-1.1.0")
    files = {".github/workflows/ci.yml": workflow, "docs/page.md": "# A page\n"}
    commit(folder, files, MESSAGE)


def flags_of(case: Case, workflow: str, trees: Trees) -> list[str]:
    """Return the options by which every action of a workflow comes from a clone. Raises Absent."""
    used = dict.fromkeys(USES.findall(workflow))
    exact = [f"{action}@{tag}={trees.get(action, tag)}" for action, tag in used]
    nested = [spec.partition("@") for spec in case.nested]
    whole = [f"{action}={trees.get(action, tag)}" for action, _, tag in nested]
    return [f"--local-repository={each}" for each in exact + whole]


def tell(case: Case, outcome: Outcome) -> str:
    """Return how its own files ran; what should not be in bold, with the log's first error."""
    if outcome.code == 0:
        fine = case.elsewhere or not case.why_not
        return "run unmodified" if fine else "**run, though they should not**"
    if case.why_not and case.says in outcome.output:
        return f"no: {case.why_not}"
    errors = ERROR.findall(outcome.output)
    return f"**fail**: {errors[0][:100] if errors else f'exit code {outcome.code}'}"


def compare(real: list[str], native: list[str]) -> str:
    """Return whether two runs printed the same lines, and which they did not."""
    if real == native and native:
        return "yes"
    pairs = zip(real, native, strict=False)
    differing = [f"`{one}` for `{other}`" for one, other in pairs if one != other]
    return f"**no**: {'; '.join(differing)[:200] or 'some are missing'}"


def name_of(case: Case) -> str:
    return f"{case.action} ({case.what})" if case.what else case.action


def row(case: Case, version: str, trees: Trees, scratch: Path) -> list[str]:
    """Run a case with one version, as it is and natively; return a row. Raises Absent."""
    text = (SCENARIOS / f"{case.scenario}.yml").read_text(encoding="utf-8")
    workflow = text.replace("@VERSION", f"@{version}")
    place = scratch / f"{case.scenario}-{version}"
    flags = flags_of(case, workflow, trees)
    with surroundings(case.needs, scratch) as more:
        demo(place / "real", workflow, case.event)
        arguments = (case.event, *more)
        real = run(place / "real", (*arguments, "--no-native", *flags), place / "real.log")
        if not case.native:
            return [name_of(case), version, tell(case, real), "", ""]
        demo(place / "native", workflow, case.event)
        native = run(place / "native", (*arguments, *flags), place / "native.log")
    same = ""
    if not case.why_not:
        same = compare(OUTPUT.findall(real.output), OUTPUT.findall(native.output))
    natively = "runs" if native.code == 0 else f"**fails**: exit code {native.code}"
    return [name_of(case), version, tell(case, real), natively, same]


def rows_of(case: Case, trees: Trees, scratch: Path) -> list[list[str]]:
    """Return a case's rows, one for every version that is there."""
    if not case.scenario:
        return [[case.action, each, f"no: {case.why_not}", "", ""] for each in case.versions]
    rows = []
    for version in case.versions:
        print(f"running {case.action}@{version}", file=sys.stderr, flush=True)
        try:
            rows.append(row(case, version, trees, scratch))
        except Absent as error:
            print(f"left out: {error}", file=sys.stderr)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description="Run real actions' own files from clones.")
    parser.add_argument("actions", type=Path, metavar="DIR", help="the folder of the clones")
    parser.add_argument("--only", metavar="NAME", help="actions of this name alone")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into FILE")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="trunkline-actions-"))
    trees = Trees(arguments.actions, scratch)
    rows = []
    for case in CASES:
        if arguments.only is None or arguments.only in case.action:
            rows += rows_of(case, trees, scratch)
    return report(HEADING, rows, scratch, (arguments.write, MARK))


if __name__ == "__main__":
    sys.exit(main())
