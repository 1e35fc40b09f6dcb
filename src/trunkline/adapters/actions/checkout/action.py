"""actions/checkout as a native action."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from trunkline.adapters.actions.checkout import settings as asked
from trunkline.adapters.actions.checkout.place import run_git
from trunkline.adapters.actions.checkout.placing import placing
from trunkline.adapters.actions.checkout.settings import Settings
from trunkline.adapters.actions.checkout.source import Source, decide
from trunkline.adapters.actions.checkout.submodules import place_submodules
from trunkline.adapters.git.layout import include_section
from trunkline.adapters.toolkit.inputs import warn_of_unsupported
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.sandbox import Folder


class Checkout(VersionedAction):
    """Gives the job the repository as it is on disk, or another ref or repository."""

    oldest, newest = 4, 7
    inputs = asked.NAMES
    has_post = True

    def __init__(self, world: World) -> None:
        """Read repositories of `world`."""
        super().__init__(world._replace(source=str(Path(world.source).absolute())))

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Check out into the workspace, or a folder below it. Raises ActionFailed."""
        settings = asked.read(call, job.layout)
        warn_of_unsupported(call, job, asked.UNSUPPORTED)
        job.log(f"Syncing repository: {settings.repository}")
        source = decide(settings, self._world, job)
        _make_room(settings, source, call, job)
        if settings.safe:
            _trust(settings.target, job)
        placed = placing(job)(source, settings, settings.target, job)
        if settings.lfs:
            _lfs(source, settings.target, call, job)
        if settings.submodules:
            place_submodules(source, settings, placed, job, offline=self._world.offline)
        if settings.token:
            _persist(settings, job)
        if placed.files is not None:
            _tell_files(source, len(placed.files.paths), placed.files.nested, job)
        job.log(f"HEAD is at {source.sha or 'no commit'} ({source.ref or 'detached'})")
        job.set_output("ref", settings.ref)
        job.set_output("commit", source.sha)
        job.save_state("repositoryPath", settings.target)

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Remove the credentials that main left for the job's git."""
        include = call.state.get("credentials", "")
        if include:
            path = f"{call.state['repositoryPath']}/.git/config"
            config = _content(path, job)
            if include.encode() in config:
                job.sandbox.put(path, config.replace(include.encode(), b""))
            job.sandbox.put(call.state["credentialsPath"], b"", 0o600)


def _make_room(settings: Settings, source: Source, call: ActionCall, job: ActionJob) -> None:
    """Empty the target, unless `clean: false` and it is a checkout of the same repository."""
    target = settings.target
    if job.sandbox.find("find", call.env["PATH"]) is None and _is_empty(target, job):
        return
    first = ("-mindepth", "1", "-maxdepth", "1", "-print", "-quit")
    code, found = job.capture(["find", target, *first])
    if code or not found:
        return
    same = f"url = {source.url}\n".encode()
    if not settings.clean and same in _content(f"{target}/.git/config", job):
        return
    job.log(f"Deleting the contents of '{target}'")
    if job.run(["find", target, "-mindepth", "1", "-delete"]):
        raise ActionFailed(f"Unable to clean or reset the repository '{target}'.")


def _is_empty(target: str, job: ActionJob) -> bool:
    return not job.sandbox.search(target, ("*",), digests=False)


def _trust(target: str, job: ActionJob) -> None:
    """Add the checkout to `safe.directory` in the job's own HOME."""
    path = f"{job.layout.home}/.gitconfig"
    before = _content(path, job)
    escaped = target.replace("\\", "\\\\").replace('"', '\\"')
    entry = f'[safe]\n\tdirectory = "{escaped}"\n'.encode(errors="surrogateescape")
    if entry not in before:
        job.sandbox.put(path, before + entry)


def _content(path: str, job: ActionJob) -> bytes:
    """Return what is in a file, b'' when there is none."""
    stream = job.sandbox.get(path)
    if stream is None:
        return b""
    with stream:
        return stream.read()


def _lfs(source: Source, target: str, call: ActionCall, job: ActionJob) -> None:
    if job.sandbox.find("git-lfs", call.env["PATH"]) is None:
        raise ActionFailed("Input 'lfs' is true, but git-lfs is not installed here.")
    run_git(job, target, "lfs", "install", "--local")
    if source.repository is not None:
        store = source.repository.objects.removesuffix("objects") + "lfs/objects"
        job.sandbox.put(f"{target}/.git/lfs/objects", Folder(path=store))
    run_git(job, target, "lfs", "checkout")


def _persist(settings: Settings, job: ActionJob) -> None:
    """Let the job's git commands log in with the token, through a file in its temp folder."""
    parts = urlsplit(settings.server_url)
    basic = base64.b64encode(f"x-access-token:{settings.token}".encode()).decode()
    mark = hashlib.sha256(settings.target.encode(errors="surrogateescape")).hexdigest()[:16]
    path = f"{job.layout.temp}/git-credentials-{mark}.config"
    text = (
        f'[http "{parts.scheme}://{parts.netloc}/"]\n\textraheader = AUTHORIZATION: basic {basic}\n'
    )
    job.sandbox.put(path, text.encode(), 0o600)
    include = include_section(f"{settings.target}/.git", path)
    config = f"{settings.target}/.git/config"
    job.sandbox.put(config, _content(config, job) + include.encode(errors="surrogateescape"))
    job.save_state("credentials", include)
    job.save_state("credentialsPath", path)


def _tell_files(source: Source, count: int, nested: tuple[str, ...], job: ActionJob) -> None:
    s = "" if count == 1 else "s"
    job.log(f"{count} file{s} as they are in {source.root}, uncommitted work included")
    for folder in nested:
        job.log(f"{folder} is left out: it is a git repository of its own")
