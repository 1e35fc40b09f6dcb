"""A checkout where this machine's paths mean nothing, a container above all: made here, then put.

Git runs on this machine, in a folder of its own: the image needs no git, and nothing that the job
wrote is read as configuration. What arrives is whole: no object is borrowed from the user's repository.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trunkline.adapters.actions.checkout.place import (
    Placed,
    Run,
    boundary,
    git_dir,
    refs_of,
    sparse,
    written_by_git,
)
from trunkline.adapters.actions.checkout.settings import Settings
from trunkline.adapters.actions.checkout.source import Source
from trunkline.adapters.git.command import GitFailed, git
from trunkline.adapters.git.layout import alternates_file
from trunkline.adapters.git.worktree import Files, Repository, list_files, read_index
from trunkline.ports.actions import ActionFailed, ActionJob
from trunkline.ports.sandbox import Folder

# Neither the user's configuration nor the machine's: a job has none of them.
OWN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
ALTERNATES = "objects/info/alternates"


def place_copy(source: Source, settings: Settings, target: str, job: ActionJob) -> Placed:
    """Put the source's files and a `.git` with objects of its own below `target`, which is empty.

    Raises ActionFailed, Unavailable.
    """
    entries = git_dir(source, settings)
    files = list_files(source.root) if source.as_on_disk else None
    paths = files.paths if files is not None else ()
    with _bench() as bench:
        if not source.as_on_disk or settings.sparse or (files is not None and files.skipped):
            _write(bench, entries, source)
            paths = _let_git_write(bench, source, settings, files)
            job.sandbox.put(target, Folder(path=str(bench)))
        elif source.repository is not None:
            entries |= read_index(source.repository)
        if source.repository is not None:
            _put_objects(source.repository, source, settings, target, job)
    if source.as_on_disk:
        job.sandbox.put(target, Folder(path=source.root, files=paths))
    for name, content in entries.items():
        job.sandbox.put(f"{target}/.git/{name}", content)
    return Placed(target, files)


@contextlib.contextmanager
def _bench() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="trunkline-") as folder:
        bench = Path(folder, "checkout")
        bench.mkdir()
        yield bench


def _write(bench: Path, entries: dict[str, bytes], source: Source) -> None:
    """Write a `.git` that borrows the source's objects."""
    whole = dict(entries)
    if source.repository is not None:
        whole[ALTERNATES] = alternates_file(source.repository.objects)
        if source.as_on_disk:
            whole |= read_index(source.repository)
    for name, content in whole.items():
        path = bench / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _let_git_write(
    bench: Path, source: Source, settings: Settings, files: Files | None
) -> tuple[str, ...]:
    """Let git write what comes from a commit; return which files come as they are on disk.

    The folder ends up without what must not be put: objects of others.
    """
    run = _runner(bench)
    kept = files.paths if files is not None else ()
    if settings.sparse:
        run(*sparse(settings))
        kept = written_by_git(files, settings, run)
    elif source.as_on_disk:
        run("sparse-checkout", "disable")  # the user's own is sparse: the job gets the whole
    else:
        run("reset", "--hard", "-q")
    (bench / ".git" / ALTERNATES).unlink(missing_ok=True)
    return kept


def _runner(bench: Path) -> Run:
    def run(*args: str) -> str:
        try:
            return git(str(bench), *args, more=OWN).decode(errors="surrogateescape")
        except GitFailed as error:
            text = error.text or f"exit code {error.code}"
            raise ActionFailed(f"The process 'git {args[0]}' failed: {text}") from error

    return run


def _put_objects(
    repository: Repository, source: Source, settings: Settings, target: str, job: ActionJob
) -> None:
    """Put the objects: with a depth those that it needs, in one pack; else all of them."""
    borrows = Path(repository.objects, "info/alternates").exists()
    if not source.sha or (not settings.depth and not borrows):
        job.sandbox.put(f"{target}/.git/objects", Folder(path=repository.objects))
        return
    tips = sorted({source.sha, *(tip.sha for tip in refs_of(source, settings).values())})
    cut = [f"--shallow {sha}" for sha in sorted(boundary(source, settings.depth))]
    given = "".join(f"{line}\n" for line in (*cut, *tips)).encode()
    wanted = ("--quiet", "--revs", "--shallow", "--delta-base-offset", "--window=0")
    with tempfile.TemporaryDirectory(prefix="trunkline-") as folder:
        pack = str(Path(folder, "pack"))
        try:
            git(repository.git_dir, "pack-objects", *wanted, pack, given=given)
        except GitFailed as error:
            raise ActionFailed(f"The process 'git pack-objects' failed: {error.text}") from error
        job.sandbox.put(f"{target}/.git/objects/pack", Folder(path=folder))
