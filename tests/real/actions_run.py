"""Runs real actions' own files from clones, and compares them with the native ones.

    python -m tests.real.actions_run DIR [--write FILE]

DIR holds clones as `owner/name`, each at the tag that is wanted; one that is not there is left out.
The docker command finds buildx in DOCKER_CONFIG's cli-plugins too, for builds.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import machine, table, write

SCENARIOS = Path(__file__).parent / "actions"
TRUNKLINE = Path(sysconfig.get_path("scripts"), "trunkline")
MARK = "real-actions"
HEADING = ["action", "its own files", "natively", "the same outputs"]
USES = re.compile(r"uses: ([\w.-]+/[\w.-]+)@v1")
OUTPUT = re.compile(r"^(?:.*?\| )?OUT (.*)$", re.MULTILINE)
AUTHOR = ("-c", "user.name=Mona", "-c", "user.email=mona@example.org", "-c", "commit.gpgSign=false")
PATIENCE = 300
# What a scenario needs besides.
FLAGS = {"build-push-action": ("--pass-env", "DOCKER_CONFIG")}


class Outcome(NamedTuple):
    """What a run came to: its exit code, what it printed, and the lines that are compared."""

    code: int
    text: str
    outputs: list[str]

    def tell(self) -> str:
        """Return how it went, a failure in bold with the first error of the log."""
        if self.code == 0:
            return "runs"
        errors = re.findall(r"##\[error\](.*)", self.text)
        return f"**fails**: {errors[0][:100] if errors else f'exit code {self.code}'}"


def git(folder: Path, *args: str) -> str:
    argv = ["git", "-C", str(folder), *AUTHOR, *args]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder: Path, text: str) -> None:
    """Make a repository of two commits with a tag and the workflow `text`."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", "https://github.com/octo/demo")
    (folder / "a.txt").write_text("one\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=first")
    git(folder, "tag", "v1")
    workflow = folder / ".github/workflows/ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(text, encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=second")


def run(folder: Path, log: Path, *flags: str) -> Outcome:
    """Run the workflow, writing what is printed to `log`."""
    argv = [str(TRUNKLINE), "run", "push", "--plain", *flags]
    with log.open("wb") as sink:
        done = subprocess.run(
            argv,
            check=False,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            timeout=PATIENCE,
        )
    text = log.read_text(errors="replace")
    return Outcome(done.returncode, text, OUTPUT.findall(text))


def version(clone: Path) -> str:
    """Return the tag that a clone is at, `v1` when there is none."""
    argv = ["git", "-C", str(clone), "describe", "--tags", "--exact-match"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "v1"


def row(scenario: Path, clones: dict[str, Path], scratch: Path) -> list[str]:
    """Run a scenario twice; return a row of the table."""
    name = scenario.stem
    print(f"running {', '.join(clones)}", file=sys.stderr, flush=True)
    refs = {action: version(path) for action, path in clones.items()}
    text = USES.sub(
        lambda found: f"uses: {found[1]}@{refs[found[1]]}", scenario.read_text(encoding="utf-8")
    )
    repository(scratch / name, text)
    more = FLAGS.get(name, ())
    flags = [
        f"--local-repository={action}@{refs[action]}={path}" for action, path in clones.items()
    ]
    real = run(scratch / name, scratch / f"{name}-real.log", "--no-native", *more, *flags)
    native = run(scratch / name, scratch / f"{name}-native.log", *more)
    same = real.outputs == native.outputs and bool(native.outputs)
    differing = [
        f"`{one}` for `{other}`"
        for one, other in zip(real.outputs, native.outputs, strict=False)
        if one != other
    ]
    told = "yes" if same else f"**no**: {'; '.join(differing)[:200] or 'some are missing'}"
    shown = ", ".join(f"{action}@{ref}" for action, ref in refs.items())
    return [shown, real.tell(), native.tell(), told]


def main() -> int:
    parser = argparse.ArgumentParser(description="Run real actions' own files from clones.")
    parser.add_argument("actions", type=Path, metavar="DIR", help="the folder of the clones")
    parser.add_argument("--only", metavar="NAME", help="this scenario alone")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into FILE")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="trunkline-actions-"))
    rows = []
    for scenario in sorted(SCENARIOS.glob("*.yml")):
        if arguments.only not in (None, scenario.stem):
            continue
        used = dict.fromkeys(USES.findall(scenario.read_text(encoding="utf-8")))
        clones = {name: (arguments.actions / name).resolve() for name in used}
        missing = [name for name, path in clones.items() if not path.is_dir()]
        if missing:
            print(f"left out: there is no clone of {', '.join(missing)}", file=sys.stderr)
            continue
        rows.append(row(scenario, clones, scratch))
    if not rows:
        return 2
    report = f"{table(HEADING, rows)}\n{machine()}.\n"
    print(f"{report}\nLogs: {scratch}{os.sep}")
    if arguments.write:
        write(arguments.write, MARK, report)
    return 1 if any("**" in cell for cells in rows for cell in cells) else 0


if __name__ == "__main__":
    sys.exit(main())
