"""Writes git objects and refs into a run's own repository."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence

from trunkline.adapters.git.command import GitFailed, git
from trunkline.ports.github_data import (
    FOLDER,
    CommitObject,
    InvalidObject,
    MergeConflict,
    Signature,
    TagObject,
    TreeEntry,
)

UNSAFE = re.compile(r"[<>\n\0]")
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def write_object(folder: str, kind: str, content: bytes) -> str:
    """Store an object after git's own checks; return its id. Raises InvalidObject."""
    try:
        written = git(folder, "hash-object", "-t", kind, "-w", "--stdin", given=content)
    except GitFailed as error:
        raise InvalidObject(error.text) from error
    return written.decode("ascii").strip()


def commit_content(new: CommitObject, signature: str) -> bytes:
    """Return a commit as git stores it."""
    lines = [f"tree {new.tree}", *(f"parent {parent}" for parent in new.parents)]
    lines += [f"author {_who(new.author)}", f"committer {_who(new.committer)}"]
    if signature:
        lines.append("gpgsig " + signature.strip().replace("\n", "\n "))
    return ("\n".join(lines) + f"\n\n{new.message}").encode()


def tag_content(new: TagObject) -> bytes:
    """Return an annotated tag as git stores it."""
    lines = (
        f"object {new.object}",
        f"type {new.type}",
        f"tag {new.tag}",
        f"tagger {_who(new.tagger)}",
    )
    return ("\n".join(lines) + f"\n\n{new.message}\n").encode()


def _who(by: Signature) -> str:
    name, email = (UNSAFE.sub("", part).strip() for part in (by.name, by.email))
    return f"{name} <{email}> {by.at} {by.zone}"


def write_tree(folder: str, base: str, changes: Sequence[TreeEntry]) -> str:
    """Store a tree over another one, by an index of its own. Raises InvalidObject."""
    with tempfile.TemporaryDirectory(prefix="trunkline-") as place:
        more = {"GIT_INDEX_FILE": f"{place}/index"}
        try:
            git(folder, "read-tree", base or "--empty", more=more)
            width = len(base) or 40
            lines = (
                _folder_lines(folder, base, entry)
                if entry.sha and entry.mode == FOLDER
                else _index_line(entry, width)
                for entry in changes
            )
            git(folder, "update-index", "-z", "--index-info", given=b"".join(lines), more=more)
            return git(folder, "write-tree", more=more).decode("ascii").strip()
        except GitFailed as error:
            raise InvalidObject(error.text) from error


def _folder_lines(folder: str, base: str, entry: TreeEntry) -> bytes:
    """Return the lines that put the files of a tree in the place of what `base` has below a path."""
    listing = ("ls-tree", "-r", "-z", "--full-tree", "--end-of-options")
    below = ("--literal-pathspecs", *listing, base, f"{entry.path}/")
    old = git(folder, *below).split(b"\0") if base else []
    removed = (line.partition(b"\t")[2] for line in old if line)
    lines = [b"0 " + b"0" * (len(base) or 40) + b"\t" + path + b"\0" for path in removed]
    for line in filter(None, git(folder, *listing, entry.sha).split(b"\0")):
        head, _, path = line.partition(b"\t")
        lines.append(head + b"\t" + entry.path.encode() + b"/" + path + b"\0")
    return b"".join(lines)


def _index_line(entry: TreeEntry, width: int) -> bytes:
    mode, sha = (entry.mode, entry.sha) if entry.sha else ("0", "0" * width)
    return f"{mode} {sha}\t{entry.path}\0".encode(errors="surrogateescape")


def merge(folder: str, base: str, head: str) -> str:
    """Return the tree of two commits merged. Raises MergeConflict."""
    try:
        merged = git(folder, "merge-tree", "--write-tree", "--no-messages", base, head)
    except GitFailed as error:
        if error.code == 1:
            raise MergeConflict from error
        raise
    return merged.decode("ascii").split()[0]


def set_ref(folder: str, name: str, sha: str, old: str | None) -> bool:
    """Point a ref to an object, or remove it; False when it does not point to `old`."""
    try:
        git(folder, "check-ref-format", name.replace("\0", "?"))
    except GitFailed as error:
        raise InvalidObject(f"{name} is not a name that git takes for a ref") from error
    if old is not None and _current(folder, name) != old:
        return False
    if sha and not SHA.fullmatch(sha):
        raise InvalidObject(f"{sha} is no object id")
    was = old or ("" if old is None else "0" * len(sha))
    command = f"update {name}\0{sha}\0{was}\0" if sha else f"delete {name}\0{was}\0"
    try:
        git(folder, "update-ref", "-z", "--stdin", given=command.encode())
    except GitFailed as error:
        if old is not None and _current(folder, name) != old:  # a push was faster
            return False
        raise InvalidObject(error.text) from error
    return True


def _current(folder: str, name: str) -> str:
    try:
        return git(folder, "rev-parse", "--verify", "-q", "--end-of-options", name).decode().strip()
    except GitFailed:
        return ""
