"""What a repository on disk says about itself: the facts that event payloads are made from.

A forge adapter fills these from git; the plan floor only reads them. Every sha is the full
lower-case hexadecimal id, every path is relative to the repository's root with `/`, every name of
a ref is full (`refs/heads/main`) unless the field says "branch" or "tag".
"""

from __future__ import annotations

import msgspec

ZERO_SHA = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
GITHUB = "https://github.com"


class Person(msgspec.Struct, frozen=True):
    """Whoever acts: `git config user.name` and `user.email` ('' when not set)."""

    name: str = ""
    email: str = ""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit. `timestamp` is the committer date, strict ISO 8601 (`git log --format=%cI`).

    `message` is the whole message without the last newline (`%B`). `added`, `modified` and
    `removed` come from `git log --name-status -m --first-parent --no-renames` (A; M and T; D).
    """

    sha: str
    message: str
    author: Person = Person()
    committer: Person = Person()
    timestamp: str = "1970-01-01T00:00:00+00:00"
    tree: str = ""
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Tag(msgspec.Struct, frozen=True):
    """A tag: its short name and the commit it stands for (peeled)."""

    name: str
    sha: str


class PushFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What pushing HEAD's branch now would carry.

    `before`: the upstream tip (`@{upstream}`, else `refs/remotes/origin/<branch>`) if it is an
    ancestor of HEAD and not HEAD itself; else `HEAD~1`; else '' (the first commit: compare with
    the empty tree). An upstream tip that equals HEAD counts as "else" (pushing again what is
    there would start nothing; the last commit is what people mean). `upstream_tip` is '' when the
    branch has no upstream; `forced` says that it is there and not an ancestor of HEAD.
    `commits`: `before..HEAD`, oldest first, the newest 2048 at most. `changed_files`: names from
    `git diff --no-renames --name-only -z before HEAD` (or the empty tree), joined with what is
    uncommitted (`git status --porcelain=v1 -z --no-renames -uall`: staged, unstaged and
    untracked-not-ignored), sorted, each once; None when git could not tell.
    With "HEAD alone" asked for, uncommitted work is left out of `changed_files`.
    """

    before: str = ""
    upstream_tip: str = ""
    forced: bool = False
    commits: tuple[Commit, ...] = ()
    changed_files: tuple[str, ...] | None = ()


class PullFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull request from HEAD would be.

    `base_branch`: what `refs/remotes/origin/HEAD` points to (without `origin/`), else `main` or
    `master` where `refs/remotes/origin/<it>` or `refs/heads/<it>` exists (in this order), else
    HEAD's own branch, else `main`. `base_sha`: the tip of `refs/remotes/origin/<base_branch>`,
    else of `refs/heads/<base_branch>`, else ''. `merge_base`: `git merge-base base_sha HEAD`, ''
    when there is none. `commits`: `merge_base..HEAD`, oldest first. `changed_files`: the three-dot
    diff, `git diff --no-renames --name-only -z merge_base HEAD` (the empty tree without a merge
    base), joined with uncommitted work as in `PushFacts`; None when git could not tell.
    """

    base_branch: str = "main"
    base_sha: str = ""
    merge_base: str = ""
    commits: tuple[Commit, ...] = ()
    changed_files: tuple[str, ...] | None = ()


class RepositoryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A repository as it stands now.

    `owner`, `name`: from `remote_url` (origin's URL, else the only remote's, else ''), the last two
    path parts without `.git`, for URLs and scp forms; without a remote the local user's name and
    the folder's name (of the main work tree), every character but letters, digits, `.`, `_` and
    `-` replaced by `-`. `--repository OWNER/NAME` overrides both. `server_url`: `https://github.com`
    (a remote on another host does not change it: actions and contexts expect GitHub's), or what
    `--server-url` says.

    `head`: HEAD's commit; None for a repository without commits. `head_ref`: the symbolic ref HEAD
    points to (`refs/heads/topic`, also when unborn); detached: `refs/tags/<tag>` when a tag stands
    on HEAD (the first of `git tag --points-at HEAD --sort=-version:refname`), else `refs/heads/<b>`
    for the first branch that stands on HEAD, else ''. `detached` tells which. `default_branch`: as
    `PullFacts.base_branch` when a remote or main/master exists, else HEAD's branch, else `main`.
    `default_sha`: that branch's tip as in `base_sha`, '' when there is none.

    `latest_tag`: the tag `git describe --tags --abbrev=0` names, None when there is none.
    `user`: git's configured user. `actor`: `--actor`, else `user.name` in login form (lower case,
    spaces as `-`), else the local user's name. `dirty`: uncommitted work exists (and is wanted).
    `shallow`: `git rev-parse --is-shallow-repository`. `root`: the work tree's folder, absolute (the
    one path here that is not relative). `license`: the SPDX id of the license file at the root
    (`NOASSERTION` for another one), '' without such a file. `notes`: what the user should be told (no commits, no git).
    """

    owner: str
    name: str
    actor: str
    remote_url: str = ""
    server_url: str = GITHUB
    head: Commit | None = None
    head_ref: str = ""
    detached: bool = False
    default_branch: str = "main"
    default_sha: str = ""
    latest_tag: Tag | None = None
    user: Person = Person()
    dirty: bool = False
    shallow: bool = False
    push: PushFacts = PushFacts()
    pull: PullFacts = PullFacts()
    root: str = ""
    license: str = ""
    notes: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def api_url(self) -> str:
        """Where the server has its REST API (GitHub; else as its Enterprise Server has it)."""
        return (
            "https://api.github.com" if self.server_url == GITHUB else f"{self.server_url}/api/v3"
        )

    @property
    def graphql_url(self) -> str:
        """Where the server has its GraphQL API."""
        return f"{self.api_url.removesuffix('/v3')}/graphql"

    @property
    def head_sha(self) -> str:
        """HEAD's commit, or forty zeros in a repository without commits."""
        return self.head.sha if self.head else ZERO_SHA
