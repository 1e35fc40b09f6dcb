"""Puts a checkout into a job on this machine: a `.git` of its own on the source's objects, the files."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from trunkline.adapters.actions.checkout.settings import Settings
from trunkline.adapters.actions.checkout.source import Source
from trunkline.adapters.git.command import git
from trunkline.adapters.git.layout import alternates_file, config_file, head_file, packed_refs_file
from trunkline.adapters.git.worktree import (
    Files,
    Repository,
    Tip,
    list_files,
    read_index,
)
from trunkline.ports.actions import ActionFailed, ActionJob
from trunkline.ports.sandbox import Folder

_HEADS = "refs/heads/"
_REMOTE = "refs/remotes/origin/"
_TAGS = "refs/tags/"


# Runs git in the checkout; returns what it prints.
Run = Callable[..., str]


class Placed(NamedTuple):
    """What was put in place: the files as on disk (None when git wrote a commit's)."""

    target: str
    files: Files | None


def place(source: Source, settings: Settings, target: str, job: ActionJob) -> Placed:
    """Put the source's files and its `.git` below `target`, which is empty.

    Raises ActionFailed, Unavailable.
    """
    entries = git_dir(source, settings)
    if source.repository is not None:
        entries["objects/info/alternates"] = alternates_file(source.repository.objects)
        job.lend(source.repository.objects)
    for name, content in entries.items():
        job.sandbox.put(f"{target}/.git/{name}", content)

    def run(*args: str) -> str:
        return run_git(job, target, *args)

    if settings.sparse:
        run(*sparse(settings))
    if not source.as_on_disk:
        run("reset", "--hard", "-q")
        return Placed(target, None)
    files = list_files(source.root)
    kept = written_by_git(files, settings, run) if settings.sparse else files.paths
    job.sandbox.put(target, Folder(path=source.root, files=kept))
    if source.repository is not None and not settings.sparse:
        _put_index(source.repository, files, target, job)
    return Placed(target, files)


def git_dir(source: Source, settings: Settings) -> dict[str, bytes]:
    """Return the files of a `.git`, without objects: HEAD, refs, config."""
    branch = source.ref.removeprefix(_HEADS) if source.ref.startswith(_HEADS) else ""
    head = source.ref if source.sha or source.ref else f"{_HEADS}main"
    entries = {
        "HEAD": head_file(head, source.sha),
        "config": config_file(source.repository, source.url, branch),
        "packed-refs": packed_refs_file(refs_of(source, settings)),
        "refs/.keep": b"",
        "objects/.keep": b"",
        "info/exclude": b"",
    }
    cut = boundary(source, settings.depth)
    if cut:
        entries["shallow"] = "".join(f"{sha}\n" for sha in sorted(cut)).encode()
    return entries


def refs_of(source: Source, settings: Settings) -> dict[str, Tip]:
    """Return the refs that GitHub's fetch would have made."""
    if source.repository is None or not source.sha:
        return {}
    known = source.repository.refs
    refs: dict[str, Tip] = {}
    if not settings.depth:
        own = _HEADS if not any(name.startswith(_REMOTE) for name in known) else _REMOTE
        refs = {
            _REMOTE + name.removeprefix(own): Tip(tip.sha, "")
            for name, tip in known.items()
            if name.startswith(own) and name != f"{_REMOTE}HEAD"
        }
    if settings.tags or not settings.depth:
        refs |= {name: tip for name, tip in known.items() if name.startswith(_TAGS)}
    here = Tip(source.sha, "")
    if source.ref.startswith(_HEADS):
        refs[source.ref] = here
        refs[_REMOTE + source.ref.removeprefix(_HEADS)] = here
    elif source.ref.startswith("refs/pull/"):
        refs[source.ref.replace("refs/", "refs/remotes/", 1)] = here
    elif source.ref.startswith(_TAGS):
        refs[source.ref] = known.get(source.ref, here)
    return refs


def boundary(source: Source, depth: int) -> set[str]:
    """Return the commits behind which history is cut off; a shallow source is never deepened."""
    repository = source.repository
    if repository is None or not source.sha:
        return set()
    cut: set[str] = set()
    if depth == 1 and source.sha == repository.sha:
        cut = {source.sha} if repository.parents else set()
    elif depth:
        history = git(repository.git_dir, "rev-list", "--parents", source.sha)
        cut = _cut(history.decode().splitlines(), depth)
    return cut | set(repository.shallow)


def _cut(lines: list[str], depth: int) -> set[str]:
    """Return the commits `depth` steps from the first one; each line is a commit and its parents."""
    parents = {row[0]: row[1:] for row in (line.split() for line in lines)}
    seen: set[str] = set()
    layer = [lines[0].split()[0]]
    for _ in range(depth - 1):
        seen.update(layer)
        layer = [p for sha in layer for p in parents.get(sha, []) if p not in seen]
    return {sha for sha in layer if parents.get(sha)}


def _put_index(repository: Repository, files: Files, target: str, job: ActionJob) -> None:
    for name, content in read_index(repository).items():
        job.sandbox.put(f"{target}/.git/{name}", content)
    if files.skipped:
        # The user's own checkout is sparse: the job gets the whole.
        run_git(job, target, "sparse-checkout", "disable")
    # Exit code 1 says that a file differs from the index: uncommitted work.
    job.capture(["git", "update-index", "-q", "--refresh"], cwd=target)


def sparse(settings: Settings) -> tuple[str, ...]:
    """Return the git command that makes a checkout sparse."""
    mode = "--cone" if settings.cone else "--no-cone"
    return ("sparse-checkout", "set", mode, "--end-of-options", *settings.sparse)


def written_by_git(files: Files | None, settings: Settings, run: Run) -> tuple[str, ...]:
    """Let git write what a sparse checkout wants; return which files come as they are on disk.

    `files` are those of the user's work tree, None when only a commit's are wanted.
    """
    run("reset", "--hard", "-q")
    if files is None:
        return ()
    entries = [entry for entry in run("ls-files", "-z", "-t").split("\0") if entry]
    skipped = {entry[2:] for entry in entries if entry.startswith("S")}
    tracked = {entry[2:] for entry in entries}
    return tuple(
        path
        for path in files.paths
        if path not in skipped and (path in tracked or _wanted(path, settings))
    )


def _wanted(path: str, settings: Settings) -> bool:
    """Tell whether an untracked file lies where a sparse checkout looks."""
    if not settings.cone:
        return True
    folder = posixpath.dirname(path)
    cones = [posixpath.normpath(cone.strip("/")) for cone in settings.sparse]
    return not folder or any(
        f"{folder}/".startswith(f"{cone}/") or f"{cone}/".startswith(f"{folder}/") for cone in cones
    )


def run_git(job: ActionJob, target: str, *args: str) -> str:
    """Run git in the job; return what it prints. Raises ActionFailed with git's own words."""
    code, output = job.capture(["git", *args], cwd=target)
    if code:
        text = output.strip() or f"exit code {code}"
        raise ActionFailed(f"The process 'git {args[0]}' failed: {text}")
    return output
