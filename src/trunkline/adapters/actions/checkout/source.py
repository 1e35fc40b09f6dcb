"""Decides what to check out: the user's work tree as it is, or a commit."""

from __future__ import annotations

import re
from typing import NamedTuple

from trunkline.adapters.actions.checkout.settings import Settings
from trunkline.adapters.git.command import GitFailed, git, without_credentials
from trunkline.adapters.git.worktree import Repository, read_repository
from trunkline.adapters.toolkit.world import World
from trunkline.plan.facts import ZERO_SHA
from trunkline.ports.actions import ActionFailed, ActionJob

_SSH = re.compile(
    r"(?:ssh://(?:[^/@]*@)?(?P<host>[^/:]+)(?::\d+)?/|(?:[^/@:]+@)?(?P<name>[^/@:]+):)(?P<path>[^/].*)"
)
_HEADS = "refs/heads/"
_REMOTE = "refs/remotes/origin/"
_TAGS = "refs/tags/"


class Source(NamedTuple):
    """What to check out.

    `repository` is None for a plain folder. `ref` is the full name of what HEAD stands on, '' for a
    bare commit; `sha` is '' without commits. `as_on_disk` takes the files of `root` as they are.
    """

    root: str
    repository: Repository | None
    ref: str
    sha: str
    url: str
    as_on_disk: bool


def decide(settings: Settings, world: World, job: ActionJob) -> Source:
    """Return what `settings` mean on this machine. Raises ActionFailed, ActionUnavailable."""
    if settings.own:
        return _own(settings, world)
    return _other(settings, world, job)


def _own(settings: Settings, world: World) -> Source:
    repository = read_repository(world.source)
    url = _origin(repository, settings)
    if repository is None:
        return Source(world.source, None, settings.ref, "", url, as_on_disk=True)
    ref, sha = resolve(repository, settings)
    as_on_disk = sha == repository.sha and not world.committed
    return Source(world.source, repository, ref, sha, url, as_on_disk)


def _other(settings: Settings, world: World, job: ActionJob) -> Source:
    ref = settings.commit or settings.ref
    fetched = world.forge.fetch(settings.repository, ref, job.is_cancelled)
    url = f"{settings.server_url.rstrip('/')}/{settings.repository}"
    if not fetched.git_dir:
        return Source(fetched.path, None, "", "", url, as_on_disk=True)
    repository = read_repository(fetched.path if fetched.local else fetched.git_dir)
    if repository is None or not fetched.local:
        ref = _other_ref(settings)
        return Source(fetched.path, repository, ref, fetched.sha, url, as_on_disk=False)
    ref, sha = repository.branch, repository.sha
    if settings.asked_ref:
        try:
            ref, sha = resolve(repository, settings)
        except ActionFailed:
            job.log(f"{fetched.path} has no '{settings.asked_ref}': it is taken as it is.")
    return Source(fetched.path, repository, ref, sha, url, as_on_disk=sha == repository.sha)


def _other_ref(settings: Settings) -> str:
    if settings.ref.startswith("refs/"):
        return settings.ref
    return ""


def resolve(repository: Repository, settings: Settings) -> tuple[str, str]:
    """Return the full name and the commit of what is asked for. Raises ActionFailed."""
    if settings.commit and settings.commit != ZERO_SHA:
        _require(repository, settings.commit)
        return settings.ref, settings.commit
    if not repository.sha and not settings.asked_ref:
        return repository.branch, ""
    for name, place in _candidates(repository, settings.ref):
        if place in repository.refs:
            return name, repository.refs[place].commit
    if settings.ref.startswith("refs/"):
        raise ActionFailed(f"couldn't find remote ref {settings.ref}")
    raise ActionFailed(f"A branch or tag with the name '{settings.ref}' could not be found")


def _candidates(repository: Repository, ref: str) -> list[tuple[str, str]]:
    """Return where a ref may be found, as (full name, place), the best first.

    HEAD's own branch is taken from here, since it is what is being pushed; of other branches GitHub
    has what origin has.
    """
    if ref.startswith(_HEADS):
        name = ref.removeprefix(_HEADS)
        places = [_REMOTE + name, ref]
        if ref == repository.branch:
            places.reverse()
        return [(ref, place) for place in places]
    if ref.startswith("refs/"):
        return [(ref, ref)]
    return [*_candidates(repository, _HEADS + ref), (_TAGS + ref, _TAGS + ref)]


def _require(repository: Repository, sha: str) -> None:
    try:
        git(repository.git_dir, "cat-file", "-e", "--end-of-options", f"{sha}^{{commit}}")
    except GitFailed as error:
        message = f"fatal: remote error: upload-pack: not our ref {sha}"
        raise ActionFailed(message) from error


def _origin(repository: Repository | None, settings: Settings) -> str:
    """Return origin's URL as a job on GitHub has it: https, without credentials.

    GitHub's own when that would be a folder of the user's: a job must not be able to push into it.
    """
    config = repository.config if repository else {}
    url = config.get("remote.origin.url", "")
    over_ssh = _SSH.fullmatch(url)
    if over_ssh:
        return f"https://{over_ssh['host'] or over_ssh['name']}/{over_ssh['path'].removesuffix('.git')}"
    if url.startswith(("https://", "http://")):
        return without_credentials(url)
    return f"{settings.server_url.rstrip('/')}/{settings.repository}"
