"""Contents: files and folders read at a ref, and written as a commit."""

from __future__ import annotations

import binascii
from base64 import b64decode, encodebytes

import msgspec

from trunkline.base.errors import NotFound
from trunkline.ports.github_data import (
    FILE,
    HEADS,
    LINK,
    CommitObject,
    InvalidObject,
    TreeEntry,
)
from trunkline.services.actions.signed_urls import READ
from trunkline.services.github.calls import Answer, Call, Content, Document, Reply
from trunkline.services.github.documents import Person, commit_summary, quoted, signed
from trunkline.services.github.downloads import FILES
from trunkline.services.github.refusals import Refused, invalid, not_found

# GitHub gives larger files raw alone, and none beyond 100 MB.
LARGEST_INLINE = 1 << 20
KINDS = {"blob": "file", "tree": "dir", "commit": "submodule"}
READMES = ("readme.md", "readme.rst", "readme.txt", "readme")


def get(call: Call) -> Answer:
    """Return a file with its content, or a folder's entries."""
    path = str(call.path.get("path", "")).strip("/")
    commit = _commit(call)
    try:
        entry = call.git.entry(commit, path)
    except NotFound as error:
        raise not_found() from error
    if entry.type == "tree":
        entries = call.git.tree(entry.sha)
        listed = [_summary(call, _below(path, each.path), each, commit) for each in entries]
        return Reply(
            {"type": "dir", "path": path, "entries": listed} if call.wants("object") else listed
        )
    if entry.type == "blob" and call.wants("raw"):
        data = call.git.blob(entry.sha)
        return Content(content=data, content_type=_raw_type(call), size=len(data))
    return Reply(file_document(call, path, entry, commit))


def readme(call: Call) -> Answer:
    """Return the README."""
    commit = _commit(call)
    names = {entry.path.lower(): entry for entry in call.git.tree(commit) if entry.type == "blob"}
    entry = next((names[name] for name in READMES if name in names), None)
    if entry is None:
        raise not_found()
    if call.wants("raw"):
        data = call.git.blob(entry.sha)
        return Content(content=data, content_type=_raw_type(call), size=len(data))
    return Reply(file_document(call, entry.path, entry, commit))


def _raw_type(call: Call) -> str:
    return f"{call.accept.partition(',')[0].partition(';')[0].strip()}; charset=utf-8"


def _commit(call: Call) -> str:
    ref = call.query.get("ref", "")
    try:
        return call.git.resolve(ref or call.git.default_branch())
    except NotFound as error:
        if not ref:
            raise not_found("This repository is empty.") from error
        raise not_found(f"No commit found for the ref {ref}") from error


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def file_document(call: Call, path: str, entry: TreeEntry, ref: str) -> Document:
    """Return a file, a link or a submodule, files with their content in base64."""
    summary = _summary(call, path, entry, ref)
    if entry.type != "blob":
        return {**summary, "submodule_git_url": None}
    data = call.git.blob(entry.sha)
    if entry.mode == LINK:
        return {**summary, "target": data.decode(errors="replace")}
    if len(data) > LARGEST_INLINE:
        return {**summary, "encoding": "none", "content": ""}
    return {**summary, "encoding": "base64", "content": encodebytes(data).decode("ascii")}


def _summary(call: Call, path: str, entry: TreeEntry, ref: str) -> Document:
    where = quoted(path)
    here = f"{call.url}/contents/{where}?ref={ref}"
    kind = "symlink" if entry.mode == LINK else KINDS[entry.type]
    part = "tree" if entry.type == "tree" else "blob"
    below = "trees" if entry.type == "tree" else "blobs"
    html, git = f"{call.page}/{part}/{ref}/{where}", f"{call.url}/git/{below}/{entry.sha}"
    return {
        "type": kind,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": here,
        "html_url": html,
        "git_url": git,
        "download_url": _download_url(call, entry),
        "_links": {"self": here, "git": git, "html": html},
    }


