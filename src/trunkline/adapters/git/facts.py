"""Reads what event payloads need from a repository: few git processes, side by side."""

from __future__ import annotations

import os
import pwd
import re

import msgspec

from trunkline.adapters.git.command import GitFailed, Running, without_credentials
from trunkline.adapters.git.history import (
    LoggedCommit,
    log,
    names_between,
    parse_log,
    parse_names,
    parse_status,
)
from trunkline.base.errors import NotFound, Unavailable
from trunkline.plan.facts import Commit, Person, PullFacts, PushFacts, RepositoryFacts, Tag
from trunkline.plan.licenses import is_license_file, spdx_of

NO_REPOSITORY = (
    "{} is not a git repository: it is taken as a plain folder, without branch or commit "
    "(github.sha is forty zeros)."
)
NO_COMMITS = "This repository has no commits yet: github.sha is forty zeros."
# In characters; the longest that is known, the GPL, has 35,000.
LONGEST_LICENSE = 100_000
_PULL_EVENTS = ("pull_request", "merge_group")
_NO_TAG_EVENTS = ("push", "pull_request", "workflow_dispatch", "schedule", "merge_group")
_REMOTE = "refs/remotes/origin/"
_HEADS = "refs/heads/"


class _Ref(msgspec.Struct, frozen=True):
    sha: str
    points_to: str


class _Repository(msgspec.Struct, frozen=True):
    """What the first round of git processes told."""

    directory: str
    root: str
    common_dir: str
    shallow: bool
    status: dict[str, str]
    uncommitted: tuple[str, ...]
    config: dict[str, str]
    refs: dict[str, _Ref]
    head: LoggedCommit | None

    @property
    def head_sha(self) -> str:
        return self.head.commit.sha if self.head else ""

    @property
    def branch(self) -> str:
        """HEAD's branch, '' when detached."""
        name = self.status.get("branch.head", "")
        return "" if name == "(detached)" else name


class Look:
    """A first look at a repository: its git processes run while others do other things."""

    def __init__(self, directory: str, *, committed: bool) -> None:
        """Start git in `directory`; `committed` leaves uncommitted work out.

        Raises Unavailable (no git), NotFound (no such folder).
        """
        if not os.path.isdir(directory):
            raise NotFound(f"There is no folder {directory}.")
        untracked = ("-uno", "--ignore-submodules=all") if committed else ("-uall",)
        self._directory = directory
        self._committed = committed
        self._place = Running(
            directory,
            (
                *("rev-parse", "--path-format=absolute", "--is-bare-repository"),
                *("--is-shallow-repository", "--git-common-dir", "--show-toplevel"),
            ),
        )
        self._status = Running(
            directory,
            ("status", "--porcelain=v2", "--branch", "-z", "--no-renames", *untracked),
        )
        self._config = Running(
            directory,
            ("config", "-z", "--get-regexp", r"^(remote\..*\.url|user\.(name|email))$"),
        )
        self._refs = Running(
            directory,
            (
                *("for-each-ref", "--format=%(objectname) %(refname) %(symref)"),
                *(_HEADS, "refs/remotes/"),
            ),
        )
        self._head = log(directory, "HEAD", limit=1)

    def facts(self, event: str) -> RepositoryFacts:
        """Return what was seen, once; `event` ('' for any) as `read_facts` takes it."""
        try:
            where = self._place.output().decode(errors="surrogateescape").splitlines()
        except GitFailed as error:
            self.stop()
            _check_refusal(self._directory, error.text)
            return _plain_folder(self._directory)
        headers, names = parse_status(self._status.output())
        repository = _Repository(
            directory=self._directory,
            root=where[3],
            common_dir=where[2],
            shallow=where[1] == "true",
            status=headers,
            uncommitted=() if self._committed else names,
            config=_parse_config(self._config.output_or_nothing()),
            refs=_parse_refs(self._refs.output()),
            head=next(iter(parse_log(self._head.output_or_nothing())), None),
        )
        return _facts(repository, event)

    def stop(self) -> None:
        """End what still runs: nobody wants to know any more. Idempotent."""
        for running in (self._place, self._status, self._config, self._refs, self._head):
            running.stop()


def read_facts(directory: str, *, committed: bool, event: str) -> RepositoryFacts:
    """Return the facts of the repository that holds `directory`.

    `committed` leaves uncommitted work out; `event` ('' for any) lets facts that only other events
    need at their defaults. Raises Unavailable (no git, refused by git), NotFound (no such folder).
    """
    return Look(directory, committed=committed).facts(event)


