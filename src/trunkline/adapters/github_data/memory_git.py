"""A repository in memory, for tests: objects as plain data, with git's own ids."""

from __future__ import annotations

import io
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

from trunkline.adapters.github_data import memory_changes, objects, writing
from trunkline.adapters.github_data.memory_objects import EMPTY_TREE, Entry, Objects
from trunkline.base.errors import NotFound
from trunkline.ports.github_data import (
    FOLDER,
    HEADS,
    MODULE,
    PROGRAM,
    TAGS,
    CommitObject,
    CommitQuery,
    FileChange,
    InvalidObject,
    MergeConflict,
    Ref,
    TagObject,
    TreeEntry,
)

SHORT_ID = re.compile(r"[0-9a-f]{4,40}")
# git-check-ref-format(1).
NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[/.]|[/.]$|^[^/]*$|^-")


class MemoryGit:
    """See the port `GitData`."""

    def __init__(self, default_branch: str = "main") -> None:
        self._default_branch = default_branch
        self._objects = Objects()
        self._refs: dict[str, str] = {}
        self._lock = threading.Lock()

    def default_branch(self) -> str:
        """Return the default branch's name."""
        return self._default_branch

    def refs(self, prefix: str) -> tuple[Ref, ...]:
        """Return the refs whose full names begin with `prefix`."""
        with self._lock:
            found = sorted(self._refs.items())
        return tuple(
            Ref(name, sha, self._objects.kind(sha), self._peeled(sha))
            for name, sha in found
            if name.startswith(prefix)
        )

    def resolve(self, name: str) -> str:
        """Return the commit that a name stands for."""
        branch = self._default_branch if name == "HEAD" else name
        candidates = [f"{HEADS}{branch}", *(f"{prefix}{name}" for prefix in (TAGS, "refs/"))]
        candidates += [name] if name.startswith("refs/") else []
        with self._lock:
            found = [self._refs[each] for each in candidates if each in self._refs]
        if not found and SHORT_ID.fullmatch(name):
            found = [sha for sha in self._objects.ids() if sha.startswith(name)]
            found = found if len(found) == 1 else []
        commits = [self._peeled(sha) for sha in found]
        for sha in commits:
            if self._objects.kind(sha) == "commit":
                return sha
        raise NotFound(f"No commit found for the ref {name}")

    def commit(self, sha: str) -> CommitObject:
        """Return a commit."""
        return self._objects.commit(self._peeled(sha))

    def commits(self, query: CommitQuery) -> tuple[CommitObject, ...]:
        """Return commits, newest first."""
        hidden = set(self._history(query.base)) if query.base else set()
        reached = self._history(query.head, query.path.strip("/"))
        found = [self.commit(sha) for sha in reached if sha not in hidden]
        found = [commit for commit in found if self._fits(commit, query)]
        return tuple(found[query.skip : query.skip + query.limit if query.limit else None])

    def count(self, base: str, head: str) -> int:
        """Return how many commits `head` has that `base` has not."""
        return len(self.commits(CommitQuery(head=head, base=base)))

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor."""
        others = set(self._history(other))
        common = [sha for sha in self._history(one) if sha in others]
        behind = {parent for sha in common for parent in self.commit(sha).parents}
        return next((sha for sha in common if sha not in behind), "")

    def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """Return the files that differ."""
        return memory_changes.changes(self._objects, self._files(base), self._files(head))

    def diff(self, base: str, head: str, *, mail: bool = False) -> bytes:
        """Return the difference as text."""
        if not mail:
            return "".join(map(_section, self.changes(base, head))).encode()
        letters = []
        for commit in reversed(self.commits(CommitQuery(head=head, base=base))):
            parent = commit.parents[0] if commit.parents else ""
            subject = commit.message.partition("\n")[0]
            letters.append(
                f"From {commit.sha} Mon Sep 17 00:00:00 2001\n"
                f"From: {commit.author.name} <{commit.author.email}>\n"
                f"Subject: [PATCH] {subject}\n\n---\n{self.diff(parent, commit.sha).decode()}"
            )
        return "".join(letters).encode()

    def tree(self, sha: str, *, recursive: bool = False) -> tuple[TreeEntry, ...]:
        """Return the entries of a tree."""
        return tuple(self._listed(self.tree_id(sha), "", recursive=recursive))

    def tree_id(self, sha: str) -> str:
        """Return the id of a commit's tree, or of a tree."""
        return self._objects.tree_id(sha)

    def entry(self, sha: str, path: str) -> TreeEntry:
        """Return what a commit has at a path."""
        plain = path.strip("/")
        found = Entry(FOLDER, self.tree_id(sha))
        for name in plain.split("/") if plain else ():
            inside = self._objects.entries(found.sha) if found.mode == FOLDER else {}
            if name not in inside:
                raise NotFound(f"there is no {path}")
            found = inside[name]
        return self._objects.listed(plain, found)

    def blob(self, sha: str) -> bytes:
        """Return a file's content."""
        return self._objects.read(sha, "blob")

    def tag(self, sha: str) -> TagObject:
        """Return an annotated tag."""
        return objects.parse_tag(sha, self._objects.read(sha, "tag"))

    def archive(self, sha: str, form: str, prefix: str) -> BinaryIO:
        """Return a commit's files as an archive."""
        made = io.BytesIO()
        files = {
            f"{prefix}/{path}": (entry, self.blob(entry.sha))
            for path, entry in self._files(sha).items()
            if entry.mode != MODULE
        }
        if form == "zip":
            with zipfile.ZipFile(made, "w") as packed:
                for name, (_, data) in files.items():
                    packed.writestr(name, data)
        else:
            with tarfile.open(fileobj=made, mode="w:gz") as archive:
                for name, (entry, data) in files.items():
                    member = tarfile.TarInfo(name)
                    member.size, member.mode = len(data), 0o755 if entry.mode == PROGRAM else 0o644
                    archive.addfile(member, io.BytesIO(data))
        made.seek(0)
        return made

    def write_blob(self, content: bytes) -> str:
        """Store a file's content."""
        return self._objects.add("blob", content)

    def write_tree(self, base: str, changes: Sequence[TreeEntry]) -> str:
        """Store a tree with entries laid over another one."""
        files = self._objects.files(base) if base else {}
        for change in changes:
            if change.sha and change.mode != MODULE and change.sha not in self._objects:
                raise InvalidObject(f"there is no object {change.sha}")
            inside = f"{change.path}/"
            files = {name: each for name, each in files.items() if not name.startswith(inside)}
            files.pop(change.path, None)
            if change.sha and change.mode == FOLDER:
                files |= self._objects.files(change.sha, inside)
            elif change.sha:
                files[change.path] = Entry(change.mode, change.sha)
        return self._objects.add_files(files)

    def write_commit(self, new: CommitObject, signature: str = "") -> str:
        """Store a commit."""
        for sha in (new.tree, *new.parents):
            self._check(sha)
        return self._objects.add("commit", writing.commit_content(new, signature))

    def write_tag(self, new: TagObject) -> str:
        """Store a tag."""
        self._check(new.object)
        return self._objects.add("tag", writing.tag_content(new))

    def merge(self, base: str, head: str) -> str:
        """Return the tree of both commits merged, file by file."""
        ancestor = self.merge_base(base, head)
        old, ours, theirs = (self._files(sha) for sha in (ancestor, base, head))
        merged: dict[str, Entry] = {}
        for path in {*old, *ours, *theirs}:
            before, own, their = old.get(path), ours.get(path), theirs.get(path)
            if own != their and before not in (own, their):
                raise MergeConflict
            kept = their if own == before else own
            if kept is not None:
                merged[path] = kept
        return self._objects.add_files(merged)

    def set_ref(self, name: str, sha: str, old: str | None = None) -> bool:
        """Point a ref to an object, or remove it."""
        if NO_REF.search(name):
            raise InvalidObject(f"{name} is not a name that git takes for a ref")
        with self._lock:
            if old is not None and self._refs.get(name, "") != old:
                return False
            if not sha:
                self._refs.pop(name, None)
                return True
            self._check(sha)
            if name.startswith(HEADS) and self._objects.kind(sha) != "commit":
                raise InvalidObject(f"{sha} is no commit: a branch can't be there")
            self._refs[name] = sha
            return True

    def _check(self, sha: str) -> None:
        if sha not in self._objects:
            raise InvalidObject(f"there is no object {sha}")

    def _peeled(self, sha: str) -> str:
        """Return what is behind annotated tags."""
        while sha in self._objects and self._objects.kind(sha) == "tag":
            sha = self.tag(sha).object
        return sha

    def _files(self, sha: str) -> dict[str, Entry]:
        return self._objects.files(self.tree_id(sha) if sha else EMPTY_TREE)

    def _listed(self, tree: str, below: str, *, recursive: bool) -> Iterator[TreeEntry]:
        for name, entry in self._objects.entries(tree).items():
            yield self._objects.listed(below + name, entry)
            if recursive and entry.mode == FOLDER:
                yield from self._listed(entry.sha, f"{below}{name}/", recursive=True)

    def _history(self, head: str, path: str = "") -> list[str]:
        """Return a commit and those behind it, newest first; with a path those that change it.

        Of a merge only a parent that has the same at the path is followed (git-log(1)).
        """
        waiting, seen, found = [self.commit(head)], {head}, []
        while waiting:
            waiting.sort(key=lambda each: each.committer.at)
            commit = waiting.pop()
            parents = commit.parents
            own = self._at(commit.sha, path)
            same = [parent for parent in parents if path and self._at(parent, path) == own]
            if same:
                parents = (same[0],)
            elif not path or parents or own:
                found.append(commit.sha)
            waiting += [self.commit(parent) for parent in parents if parent not in seen]
            seen.update(parents)
        return found

    def _at(self, sha: str, path: str) -> str:
        try:
            return self.entry(sha, path).sha
        except NotFound:
            return ""

    def _fits(self, commit: CommitObject, query: CommitQuery) -> bool:
        author = f"{commit.author.name} <{commit.author.email}>".lower()
        at = commit.committer.at
        return (
            query.author.lower() in author
            and (not query.since or at >= _seconds(query.since))
            and (not query.until or at <= _seconds(query.until))
        )


def _seconds(date: str) -> float:
    found = datetime.fromisoformat(date)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _section(change: FileChange) -> str:
    previous = change.previous or change.path
    head = f"diff --git a/{previous} b/{change.path}\n"
    if not change.patch:
        return head
    old = "/dev/null" if change.status == "added" else f"a/{previous}"
    new = "/dev/null" if change.status == "removed" else f"b/{change.path}"
    return f"{head}--- {old}\n+++ {new}\n{change.patch}\n"
