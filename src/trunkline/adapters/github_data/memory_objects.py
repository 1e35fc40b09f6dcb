"""Git objects as plain data, under the ids that git gives them (gitformat-pack, git-hash-object)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from trunkline.adapters.github_data.objects import SIGNATURE, text
from trunkline.base.errors import NotFound
from trunkline.ports.github_data import FOLDER, MODULE, CommitObject, Signature, TreeEntry

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


class Entry(NamedTuple):
    """What a tree has under a name."""

    mode: str
    sha: str

    @property
    def type(self) -> str:
        """Return the type of the object."""
        return {FOLDER: "tree", MODULE: "commit"}.get(self.mode, "blob")


class Objects:
    """Objects by their ids."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, bytes]] = {EMPTY_TREE: ("tree", b"")}

    def __contains__(self, sha: object) -> bool:
        """Tell whether an object is there."""
        return sha in self._kept

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all objects."""
        return tuple(self._kept)

    def add(self, kind: str, content: bytes) -> str:
        """Keep an object; return its id."""
        head = f"{kind} {len(content)}\0".encode("ascii")
        sha = hashlib.sha1(head + content, usedforsecurity=False).hexdigest()
        self._kept[sha] = (kind, content)
        return sha

    def kind(self, sha: str) -> str:
        """Return an object's type. Raises NotFound."""
        return self._object(sha)[0]

    def read(self, sha: str, kind: str) -> bytes:
        """Return the content of an object of a type. Raises NotFound."""
        found, content = self._object(sha)
        if found != kind:
            raise NotFound(f"{sha} is a {found}")
        return content

    def commit(self, sha: str) -> CommitObject:
        """Return a commit. Raises NotFound."""
        head, _, message = text(self.read(sha, "commit")).partition("\n\n")
        lines = [line.partition(" ") for line in head.splitlines() if not line.startswith(" ")]
        fields = {name: value for name, _, value in lines}
        return CommitObject(
            sha=sha,
            tree=fields["tree"],
            parents=tuple(value for name, _, value in lines if name == "parent"),
            author=_person(fields["author"]),
            committer=_person(fields["committer"]),
            message=message.rstrip("\n"),
        )

    def tree_id(self, sha: str) -> str:
        """Return the tree of a commit, a tag or a tree. Raises NotFound."""
        kind, content = self._object(sha)
        if kind in {"commit", "tag"}:
            return self.tree_id(content.split(b"\n", 1)[0].split(b" ")[1].decode("ascii"))
        if kind != "tree":
            raise NotFound(f"{sha} has no tree")
        return sha

    def entries(self, tree: str) -> dict[str, Entry]:
        """Return what a tree has, by name, in git's order. Raises NotFound."""
        content, found = self.read(tree, "tree"), {}
        while content:
            head, _, rest = content.partition(b"\0")
            mode, _, name = head.partition(b" ")
            found[text(name)] = Entry(mode.decode("ascii").zfill(6), rest[:20].hex())
            content = rest[20:]
        return found

    def files(self, tree: str, below: str = "") -> dict[str, Entry]:
        """Return everything below a tree but its folders, by path. Raises NotFound."""
        found: dict[str, Entry] = {}
        for name, entry in self.entries(tree).items():
            if entry.mode == FOLDER:
                found |= self.files(entry.sha, f"{below}{name}/")
            else:
                found[below + name] = entry
        return found

    def add_files(self, files: Mapping[str, Entry]) -> str:
        """Keep the trees of files (and whole folders) by path; return the id of the top one."""
        own: dict[str, Entry] = {}
        folders: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = entry
            else:
                own[name] = entry
        for name, inside in folders.items():
            own[name] = Entry(FOLDER, self.add_files(inside))
        order = sorted(own, key=lambda name: f"{name}/" if own[name].mode == FOLDER else name)
        lines = (
            f"{own[name].mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(own[name].sha)
            for name in order
        )
        return self.add("tree", b"".join(lines))

    def listed(self, path: str, entry: Entry) -> TreeEntry:
        """Return an entry as the port has it."""
        size = len(self.read(entry.sha, "blob")) if entry.type == "blob" else None
        return TreeEntry(path, entry.mode, entry.type, entry.sha, size)

    def _object(self, sha: str) -> tuple[str, bytes]:
        if sha not in self._kept:
            raise NotFound(f"there is no object {sha}")
        return self._kept[sha]


def _person(line: str) -> Signature:
    found = SIGNATURE.fullmatch(line)
    if found is None:
        return Signature("", "", 0)
    return Signature(found["name"], found["email"], int(found["at"]), found["zone"])
