"""Releases: made, published with their tag, found, changed, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.base.errors import NotFound
from trunkline.ports.github_data import HEADS, TAGS, CommitQuery, InvalidObject
from trunkline.services.github.calls import Answer, Call, Document, Listing, Reply, given, number
from trunkline.services.github.documents import account, bot, when
from trunkline.services.github.refusals import invalid, not_found

KIND = "releases"
ASSETS = "release-assets"
LONGEST_BODY = 125_000
Unset = msgspec.UnsetType


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a release, told or not."""

    tag_name: str | Unset = msgspec.UNSET
    target_commitish: str | Unset = msgspec.UNSET
    name: str | Unset | None = msgspec.UNSET
    body: str | Unset | None = msgspec.UNSET
    draft: bool | Unset = msgspec.UNSET
    prerelease: bool | Unset = msgspec.UNSET
    make_latest: str | Unset = msgspec.UNSET
    discussion_category_name: str | Unset | None = msgspec.UNSET


class NewRelease(Change, frozen=True, kw_only=True):
    """A release to make."""

    tag_name: str
    generate_release_notes: bool = False


def every(call: Call) -> Answer:
    """List the releases, newest first; drafts for who may write."""
    return Listing([document(call, key, release) for key, release in _visible(call)])


def latest(call: Call) -> Answer:
    """Return the newest release that is neither a draft nor a prerelease."""
    for key, release in _visible(call):
        plain = not release["draft"] and not release["prerelease"]
        if plain and release["make_latest"] != "false":
            return Reply(document(call, key, release))
    raise not_found()


def by_tag(call: Call) -> Answer:
    """Return the published release of a tag."""
    tag = str(call.path["tag"])
    for key, release in _visible(call):
        if release["tag_name"] == tag and not release["draft"]:
            return Reply(document(call, key, release))
    raise not_found()


def get(call: Call) -> Answer:
    """Return a release."""
    return Reply(document(call, *find(call)))


def create(call: Call) -> Answer:
    """Make a release, and its tag unless it is a draft."""
    asked = call.read(NewRelease, "Release")
    fields = given(asked)
    generate = fields.pop("generate_release_notes")
    now = when(call.stores.clock.now())
    new: Document = {
        "target_commitish": call.git.default_branch(),
        "name": None,
        "body": None,
        "draft": False,
        "prerelease": False,
        "make_latest": "true",
        "created_at": now,
        "published_at": None,
        "author": bot(call),
        **fields,
    }
    if generate:
        title, text = _notes(call, asked.tag_name, str(new["target_commitish"]), "")
        new["name"] = new["name"] or title
        new["body"] = "\n\n".join(part for part in (new["body"], text) if part)
    _check(call, new, 0)
    key = call.records.add(KIND, new)
    _tell(call, new, "made")
    made = document(call, key, new)
    return Reply(made, 201, location=str(made["url"]))


def update(call: Call) -> Answer:
    """Change a release; one that is a draft no longer gets its tag."""
    key, old = find(call)
    new = {**old, **given(call.read(Change, "Release"))}
    _check(call, new, key)
    call.records.replace(KIND, key, new)
    _tell(call, new, "changed")
    return Reply(document(call, key, new))


def delete(call: Call) -> Answer:
    """Remove a release with its assets; its tag stays."""
    key, old = find(call)
    for asset, kept in call.records.every(ASSETS):
        if kept["release"] == key:
            call.records.remove(ASSETS, asset)
    call.records.remove(KIND, key)
    _tell(call, old, "removed")
    return Reply(None, 204)


def _tell(call: Call, release: Mapping[str, Any], change: str) -> None:
    draft = ", a draft" if release["draft"] else ""
    call.tell("release", f"{release['tag_name']}{draft}, {change}")


class NotesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which notes are wanted."""

    tag_name: str
    target_commitish: str = ""
    previous_tag_name: str = ""


def generate_notes(call: Call) -> Answer:
    """Return notes for a release: what came since the tag before."""
    asked = call.read(NotesRequest, "Release")
    name, body = _notes(call, asked.tag_name, asked.target_commitish, asked.previous_tag_name)
    return Reply({"name": name, "body": body})


def find(call: Call) -> tuple[int, Mapping[str, Any]]:
    """Return the release that a path names. Raises Refused."""
    key = number(call.path["release"])
    found = call.records.find(KIND, key)
    if found is None or (found["draft"] and not _may_write(call)):
        raise not_found()
    return key, found


def _visible(call: Call) -> list[tuple[int, Mapping[str, Any]]]:
    every = reversed(call.records.every(KIND))
    return [(key, each) for key, each in every if not each["draft"] or _may_write(call)]


def _may_write(call: Call) -> bool:
    return call.job.permissions.get("contents") == "write"


def _check(call: Call, new: Document, key: int) -> None:
    """Check a release, and publish it (with its tag) unless it is a draft. Raises Refused."""
    tag = str(new["tag_name"])
    if not tag:
        raise invalid("Release", "tag_name", "missing_field")
    if len(new["body"] or "") > LONGEST_BODY:
        raise invalid(
            "Release", "body", "custom", f"body is too long (maximum is {LONGEST_BODY} characters)"
        )
    if new["draft"]:
        return
    for other, kept in call.records.every(KIND):
        if other != key and kept["tag_name"] == tag and not kept["draft"]:
            raise invalid("Release", "tag_name", "already_exists")
    _make_tag(call, tag, str(new["target_commitish"]))
    new["published_at"] = new["published_at"] or when(call.stores.clock.now())


def _make_tag(call: Call, tag: str, target: str) -> None:
    if any(ref.name == TAGS + tag for ref in call.git.refs(TAGS + tag)):
        return
    try:
        sha = _target(call, target)
    except NotFound as error:
        raise invalid("Release", "target_commitish", "invalid") from error
    try:
        call.git.set_ref(TAGS + tag, sha, "")
    except InvalidObject as error:
        raise invalid("Release", "tag_name", "custom", "tag_name is not a valid tag") from error


def _target(call: Call, target: str) -> str:
    name = target.removeprefix(HEADS)
    try:
        return call.git.resolve(name or call.git.default_branch())
    except NotFound:
        # The default branch may be one that only the forge has: the run's commit stands for it.
        if name and name != call.git.default_branch():
            raise
        return call.git.resolve(call.context("sha"))


def _notes(call: Call, tag: str, target: str, previous: str) -> tuple[str, str]:
    """Return title and text: the commits since the tag before, and where all is compared."""
    try:
        head = call.git.resolve(f"{TAGS}{tag}")
    except NotFound:
        try:
            head = _target(call, target)
        except NotFound as error:
            raise invalid("Release", "target_commitish", "invalid") from error
    before = previous or _tag_before(call, head, tag)
    try:
        base = call.git.resolve(TAGS + before) if before else ""
    except NotFound as error:
        raise invalid("Release", "previous_tag_name", "invalid") from error
    lines = []
    for commit in call.git.commits(CommitQuery(head=head, base=base)) if before else ():
        by = account(call, commit.author)
        who = f"@{by['login']}" if by else commit.author.name
        subject = commit.message.partition("\n")[0]
        lines.append(f"* {subject} by {who} in {call.page}/commit/{commit.sha}")
    changed = "## What's Changed\n" + "\n".join(lines) + "\n\n" if lines else ""
    where = f"compare/{before}...{tag}" if before else f"commits/{tag}"
    return tag, f"{changed}**Full Changelog**: {call.page}/{where}"


def _tag_before(call: Call, head: str, tag: str) -> str:
    """Return the nearest tag that the commit has behind it, '' without one."""
    tagged: dict[str, str] = {}
    for ref in call.git.refs(TAGS):
        if ref.name != TAGS + tag:
            tagged[ref.commit] = ref.name.removeprefix(TAGS)
    if not tagged:
        return ""
    found = (commit.sha for commit in call.git.commits(CommitQuery(head=head)))
    return next((tagged[sha] for sha in found if sha in tagged and sha != head), "")


def document(call: Call, key: int, release: Mapping[str, Any]) -> Document:
    """Return a release."""
    tag, url = release["tag_name"], f"{call.url}/releases/{key}"
    part = f"untagged-{key:x}" if release["draft"] else tag
    told = {name: release[name] for name in release if name != "make_latest"}
    assets = [
        asset_document(call, number, kept)
        for number, kept in call.records.every(ASSETS)
        if kept["release"] == key
    ]
    published = not release["draft"]
    return {
        "id": key,
        "node_id": f"RE_{key}",
        "url": url,
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "html_url": f"{call.page}/releases/tag/{part}",
        **told,
        "immutable": False,
        "assets": assets,
        "tarball_url": f"{call.url}/tarball/{tag}" if published else None,
        "zipball_url": f"{call.url}/zipball/{tag}" if published else None,
    }


def asset_document(call: Call, key: int, kept: Mapping[str, Any]) -> Document:
    """Return a release's asset."""
    release = call.records.find(KIND, kept["release"])
    tag = release["tag_name"] if release else ""
    told = {name: kept[name] for name in kept if name not in {"release", "digest"}}
    return {
        "id": key,
        "node_id": f"RA_{key}",
        "url": f"{call.url}/releases/assets/{key}",
        "browser_download_url": f"{call.page}/releases/download/{tag}/{kept['name']}",
        "state": "uploaded",
        "digest": kept["digest"],
        "download_count": 0,
        **told,
    }
