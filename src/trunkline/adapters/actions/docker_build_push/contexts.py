"""Where a build's files come from: a folder of the job, or a repository of the workflow's server."""

from __future__ import annotations

import posixpath
import re
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from trunkline.adapters.git.archive import unpack
from trunkline.adapters.git.command import GitFailed, git
from trunkline.adapters.git.worktree import list_files, read_repository
from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.sandbox import Folder

_DEFAULT = re.compile(r"\{\{\{?\s*defaultContext\s*\}?\}\}")
_REMOTE = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")


class Place(NamedTuple):
    """A context that is a folder, with its Dockerfile; both as the job sees them, absolute."""

    context: str
    dockerfile: str


class Remote(NamedTuple):
    """A context that whoever builds fetches; `file` is the Dockerfile as it was asked for."""

    context: str
    file: str


class GitContext(NamedTuple):
    """A repository of the workflow's server at a ref ('' for its default), and a folder in it."""

    repository: str
    ref: str
    folder: str


def default_context(call: ActionCall) -> str:
    """Return the address of the workflow's own commit, as the action's log has it."""
    github = call.github
    revision = github.get("sha") or github.get("ref")
    return f"{github['server_url']}/{github['repository']}.git#{revision}"


def rendered(text: str, call: ActionCall) -> str:
    """Return a context with `{{defaultContext}}` replaced; an empty one is the default."""
    default = default_context(call)
    return _DEFAULT.sub(lambda _: default, text) or default


def locate(
    context: str, file: str, call: ActionCall, job: ActionJob, world: World
) -> Place | Remote:
    """Return where a build's files are, brought into the job when they are a repository's.

    `context` is rendered. Raises ActionFailed, Unavailable.
    """
    if not context.startswith(_REMOTE):
        folder = _absolute(context, job)
        dockerfile = _absolute(file, job) if file else posixpath.join(folder, "Dockerfile")
        return Place(folder, dockerfile)
    wanted = git_context(context, call)
    if wanted is None:
        return Remote(context, file)
    folder = bring(wanted, call, job, world)
    return Place(folder, _below(folder, file or "Dockerfile"))


def git_context(context: str, call: ActionCall) -> GitContext | None:
    """Read `https://server/owner/name.git[#ref[:folder]]` of the workflow's server; None else."""
    url = f"https://{context}" if context.startswith("github.com/") else context
    parts, server = urlsplit(url), urlsplit(str(call.github["server_url"]))
    path = parts.path.strip("/")
    if parts.netloc != server.netloc or parts.scheme != server.scheme or path.count("/") != 1:
        return None
    if not path.endswith(".git") and not context.startswith("github.com/"):
        return None
    query = parse_qs(parts.query)
    ref, _, folder = parts.fragment.partition(":")
    asked = [query.get(name, [""])[0] for name in ("checksum", "commit", "ref", "branch", "tag")]
    ref = next(filter(None, asked), ref)
    folder = query.get("subdir", [folder])[0]
    return GitContext(path.removesuffix(".git"), ref, folder)


def bring(wanted: GitContext, call: ActionCall, job: ActionJob, world: World) -> str:
    """Put a repository's files into a folder of the job's own; return what is the context in it.

    The event's own commit is what lies on this machine, uncommitted work included, unless only
    commits were asked for.
    """
    code, made = job.capture(["mktemp", "-d", f"{job.layout.temp}/docker-context-XXXXXX"])
    if code:
        raise ActionFailed(f"No folder can be made for the build's context: {made.strip()}")
    root = made.strip()
    if wanted.repository.lower() == str(call.github["repository"]).lower():
        told = _put_own(wanted.ref, call, root, job, world)
    else:
        fetched = world.forge.fetch(wanted.repository, wanted.ref, job.is_cancelled)
        told = "as it is on disk" if fetched.local else f"at {fetched.sha}"
        put = _put_files if fetched.local else _put_all
        put(fetched.path, root, job)
    job.log(f"Context: {wanted.repository}, {told}")
    return _below(root, wanted.folder)


def _put_own(ref: str, call: ActionCall, root: str, job: ActionJob, world: World) -> str:
    repository = read_repository(world.source)
    event = str(call.github.get("ref") or "")
    if ref in {"", event, event.removeprefix("refs/heads/")}:
        ref = str(call.github.get("sha") or "")
    if repository is None or (ref in {"", repository.sha} and not world.committed):
        _put_files(world.source, root, job)
        return "as it is on disk"
    commit = _commit(repository.git_dir, ref or repository.sha)
    with tempfile.TemporaryDirectory(prefix="trunkline-") as folder:
        if not unpack(repository.git_dir, commit, Path(folder)):
            raise ActionFailed(f"The files of commit {commit} can't be unpacked.")
        _put_all(folder, root, job)
    return f"at {commit}"


def _commit(git_dir: str, ref: str) -> str:
    name = f"{ref}^{{commit}}"
    try:
        found = git(git_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    except GitFailed as error:
        raise ActionFailed(f"couldn't find remote ref {ref}") from error
    return found.decode().split()[-1]


def _put_all(folder: str, root: str, job: ActionJob) -> None:
    job.sandbox.put(root, Folder(path=folder))


def _put_files(folder: str, root: str, job: ActionJob) -> None:
    """Put what belongs to a repository as it is on disk, with its submodules that are there."""
    files = list_files(folder)
    job.sandbox.put(root, Folder(path=folder, files=files.paths))
    for path, _ in files.modules:
        if Path(folder, path, ".git").exists():
            _put_files(f"{folder}/{path}", f"{root}/{path}", job)


def _absolute(path: str, job: ActionJob) -> str:
    return posixpath.normpath(posixpath.join(job.layout.workspace, path))


def _below(root: str, path: str) -> str:
    """Return a path within a repository. Raises ActionFailed for one that leaves it."""
    found = posixpath.normpath(f"{root}/{path}")
    if not f"{found}/".startswith(f"{root}/"):
        raise ActionFailed(f"'{path}' is outside of the build's context.")
    return found
