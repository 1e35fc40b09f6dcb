"""Reads what git prints of refs, commits, tags and trees."""

from __future__ import annotations

import re

from trunkline.ports.github_data import CommitObject, Ref, Signature, TagObject, TreeEntry

COMMIT_FIELDS = ("%H", "%T", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%B")
LOG = (
    *("log", "-z", "--no-color", "--no-mailmap", "--no-notes", "--date=raw", "--no-patch"),
    f"--format=tformat:{'%x00'.join(COMMIT_FIELDS)}",
)
REFS = (
    "for-each-ref",
    "--format=%(objectname) %(objecttype) %(*objectname) %(*objecttype) %(refname)",
)
SIGNATURE = re.compile(r"(?P<name>[^<]*?) ?<(?P<email>[^>]*)> (?P<at>-?\d+) (?P<zone>[+-]\d{4})")


def parse_refs(output: bytes) -> tuple[Ref, ...]:
    """Return the refs that REFS listed."""
    found = []
    for line in text(output).splitlines():
        sha, kind, peeled, _, name = line.split(" ", 4)
        found.append(Ref(name, sha, kind, peeled or sha))
    return tuple(found)


def parse_commits(output: bytes) -> tuple[CommitObject, ...]:
    """Return the commits that LOG printed."""
    fields = text(output).split("\0")
    width = len(COMMIT_FIELDS)
    starts = range(0, len(fields) - width + 1, width)
    return tuple(_commit(fields[start : start + width]) for start in starts)


def _commit(fields: list[str]) -> CommitObject:
    sha, tree, parents, author, email, made, committer, committer_email, kept, message = fields
    return CommitObject(
        sha=sha.strip(),
        tree=tree,
        parents=tuple(parents.split()),
        author=_signature(author, email, made),
        committer=_signature(committer, committer_email, kept),
        message=message.rstrip("\n"),
    )


def _signature(name: str, email: str, date: str) -> Signature:
    at, _, zone = date.partition(" ")
    return Signature(name, email, int(at or 0), zone or "+0000")


def parse_tag(sha: str, output: bytes) -> TagObject:
    """Return the annotated tag whose content git printed."""
    head, _, message = text(output).partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.splitlines() if " " in line)
    by = SIGNATURE.fullmatch(fields.get("tagger", ""))
    tagger = Signature(by["name"], by["email"], int(by["at"]), by["zone"]) if by else None
    return TagObject(
        sha=sha,
        tag=fields.get("tag", ""),
        object=fields.get("object", ""),
        type=fields.get("type", ""),
        message=message.rstrip("\n"),
        tagger=tagger or Signature("", "", 0),
    )


def parse_tree(output: bytes) -> tuple[TreeEntry, ...]:
    """Return the entries that `git ls-tree -z -l` printed.

    It prints `-` for the size of what is no file, `BAD` for a file that a partial clone lacks.
    """
    found = []
    for entry in filter(None, text(output).split("\0")):
        head, _, path = entry.partition("\t")
        mode, kind, sha, size = head.split()
        found.append(TreeEntry(path, mode, kind, sha, int(size) if size.isdigit() else None))
    return tuple(found)


def text(raw: bytes) -> str:
    """Return what git printed; bytes that are no UTF-8 are replaced."""
    return raw.decode(errors="replace")
