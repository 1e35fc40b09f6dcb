"""Git data: refs, commits, trees, blobs and tags, read and written."""

from __future__ import annotations

import binascii
from base64 import b64decode, encodebytes

import msgspec

from trunkline.base.errors import NotFound
from trunkline.plan.payloads import stable_id
from trunkline.ports.github_data import (
    FILE,
    FOLDER,
    LINK,
    MODULE,
    PROGRAM,
    CommitObject,
    InvalidObject,
    Ref,
    TagObject,
    TreeEntry,
)
from trunkline.services.github.calls import Answer, Call, Document, Listing, Reply
from trunkline.services.github.commits import SHA
from trunkline.services.github.documents import UNVERIFIED, Person, git_person, signed
from trunkline.services.github.refusals import Refused, invalid, not_found

KINDS = {FILE: "blob", PROGRAM: "blob", LINK: "blob", FOLDER: "tree", MODULE: "commit"}
# As many entries as GitHub lists of a tree.
MOST_ENTRIES = 100_000


# --- refs -------------------------------------------------------------------------------


def get_ref(call: Call) -> Answer:
    """Return a ref."""
    return Reply(_ref_document(call, _ref(call, _name(call))))


def matching_refs(call: Call) -> Answer:
    """List the refs whose names begin as asked."""
    found = call.git.refs(_name(call))
    return Listing([_ref_document(call, ref) for ref in found])


def get_refs(call: Call) -> Answer:
    """Return the ref of that very name, else list those below it (before `git/ref`: both in one)."""
    name = _name(call)
    found = call.git.refs(name)
    if not found:
        raise not_found()
    exact = next((ref for ref in found if ref.name == name), None)
    return Reply(_ref_document(call, exact)) if exact is not None else matching_refs(call)


class NewRef(msgspec.Struct, frozen=True):
    """A ref to make."""

    ref: str
    sha: str


def create_ref(call: Call) -> Answer:
    """Make a ref."""
    asked = call.read(NewRef, "Reference")
    if not asked.ref.startswith("refs/") or asked.ref.count("/") < 2:
        raise Refused(422, "Reference name must start with 'refs/' and have at least two slashes.")
    _check_object(asked.sha)
    if not _set(call, asked.ref, asked.sha, ""):
        raise Refused(422, "Reference already exists")
    return Reply(
        _ref_document(call, _ref(call, asked.ref)), 201, location=f"{call.url}/git/{asked.ref}"
    )


class RefChange(msgspec.Struct, frozen=True):
    """Where a ref shall point; `force` allows what is no fast-forward."""

    sha: str
    force: bool = False


def update_ref(call: Call) -> Answer:
    """Point a ref elsewhere."""
    asked = call.read(RefChange, "Reference")
    _check_object(asked.sha)
    name = _name(call)
    try:
        ref = _ref(call, name)
    except Refused as error:
        raise Refused(422, "Reference does not exist") from error
    if not asked.force and ref.type == "commit":
        try:
            base = call.git.merge_base(ref.commit, asked.sha)
        except NotFound as error:
            raise Refused(422, "Object does not exist") from error
        if base != ref.commit:
            raise Refused(422, "Update is not a fast forward")
    if not _set(call, name, asked.sha, ref.sha):
        raise Refused(409, "Reference cannot be updated")
    return Reply(_ref_document(call, _ref(call, name)))


def delete_ref(call: Call) -> Answer:
    """Remove a ref."""
    name = _name(call)
    try:
        ref = _ref(call, name)
    except Refused as error:
        raise Refused(422, "Reference does not exist") from error
    _set(call, name, "", ref.sha)
    return Reply(None, 204)


def _name(call: Call) -> str:
    return "refs/" + str(call.path.get("ref", "")).removeprefix("refs/")


def _ref(call: Call, name: str) -> Ref:
    found = next((ref for ref in call.git.refs(name) if ref.name == name), None)
    if found is None:
        raise not_found()
    return found


def _set(call: Call, name: str, sha: str, old: str) -> bool:
    try:
        done = call.git.set_ref(name, sha, old)
    except InvalidObject as error:
        known = not sha or _exists(call, sha)
        what = f"{name} is not a valid ref name." if known else "Object does not exist"
        raise Refused(422, what) from error
    if done:
        call.tell("ref", f"{name}, {f'at {sha[:7]}' if sha else 'removed'}")
    return done


