"""A run's repository as GitHub's API reads and writes it, through git."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from trunkline.adapters.git.command import GitFailed, environment, git
from trunkline.adapters.github_data import changes as differences
from trunkline.adapters.github_data import objects, writing
from trunkline.base.errors import NotFound
from trunkline.ports.github_data import (
    HEADS,
    TAGS,
    CommitObject,
    CommitQuery,
    FileChange,
    InvalidObject,
    Ref,
    TagObject,
    TreeEntry,
)

EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
SHORT_ID = re.compile(r"[0-9a-f]{4,64}")
# What git would read as more than a name.
NO_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^-|^$")


class ScratchGit:
    """See the port `GitData`; `folder` is a bare repository made by `make_scratch`."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._writing = threading.Lock()

    @property
    def folder(self) -> str:
        """Return the git directory."""
        return self._folder

    def default_branch(self) -> str:
        """Return the default branch's name."""
        head = (Path(self._folder) / "HEAD").read_text(encoding="utf-8")
        return head.strip().removeprefix("ref: ").removeprefix(HEADS)

    def refs(self, prefix: str) -> tuple[Ref, ...]:
        """Return the refs whose full names begin with `prefix`."""
        found = objects.parse_refs(git(self._folder, *objects.REFS))
        return tuple(ref for ref in found if ref.name.startswith(prefix))

    def resolve(self, name: str) -> str:
        """Return the commit that a name stands for. Raises NotFound."""
        if not NO_NAME.search(name):
            branch = self.default_branch() if name == "HEAD" else name
            candidates = [f"{HEADS}{branch}", *(f"{prefix}{name}" for prefix in (TAGS, "refs/"))]
            candidates += [name] if name.startswith("refs/") or SHORT_ID.fullmatch(name) else []
            asked = "".join(f"{candidate}^{{commit}}\n" for candidate in candidates)
            told = git(self._folder, "cat-file", "--batch-check", given=asked.encode())
            for line in told.decode(errors="replace").splitlines():
                sha, _, kind = line.partition(" ")
                if kind.startswith("commit "):
                    return sha
        raise NotFound(f"No commit found for the ref {name}")

    def commit(self, sha: str) -> CommitObject:
        """Return a commit."""
        found = objects.parse_commits(self._read(*objects.LOG, "-1", "--end-of-options", sha, "--"))
        if not found:
            raise NotFound(f"there is no commit {sha}")
        return found[0]

    def commits(self, query: CommitQuery) -> tuple[CommitObject, ...]:
        """Return commits, newest first."""
        options = [f"--skip={query.skip:d}"]
        options += [f"--max-count={query.limit:d}"] if query.limit else []
        options += [f"--author={re.escape(query.author)}", "-i"] if query.author else []
        options += [f"--since={query.since}"] if query.since else []
        options += [f"--until={query.until}"] if query.until else []
        revisions = [query.head, *([f"^{query.base}"] if query.base else [])]
        paths = [f":(literal){query.path}"] if query.path else []
        printed = self._read(*objects.LOG, *options, "--end-of-options", *revisions, "--", *paths)
        return objects.parse_commits(printed)

    def count(self, base: str, head: str) -> int:
        """Return how many commits `head` has that `base` has not."""
        return int(self._read("rev-list", "--count", head, f"^{base}", "--"))

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor of two commits, '' without one."""
        try:
            return git(self._folder, "merge-base", one, other).decode("ascii").strip()
        except GitFailed as error:
            if error.code == 1:
                return ""
            raise NotFound(error.text) from error

    def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """Return the files that differ between two commits."""
        pair = (base or EMPTY_TREES[len(head)], head)
        names = self._read(*differences.NAMES, *pair, "--")
        patches = self._read(*differences.PATCHES, *pair, "--")
        return differences.parse_changes(names, patches)

    def diff(self, base: str, head: str, *, mail: bool = False) -> bytes:
        """Return the difference as text."""
        if mail:
            wanted = (f"{base}..{head}",) if base else ("--root", head)
            return self._read("format-patch", "--stdout", *wanted, "--")
        return self._read(
            "diff", "--no-color", "--no-ext-diff", base or EMPTY_TREES[len(head)], head
        )

    def tree(self, sha: str, *, recursive: bool = False) -> tuple[TreeEntry, ...]:
        """Return the entries of a commit's or a tree's tree."""
        options = ("-r", "-t") if recursive else ()
        return objects.parse_tree(self._read("ls-tree", "-z", "-l", *options, sha))

    def tree_id(self, sha: str) -> str:
        """Return the id of a commit's tree, or of a tree."""
        found = self._read("rev-parse", "--verify", "-q", "--end-of-options", f"{sha}^{{tree}}")
        return found.decode("ascii").strip()

    def entry(self, sha: str, path: str) -> TreeEntry:
        """Return what a commit has at a path. Raises NotFound."""
        plain = path.strip("/")
        if not plain:
            return TreeEntry("", "040000", "tree", self.tree_id(sha))
        listing = ("--literal-pathspecs", "ls-tree", "-z", "-l", "--full-tree", "--end-of-options")
        found = objects.parse_tree(self._read(*listing, sha, plain))
        if not found or found[0].path != plain:
            raise NotFound(f"there is no {path}")
        return found[0]

    def blob(self, sha: str) -> bytes:
        """Return a file's content."""
        return self._read("cat-file", "blob", sha)

    def tag(self, sha: str) -> TagObject:
        """Return an annotated tag."""
        return objects.parse_tag(sha, self._read("cat-file", "tag", sha))

    def archive(self, sha: str, form: str, prefix: str) -> BinaryIO:
        """Return a commit's files as an archive, in a file that goes when it is closed."""
        file = tempfile.TemporaryFile(prefix="trunkline-")  # noqa: SIM115 - the caller closes it
        made = subprocess.run(
            ["git", "archive", f"--format={form}", f"--prefix={prefix}/", sha],
            cwd=self._folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if made.returncode:
            file.close()
            raise NotFound(f"there is no commit {sha}")
        file.seek(0)
        return file

    def write_blob(self, content: bytes) -> str:
        """Store a file's content; return its id."""
        return writing.write_object(self._folder, "blob", content)

    def write_tree(self, base: str, changes: Sequence[TreeEntry]) -> str:
        """Store a tree with entries laid over another one."""
        return writing.write_tree(self._folder, base, changes)

    def write_commit(self, new: CommitObject, signature: str = "") -> str:
        """Store a commit."""
        for sha in (new.tree, *new.parents):
            self._exists(sha)
        return writing.write_object(self._folder, "commit", writing.commit_content(new, signature))

    def write_tag(self, new: TagObject) -> str:
        """Store a tag."""
        self._exists(new.object)
        return writing.write_object(self._folder, "tag", writing.tag_content(new))

    def merge(self, base: str, head: str) -> str:
        """Return the tree of both commits merged. Raises MergeConflict."""
        return writing.merge(self._folder, base, head)

    def set_ref(self, name: str, sha: str, old: str | None = None) -> bool:
        """Point a ref to an object, or remove it."""
        with self._writing:
            return writing.set_ref(self._folder, name, sha, old)

    def _exists(self, sha: str) -> None:
        if not writing.SHA.fullmatch(sha):
            raise InvalidObject(f"{sha} is no object id")
        try:
            git(self._folder, "cat-file", "-e", sha)
        except GitFailed as error:
            raise InvalidObject(f"there is no object {sha}") from error

    def _read(self, *args: str) -> bytes:
        """Return what git prints. Raises NotFound when it fails: an object is not there."""
        if any("\0" in arg for arg in args):
            raise NotFound("no name has a NUL in it")
        try:
            return git(self._folder, *args)
        except GitFailed as error:
            raise NotFound(error.text) from error
