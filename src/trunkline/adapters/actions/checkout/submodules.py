"""Submodules of a checkout: as they are on disk, else from the repositories that hold them."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Mapping
from pathlib import Path

from trunkline.adapters.actions.checkout.place import Placed, run_git
from trunkline.adapters.actions.checkout.placing import placing
from trunkline.adapters.actions.checkout.settings import Settings
from trunkline.adapters.actions.checkout.source import Source
from trunkline.adapters.git.command import GitFailed, git, without_credentials
from trunkline.adapters.git.layout import stand_in
from trunkline.adapters.git.worktree import read_refs, read_repository
from trunkline.ports.actions import ActionFailed, ActionJob


def place_submodules(
    source: Source, settings: Settings, placed: Placed, job: ActionJob, *, offline: bool
) -> None:
    """Fill the submodules below a checkout. Raises ActionFailed."""
    declared = _declared(job, placed.target)
    missing: list[str] = []
    for path, name in declared.items():
        folder = Path(source.root, path)
        if placed.files is not None and (folder / ".git").exists():
            _as_on_disk(str(folder), path, settings, placed, job, offline=offline)
        else:
            missing.append(path)
            _point_home(source, name, placed.target, job)
    if missing:
        _update(missing, settings, placed.target, job, offline=offline)


def _declared(job: ActionJob, target: str) -> Mapping[str, str]:
    """Return the names of the submodules by path, as `.gitmodules` declares them."""
    stream = job.sandbox.get(f"{target}/.gitmodules")
    if stream is None:
        return {}
    wanted = ("config", "-z", "-f", "-", "--get-regexp", r"^submodule\..*\.path$")
    with stream, tempfile.TemporaryDirectory(prefix="trunkline-") as empty:
        try:
            output = git(empty, *wanted, given=stream.read()).decode(errors="surrogateescape")
        except GitFailed:
            return {}
    entries = (entry.partition("\n") for entry in output.split("\0") if entry)
    return {
        path: key.removeprefix("submodule.").removesuffix(".path")
        for key, _, path in entries
        if _is_below(path)
    }


def _is_below(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/")


def _as_on_disk(
    folder: str,
    path: str,
    settings: Settings,
    placed: Placed,
    job: ActionJob,
    *,
    offline: bool,
) -> None:
    repository = read_repository(folder)
    if repository is None:
        raise ActionFailed(f"Submodule '{path}': {folder} is no git repository")
    url = without_credentials(repository.config.get("remote.origin.url", ""))
    url = url if "://" in url and not url.startswith("file:") else ""
    source = Source(folder, repository, "", repository.sha, url, as_on_disk=True)
    inner = settings._replace(sparse=())
    below = placing(job)(source, inner, f"{placed.target}/{path}", job)
    job.log(f"Submodule path '{path}': as it is on disk, at '{repository.sha}'")
    if settings.submodules == "recursive":
        place_submodules(source, inner, below, job, offline=offline)


def _point_home(source: Source, name: str, target: str, job: ActionJob) -> None:
    """Let a submodule come from the user's own copy of it, where there is one."""
    if source.repository is None or not job.layout.host_paths:
        return
    copy = Path(posixpath.dirname(source.repository.objects), "modules", name)
    if not (copy / "HEAD").is_file() or not _is_below(name):
        return
    # Not its own folder: git would look for the work tree that belongs to it, which may be gone.
    place = f"{job.layout.temp}/_modules/{name}"
    for file, content in stand_in(read_refs(str(copy)), str(copy / "objects")).items():
        job.sandbox.put(f"{place}/{file}", content)
    run_git(job, target, "config", f"submodule.{name}.url", f"file://{place}")


def _update(
    paths: list[str], settings: Settings, target: str, job: ActionJob, *, offline: bool
) -> None:
    transport = ("-c", "protocol.allow=never", "-c", "protocol.file.allow=always")
    allowed = transport if offline else ("-c", "protocol.file.allow=always")
    depth = (f"--depth={settings.depth}",) if settings.depth else ()
    recursive = ("--recursive",) if settings.submodules == "recursive" else ()
    update = ("submodule", "update", "--init", "--force", *depth, *recursive, "--", *paths)
    env = {"GIT_TERMINAL_PROMPT": "0"}
    if job.run(["git", *allowed, *update], cwd=target, env=env):
        raise ActionFailed(
            f"The submodules {', '.join(paths)} can't be had. "
            "`git submodule update --init` in your repository makes them available here."
        )
    run_git(job, target, "submodule", "--quiet", "sync", *recursive)
