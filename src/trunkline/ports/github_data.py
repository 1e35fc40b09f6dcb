"""Port: what stands behind GitHub's REST API: a repository's git data, and what was written beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Protocol

import msgspec

from trunkline.ports.blobs import BlobStore
from trunkline.ports.job_services import ServicesJob

HEADS = "refs/heads/"
TAGS = "refs/tags/"
# The modes of a tree's entries.
FILE, PROGRAM, LINK, FOLDER, MODULE = "100644", "100755", "120000", "040000", "160000"


class Signature(msgspec.Struct, frozen=True):
    """Who and when, in seconds since the epoch; `zone` is as git writes it (`+0200`)."""

    name: str
    email: str
    at: int
    zone: str = "+0000"


class Ref(msgspec.Struct, frozen=True):
    """A ref by its full name: what it points to (`commit`, `tag` ...) and the commit behind that."""

    name: str
    sha: str
    type: str
    commit: str


class CommitObject(msgspec.Struct, frozen=True, kw_only=True):
    """A commit."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


class TagObject(msgspec.Struct, frozen=True, kw_only=True):
    """An annotated tag: what it points to, and by whom."""

    sha: str
    tag: str
    object: str
    type: str
    message: str
    tagger: Signature


class TreeEntry(msgspec.Struct, frozen=True):
    """An entry of a tree. `path` is relative to the tree that was asked for.

    `size` is known of files alone, and not of those that a partial clone lacks.
    """

    path: str
    mode: str
    type: str
    sha: str
    size: int | None = None


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """A file that differs between two commits.

    `status` is `added`, `removed`, `modified`, `renamed`, `copied` or `changed` (its mode alone);
    `patch` begins with the first `@@`, '' for what is not text or too long.
    """

    path: str
    sha: str
    status: str
    additions: int = 0
    deletions: int = 0
    previous: str = ""
    patch: str = ""


class CommitQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Commits that are wanted: those that `head` has and `base` has not, newest first.

    `path` are those that change a path; `author` is a part of name or email; `since` and `until`
    are dates as git reads them. `limit` 0 is every one.
    """

    head: str
    base: str = ""
    path: str = ""
    author: str = ""
    since: str = ""
    until: str = ""
    skip: int = 0
    limit: int = 0


class MergeConflict(Exception):
    """Two commits can't be merged without somebody who decides."""


class InvalidObject(Exception):
    """What should be written is no sound git object, or names objects that there are not."""


class GitData(Protocol):
    """A repository's objects and refs, its writes beside it. Thread-safe.

    Shas are full object ids. Raises NotFound for an object that there is not (or is of another
    type), Unavailable when git refuses.
    """

    def default_branch(self) -> str:
        """Return the default branch's name."""
        ...

    def refs(self, prefix: str) -> tuple[Ref, ...]:
        """Return the refs whose full names begin with `prefix`, sorted."""
        ...

    def resolve(self, name: str) -> str:
        """Return the commit of a branch, tag, ref or (shortened) commit id. Raises NotFound.

        `HEAD` is the default branch.
        """
        ...

    def commit(self, sha: str) -> CommitObject:
        """Return a commit."""
        ...

    def commits(self, query: CommitQuery) -> tuple[CommitObject, ...]:
        """Return commits, newest first."""
        ...

    def count(self, base: str, head: str) -> int:
        """Return how many commits `head` has that `base` has not."""
        ...

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor of two commits, '' when there is none."""
        ...

    def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """Return the files that differ between two commits ('' is the empty tree), by path."""
        ...

    def diff(self, base: str, head: str, *, mail: bool = False) -> bytes:
        """Return the difference as text; `mail`: the commits between, as `git format-patch` writes."""
        ...

    def tree(self, sha: str, *, recursive: bool = False) -> tuple[TreeEntry, ...]:
        """Return the entries of a commit's or a tree's tree; recursively folders are named too."""
        ...

    def tree_id(self, sha: str) -> str:
        """Return the id of a commit's tree, or of a tree."""
        ...

    def entry(self, sha: str, path: str) -> TreeEntry:
        """Return what a commit has at a path. Raises NotFound."""
        ...

    def blob(self, sha: str) -> bytes:
        """Return a file's content."""
        ...

    def tag(self, sha: str) -> TagObject:
        """Return an annotated tag."""
        ...

    def archive(self, sha: str, form: str, prefix: str) -> BinaryIO:
        """Return a commit's files as `tar.gz` or `zip`, all below the folder `prefix`.

        The caller closes the file.
        """
        ...

    def write_blob(self, content: bytes) -> str:
        """Store a file's content; return its id."""
        ...

    def write_tree(self, base: str, changes: Sequence[TreeEntry]) -> str:
        """Store the tree `base` ('': none) with entries laid over it; return its id.

        An entry whose `sha` is '' is removed. Raises InvalidObject.
        """
        ...

    def write_commit(self, new: CommitObject, signature: str = "") -> str:
        """Store a commit (`new.sha` is not looked at); return its id. Raises InvalidObject."""
        ...

    def write_tag(self, new: TagObject) -> str:
        """Store a tag (`new.sha` is not looked at); return its id. Raises InvalidObject."""
        ...

    def merge(self, base: str, head: str) -> str:
        """Return the tree of both commits merged. Raises MergeConflict."""
        ...

    def set_ref(self, name: str, sha: str, old: str | None = None) -> bool:
        """Point a ref to an object; False when it no longer points to `old` ('': is not there).

        `sha` '' removes it. Raises InvalidObject for a name that git does not take.
        """
        ...


class Records(Protocol):
    """Documents that were written to a repository beside its git data, by kind and id. Thread-safe.

    A kind is letters and `-`. Raises Unavailable when the disk refuses.
    """

    def add(self, kind: str, document: Mapping[str, Any]) -> int:
        """Keep a document; return its id, which is greater than those before it."""
        ...

    def find(self, kind: str, number: int) -> Mapping[str, Any] | None:
        """Return a document, or None."""
        ...

    def every(self, kind: str) -> tuple[tuple[int, Mapping[str, Any]], ...]:
        """Return the documents of a kind with their ids, oldest first."""
        ...

    def replace(self, kind: str, number: int, document: Mapping[str, Any]) -> None:
        """Keep a document in the place of another."""
        ...

    def remove(self, kind: str, number: int) -> bool:
        """Remove a document; tell whether it was there."""
        ...


class GitHubData(Protocol):
    """The data of repositories, as a job may see and write them. Thread-safe."""

    def git(self, job: ServicesJob) -> GitData:
        """Return the git data of the job's repository."""
        ...

    def records(self, job: ServicesJob) -> Records:
        """Return what was written to the job's repository."""
        ...

    def blobs(self, job: ServicesJob) -> BlobStore:
        """Return where the content of what was written lies: assets of releases."""
        ...