def _facts(repository: _Repository, event: str) -> RepositoryFacts:
    user = Person(repository.config.get("user.name", ""), repository.config.get("user.email", ""))
    url = without_credentials(_remote_url(repository.config))
    owner, name = _owner_and_name(url, repository.common_dir)
    default_branch, default_sha = _default_branch(repository)
    pull = not event or event.startswith(_PULL_EVENTS)
    return RepositoryFacts(
        owner=owner,
        name=name,
        actor=user.name.lower().replace(" ", "-") or local_user(),
        remote_url=url,
        head=repository.head.commit if repository.head else None,
        head_ref=_head_ref(repository),
        detached=not repository.branch,
        default_branch=default_branch,
        default_sha=default_sha,
        latest_tag=None if event in _NO_TAG_EVENTS else _latest_tag(repository),
        user=user,
        dirty=bool(repository.uncommitted),
        shallow=repository.shallow,
        push=PushFacts() if event.startswith(_PULL_EVENTS) else _push(repository),
        pull=_pull(repository, default_branch, default_sha) if pull else PullFacts(),
        root=repository.root,
        license=_license(repository.root),
        notes=() if repository.head else (NO_COMMITS,),
    )


def _license(root: str) -> str:
    """Return the SPDX id of the license in a work tree, '' when it has no license file."""
    try:
        names = sorted(filter(is_license_file, os.listdir(root)))
        files = (os.path.join(root, name) for name in names)
        found = next(filter(os.path.isfile, files), "")
        if not found:
            return ""
        with open(found, encoding="utf-8", errors="replace") as stream:
            return spdx_of(stream.read(LONGEST_LICENSE))
    except OSError:  # an event needs no license
        return ""