def _exists(call: Call, sha: str) -> bool:
    try:
        call.git.tree_id(sha)
    except NotFound:
        return False
    return True


def _check_object(sha: str) -> None:
    if not SHA.fullmatch(sha):
        raise Refused(
            422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f]."
        )


def _ref_document(call: Call, ref: Ref) -> Document:
    url = f"{call.url}/git/{ref.type}s/{ref.sha}"
    return {
        "ref": ref.name,
        "node_id": f"REF_{stable_id(ref.name)}",
        "url": f"{call.url}/git/{ref.name}",
        "object": {"sha": ref.sha, "type": ref.type, "url": url},
    }


# --- commits ----------------------------------------------------------------------------


def get_commit(call: Call) -> Answer:
    """Return a commit as git has it."""
    sha = str(call.path["sha"])
    if not SHA.fullmatch(sha):
        raise not_found()
    try:
        return Reply(_commit_document(call, call.git.commit(sha)))
    except NotFound as error:
        raise not_found() from error


class NewCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit to make."""

    message: str
    tree: str
    parents: tuple[str, ...] = ()
    author: Person | None = None
    committer: Person | None = None
    signature: str | None = None


def create_commit(call: Call) -> Answer:
    """Store a commit; no branch moves."""
    asked = call.read(NewCommit, "Commit")
    author = signed(call, asked.author or asked.committer)
    new = CommitObject(
        sha="",
        tree=asked.tree,
        parents=asked.parents,
        author=author,
        committer=signed(call, asked.committer) if asked.committer else author,
        message=asked.message,
    )
    try:
        sha = call.git.write_commit(new, asked.signature or "")
    except InvalidObject as error:
        which = "Tree SHA" if asked.tree in str(error) else "Parent SHA"
        raise Refused(422, f"{which} does not exist") from error
    document = _commit_document(call, call.git.commit(sha))
    return Reply(document, 201, location=str(document["url"]))


def _commit_document(call: Call, commit: CommitObject) -> Document:
    return {
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "url": f"{call.url}/git/commits/{commit.sha}",
        "html_url": f"{call.page}/commit/{commit.sha}",
        "author": git_person(commit.author),
        "committer": git_person(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{call.url}/git/trees/{commit.tree}"},
        "parents": [
            {
                "sha": sha,
                "url": f"{call.url}/git/commits/{sha}",
                "html_url": f"{call.page}/commit/{sha}",
            }
            for sha in commit.parents
        ],
        "verification": UNVERIFIED,
    }


# --- trees ------------------------------------------------------------------------------


def get_tree(call: Call) -> Answer:
    """Return a tree, by its id or that of a commit, a branch or a tag."""
    name = str(call.path["sha"])
    sha = name
    if not SHA.fullmatch(name):
        try:
            sha = call.git.resolve(name)
        except NotFound as error:
            raise not_found() from error
    return Reply(_tree_document(call, sha, recursive=bool(call.query.get("recursive"))))


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a tree to make: an object's id, or a file's text; a null `sha` removes it."""

    path: str
    mode: str = FILE
    type: str = ""
    sha: str | msgspec.UnsetType | None = msgspec.UNSET
    content: str | None = None


class NewTree(msgspec.Struct, frozen=True):
    """A tree to make over another one."""

    tree: tuple[NewEntry, ...]
    base_tree: str | None = None


def create_tree(call: Call) -> Answer:
    """Store a tree."""
    asked = call.read(NewTree, "Tree")
    entries = tuple(_entry(call, entry) for entry in asked.tree)
    try:
        base = call.git.tree_id(asked.base_tree) if asked.base_tree else ""
    except NotFound as error:
        raise Refused(422, "base_tree is not a valid tree oid") from error
    try:
        sha = call.git.write_tree(base, entries)
    except InvalidObject as error:
        raise Refused(422, f"tree.sha is not valid: {error}") from error
    document = _tree_document(call, sha, recursive=False)
    return Reply(document, 201, location=str(document["url"]))


def _entry(call: Call, entry: NewEntry) -> TreeEntry:
    parts = entry.path.split("/")
    if any(part.lower() in {"", ".", "..", ".git"} for part in parts) or "\0" in entry.path:
        raise Refused(422, "tree.path contains a malformed path component")
    kind = KINDS.get(entry.mode)
    if kind is None or entry.type not in {"", kind}:
        raise Refused(422, "Must supply a valid tree.mode")
    if entry.content is not None:
        return TreeEntry(entry.path, entry.mode, kind, call.git.write_blob(entry.content.encode()))
    if entry.sha is msgspec.UNSET:
        raise Refused(422, "Must supply either tree.sha or tree.content.")
    if entry.sha is not None and not SHA.fullmatch(entry.sha):
        raise Refused(422, "tree.sha is not a valid sha")
    return TreeEntry(entry.path, entry.mode, kind, entry.sha or "")