def _download_url(call: Call, entry: TreeEntry) -> str | None:
    if entry.type != "blob":
        return None
    return call.stores.urls.url(call.origin, call.job, READ, FILES, entry.sha)


class PutRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A file to write: `content` in base64; `sha` is that of the file it replaces."""

    message: str
    content: str
    sha: str | None = None
    branch: str | None = None
    author: Person | None = None
    committer: Person | None = None


class DeleteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A file to remove; `sha` is what it has now."""

    message: str
    sha: str
    branch: str | None = None
    author: Person | None = None
    committer: Person | None = None


def put(call: Call) -> Answer:
    """Write a file, as a commit on a branch."""
    asked = call.read(PutRequest, "Content")
    try:
        data = b64decode("".join(asked.content.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(422, "content is not valid Base64") from error
    path = _path(call)
    branch, parent = _branch(call, asked.branch)
    old = _old(call, parent, path)
    if old is not None and asked.sha is None:
        raise Refused(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if asked.sha is not None and (old is None or old.sha != asked.sha):
        raise Refused(409, f"{path} does not match {asked.sha}")
    entry = TreeEntry(path, old.mode if old else FILE, "blob", call.git.write_blob(data))
    commit = _write(call, asked, branch, parent, entry)
    document = file_document(call, path, call.git.entry(commit["sha"], path), branch)
    document.pop("content", None)
    return Reply({"content": document, "commit": commit}, 200 if old else 201)


def delete(call: Call) -> Answer:
    """Remove a file, as a commit on a branch."""
    query = {name: call.query[name] for name in ("message", "sha", "branch") if name in call.query}
    asked = msgspec.structs.replace(call, body={**query, **(call.body or {})}).read(
        DeleteRequest, "Content"
    )
    path = _path(call)
    branch, parent = _branch(call, asked.branch)
    old = _old(call, parent, path)
    if old is None:
        raise not_found()
    if old.sha != asked.sha:
        raise Refused(409, f"{path} does not match {asked.sha}")
    entry = TreeEntry(path, old.mode, "blob", "")
    return Reply({"content": None, "commit": _write(call, asked, branch, parent, entry)})


def _path(call: Call) -> str:
    path = str(call.path.get("path", "")).strip("/")
    parts = path.split("/")
    if not path or any(part in {"", ".", "..", ".git"} for part in parts) or "\0" in path:
        raise Refused(422, "path contains a malformed path component")
    return path


def _branch(call: Call, asked: str | None) -> tuple[str, str]:
    """Return a branch and its tip; '' for the first commit of all."""
    branch = (asked or call.git.default_branch()).removeprefix(HEADS)
    try:
        return branch, call.git.resolve(HEADS + branch)
    except NotFound as error:
        if call.git.refs(HEADS):
            raise not_found(f"Branch {branch} not found") from error
        return branch, ""


def _old(call: Call, parent: str, path: str) -> TreeEntry | None:
    if not parent:
        return None
    try:
        found = call.git.entry(parent, path)
    except NotFound:
        return None
    if found.type != "blob":
        raise invalid("Content", "path", "invalid", f"{path} is no file")
    return found


def _write(
    call: Call,
    asked: PutRequest | DeleteRequest,
    branch: str,
    parent: str,
    entry: TreeEntry,
) -> Document:
    committer = signed(call, asked.committer or asked.author)
    author = signed(call, asked.author or asked.committer)
    try:
        tree = call.git.write_tree(call.git.tree_id(parent) if parent else "", (entry,))
        new = CommitObject(
            sha="",
            tree=tree,
            parents=(parent,) if parent else (),
            author=author,
            committer=committer,
            message=asked.message,
        )
        sha = call.git.write_commit(new)
        moved = call.git.set_ref(HEADS + branch, sha, parent)
    except InvalidObject as error:
        raise Refused(422, str(error)) from error
    if not moved:
        raise Refused(409, f"is at another commit than {parent}")
    change = "written" if entry.sha else "removed"
    call.tell("file", f"{entry.path}, {change} on {branch}")
    return commit_summary(call, call.git.commit(sha))