def local_user() -> str:
    """Return the name of the local user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return os.environ.get("USER", "user")


def _check_refusal(directory: str, text: str) -> None:
    """Raise why git would not read the folder; a plain folder is no trouble."""
    if "dubious ownership" in text:
        message = f"git refuses to read {directory}: the repository belongs to another user."
        raise Unavailable(
            message, hint=f"git config --global --add safe.directory {os.path.realpath(directory)}"
        )
    if "must be run in a work tree" in text:
        raise NotFound(f"{directory} is a bare git repository: it has no files to run from.")
    if "not a git repository" not in text:
        raise Unavailable(f"git can't read {directory}: {text.removeprefix('fatal: ')}")


def _plain_folder(directory: str) -> RepositoryFacts:
    root = os.path.realpath(directory)
    owner, name = _owner_and_name("", f"{root}/.git")
    return RepositoryFacts(
        owner=owner,
        name=name,
        actor=local_user(),
        head_ref="refs/heads/main",
        dirty=True,
        push=PushFacts(changed_files=None),
        pull=PullFacts(changed_files=None),
        root=root,
        license=_license(root),
        notes=(NO_REPOSITORY.format(root),),
    )


def _parse_config(output: bytes) -> dict[str, str]:
    entries = (entry.partition("\n") for entry in output.decode(errors="replace").split("\0"))
    return {name: value for name, _, value in entries if name}


def _parse_refs(output: bytes) -> dict[str, _Ref]:
    rows = (line.split(" ") for line in output.decode(errors="replace").splitlines())
    return {name: _Ref(sha, points_to) for sha, name, points_to in rows}


def _remote_url(config: dict[str, str]) -> str:
    urls = {name: url for name, url in config.items() if name.startswith("remote.")}
    only = next(iter(urls.values())) if len(urls) == 1 else ""
    return urls.get("remote.origin.url", only)


def _owner_and_name(url: str, common_dir: str) -> tuple[str, str]:
    above, here = os.path.split(common_dir)
    if here == ".git":
        here = os.path.basename(above)
    path = re.sub(r"^[a-z+]+://[^/]*|^[^/]*:", "", url) if url else ""
    parts = [part for part in path.rstrip("/").removesuffix(".git").split("/") if part]
    name = parts[-1] if parts else here
    owner = parts[-2] if len(parts) > 1 else local_user()
    return _sane(owner), _sane(name)


def _sane(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name) or "-"


def _default_branch(repository: _Repository) -> tuple[str, str]:
    refs = repository.refs
    name = next((n for n in ("main", "master") if _REMOTE + n in refs or _HEADS + n in refs), "")
    remote_head = refs.get(_REMOTE + "HEAD")
    if remote_head and remote_head.points_to.startswith(_REMOTE):
        name = remote_head.points_to.removeprefix(_REMOTE)
    name = name or repository.branch or "main"
    tip = refs.get(_REMOTE + name) or refs.get(_HEADS + name)
    return name, tip.sha if tip else ""


def _head_ref(repository: _Repository) -> str:
    if repository.branch:
        return _HEADS + repository.branch
    order = ("tag", "--points-at", "HEAD", "--sort=-version:refname")
    tags = Running(repository.directory, order).output().decode(errors="replace").split("\n")
    if tags[0]:
        return f"refs/tags/{tags[0]}"
    heads = (name for name in repository.refs if name.startswith(_HEADS))
    return next((n for n in heads if repository.refs[n].sha == repository.head_sha), "")


def _latest_tag(repository: _Repository) -> Tag | None:
    describe = ("describe", "--tags", "--abbrev=0")
    name = Running(repository.directory, describe).output_or_nothing().decode(errors="replace")
    if not name.strip():
        return None
    peeled = ("rev-parse", "--verify", f"refs/tags/{name.strip()}^{{commit}}")
    sha = Running(repository.directory, peeled).output_or_nothing()
    return Tag(name.strip(), sha.decode().strip()) if sha else None


def _push(repository: _Repository) -> PushFacts:
    head = repository.head
    if head is None:
        return PushFacts(changed_files=_joined((), repository))
    tip, ahead, behind = _upstream(repository)
    parent = head.parents[0] if head.parents else ""
    before = tip if tip and ahead and not behind else parent
    if before == parent and len(head.parents) < 2:
        commit = head.commit
        commits: tuple[Commit, ...] = (commit,)
        changed: tuple[str, ...] | None = (*commit.added, *commit.modified, *commit.removed)
    else:
        commits, changed = _between(repository, before)
    return PushFacts(
        before=before,
        upstream_tip=tip,
        forced=bool(tip and behind),
        commits=commits,
        changed_files=_joined(changed, repository),
    )


def _upstream(repository: _Repository) -> tuple[str, int, int]:
    """Return the upstream's tip and how far HEAD is ahead of it and behind it."""
    status, refs = repository.status, repository.refs
    short = status.get("branch.upstream", "")
    found = refs.get(f"refs/remotes/{short}") or refs.get(_HEADS + short)
    if found and "branch.ab" in status:
        ahead, behind = status["branch.ab"].split(" ")
        return found.sha, int(ahead), -int(behind)
    found = refs.get(_REMOTE + repository.branch)
    if not found:
        return "", 0, 0
    count = ("rev-list", "--count", "--left-right", f"HEAD...{found.sha}")
    text = Running(repository.directory, count).output_or_nothing().decode()
    ahead, _, behind = text.strip().partition("\t")
    return found.sha, int(ahead or 0), int(behind or 0)


def _pull(repository: _Repository, base_branch: str, base_sha: str) -> PullFacts:
    head = repository.head_sha
    if not head:
        return PullFacts(base_branch=base_branch, changed_files=_joined((), repository))
    merge_base = ""
    if base_sha:
        search = ("merge-base", base_sha, "HEAD")
        merge_base = Running(repository.directory, search).output_or_nothing().decode().strip()
    commits, changed = _between(repository, merge_base)
    return PullFacts(
        base_branch=base_branch,
        base_sha=base_sha,
        merge_base=merge_base,
        commits=commits,
        changed_files=_joined(changed, repository),
    )


def _between(
    repository: _Repository, before: str
) -> tuple[tuple[Commit, ...], tuple[str, ...] | None]:
    """Return the commits after `before`, oldest first, and the files that differ."""
    if before == repository.head_sha:
        return (), ()
    logged = log(repository.directory, f"{before}..HEAD" if before else "HEAD")
    names = names_between(repository.directory, before, "HEAD")
    commits = [found.commit for found in parse_log(logged.output_or_nothing())]
    return tuple(reversed(commits)), parse_names(names)


def _joined(changed: tuple[str, ...] | None, repository: _Repository) -> tuple[str, ...] | None:
    return None if changed is None else tuple(sorted({*changed, *repository.uncommitted}))