def _tree_document(call: Call, sha: str, *, recursive: bool) -> Document:
    try:
        tree = call.git.tree_id(sha)
        entries = call.git.tree(sha, recursive=recursive)
    except NotFound as error:
        raise not_found() from error
    return {
        "sha": tree,
        "url": f"{call.url}/git/trees/{tree}",
        "tree": [_entry_document(call, entry) for entry in entries[:MOST_ENTRIES]],
        "truncated": len(entries) > MOST_ENTRIES,
    }


def _entry_document(call: Call, entry: TreeEntry) -> Document:
    found: Document = {
        "path": entry.path,
        "mode": entry.mode,
        "type": entry.type,
        "sha": entry.sha,
    }
    if entry.size is not None:
        found["size"] = entry.size
    if entry.type != "commit":
        found["url"] = f"{call.url}/git/{entry.type}s/{entry.sha}"
    return found


# --- blobs ------------------------------------------------------------------------------


def get_blob(call: Call) -> Answer:
    """Return a file's content in base64."""
    sha = str(call.path["sha"])
    if not SHA.fullmatch(sha):
        raise not_found()
    try:
        data = call.git.blob(sha)
    except NotFound as error:
        raise not_found() from error
    return Reply(
        {
            "sha": sha,
            "node_id": f"B_{sha}",
            "size": len(data),
            "url": f"{call.url}/git/blobs/{sha}",
            "content": encodebytes(data).decode("ascii"),
            "encoding": "base64",
        }
    )


class NewBlob(msgspec.Struct, frozen=True):
    """A file's content to store, as text or in base64."""

    content: str
    encoding: str = "utf-8"


def create_blob(call: Call) -> Answer:
    """Store a file's content."""
    asked = call.read(NewBlob, "Blob")
    if asked.encoding not in {"utf-8", "base64"}:
        raise Refused(422, "encoding must be utf-8 or base64")
    try:
        plain = asked.encoding == "utf-8"
        data = asked.content.encode() if plain else b64decode(asked.content, validate=False)
    except (binascii.Error, ValueError) as error:
        raise Refused(422, "content is not valid Base64") from error
    sha = call.git.write_blob(data)
    url = f"{call.url}/git/blobs/{sha}"
    return Reply({"url": url, "sha": sha}, 201, location=url)


# --- tags -------------------------------------------------------------------------------


def get_tag(call: Call) -> Answer:
    """Return an annotated tag."""
    sha = str(call.path["sha"])
    if not SHA.fullmatch(sha):
        raise not_found()
    try:
        return Reply(_tag_document(call, call.git.tag(sha)))
    except NotFound as error:
        raise not_found() from error


class NewTag(msgspec.Struct, frozen=True, kw_only=True):
    """An annotated tag to make."""

    tag: str
    message: str
    object: str
    type: str
    tagger: Person | None = None


def create_tag(call: Call) -> Answer:
    """Store an annotated tag; it has no ref yet."""
    asked = call.read(NewTag, "Tag")
    if asked.type not in {"commit", "tree", "blob"}:
        raise invalid("Tag", "type", "invalid")
    new = TagObject(
        sha="",
        tag=asked.tag,
        object=asked.object,
        type=asked.type,
        message=asked.message,
        tagger=signed(call, asked.tagger),
    )
    try:
        sha = call.git.write_tag(new)
    except InvalidObject as error:
        raise Refused(422, str(error)) from error
    document = _tag_document(call, call.git.tag(sha))
    return Reply(document, 201, location=str(document["url"]))


def _tag_document(call: Call, tag: TagObject) -> Document:
    url = f"{call.url}/git/{tag.type}s/{tag.object}"
    return {
        "node_id": f"T_{tag.sha}",
        "tag": tag.tag,
        "sha": tag.sha,
        "url": f"{call.url}/git/tags/{tag.sha}",
        "message": tag.message,
        "tagger": git_person(tag.tagger),
        "object": {"sha": tag.object, "type": tag.type, "url": url},
        "verification": UNVERIFIED,
    }
