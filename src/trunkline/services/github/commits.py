"""Commits: listed, read with their files, compared."""

from __future__ import annotations

import re

from trunkline.base.errors import NotFound
from trunkline.ports.github_data import CommitQuery, FileChange
from trunkline.services.github.calls import Answer, Call, Content, Document, Listing, Reply
from trunkline.services.github.documents import commit_summary, quoted
from trunkline.services.github.refusals import Refused, not_found

# As many as GitHub tells of a comparison.
MOST_COMMITS = 10_000
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MOST_FILES = 300
# A name, and the parents behind it: a few steps, for each is asked of git.
REVISION = re.compile(r"([^~^]+)((?:[~^][0-9]{0,2}){0,5})")
STEP = re.compile(r"([~^])([0-9]*)")


def every(call: Call) -> Answer:
    """List commits, newest first."""
    query = call.query
    try:
        head = call.git.resolve(query.get("sha") or call.git.default_branch())
    except NotFound as error:
        if not query.get("sha"):
            raise Refused(409, "Git Repository is empty.") from error
        raise not_found() from error
    found = call.git.commits(
        CommitQuery(
            head=head,
            path=query.get("path", ""),
            author=query.get("author", ""),
            since=query.get("since", ""),
            until=query.get("until", ""),
            limit=MOST_COMMITS,
        )
    )
    return Listing([commit_summary(call, commit) for commit in found])


def get(call: Call) -> Answer:
    """Return a commit with its files; its id alone, a diff or a patch when that is accepted."""
    sha = resolve(call, str(call.path["ref"]))
    commit = call.git.commit(sha)
    parent = commit.parents[0] if commit.parents else ""
    if call.wants("sha"):
        return _text(sha.encode(), "application/vnd.github.sha")
    if other := _as_text(call, parent, sha):
        return other
    files = call.git.changes(parent, sha)
    added, removed = sum(f.additions for f in files), sum(f.deletions for f in files)
    return Reply(
        {
            **commit_summary(call, commit),
            "stats": {"total": added + removed, "additions": added, "deletions": removed},
            "files": [file_document(call, file, sha) for file in files[:MOST_FILES]],
        }
    )


def compare(call: Call) -> Answer:
    """Return what `head` has over its common ancestor with `base`."""
    between = str(call.path["basehead"])
    base_name, dots, head_name = between.partition("...")
    if not dots:
        raise not_found()
    base, head = resolve(call, _local(call, base_name)), resolve(call, _local(call, head_name))
    ancestor = call.git.merge_base(base, head)
    if not ancestor:
        raise not_found(f"No common ancestor between {base_name} and {head_name}.")
    if other := _as_text(call, ancestor, head):
        return other
    commits = call.git.commits(CommitQuery(head=head, base=base, limit=MOST_COMMITS))[::-1]
    ahead, behind = len(commits), call.git.count(head, base)
    url = f"{call.url}/compare/{between}"
    page = f"{call.page}/compare/{between}"
    summaries = [commit_summary(call, commit) for commit in commits]
    files = call.git.changes(ancestor, head)[:MOST_FILES]
    return Listing(
        summaries,
        "commits",
        {
            "url": url,
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": commit_summary(call, call.git.commit(base)),
            "merge_base_commit": commit_summary(call, call.git.commit(ancestor)),
            "status": _status(ahead, behind),
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "files": [file_document(call, file, head) for file in files],
        },
    )


def _status(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    if ahead:
        return "ahead"
    return "behind" if behind else "identical"


def _local(call: Call, name: str) -> str:
    """Return a name without its `owner:`, which must be this repository's."""
    owner, colon, ref = name.rpartition(":")
    if colon and owner.lower() not in {
        call.repository.partition("/")[0].lower(),
        call.repository.replace("/", ":").lower(),
    }:
        raise not_found()
    return ref


def resolve(call: Call, name: str) -> str:
    """Return the commit that a name of a path stands for. Raises Refused as GitHub does.

    A parent is named as git does it (gitrevisions(7)): `main^`, `v1~2`.
    """
    found = REVISION.fullmatch(name)
    try:
        sha = call.git.resolve(found[1] if found else name)
        for sign, number in STEP.findall(found[2] if found else ""):
            sha = _ancestor(call, sha, sign, int(number or 1))
    except NotFound as error:
        raise Refused(422, f"No commit found for SHA: {name}") from error
    return sha


def _ancestor(call: Call, sha: str, sign: str, number: int) -> str:
    """Return the first parent, `number` times (`~`), or the parent of that number (`^`)."""
    for _ in range(number if sign == "~" else min(number, 1)):
        parents = call.git.commit(sha).parents
        chosen = parents[:1] if sign == "~" else parents[number - 1 : number]
        if not chosen:
            raise NotFound(f"{sha} has no such parent.")
        sha = chosen[0]
    return sha


def resolve_sha(call: Call, name: str) -> str:
    """Return the commit of an id that a request names: nothing but an id is taken. Raises Refused."""
    if not SHA.fullmatch(name):
        raise Refused(422, f"No commit found for SHA: {name}")
    return resolve(call, name)


def _as_text(call: Call, base: str, head: str) -> Content | None:
    for kind in ("diff", "patch"):
        if call.wants(kind):
            data = call.git.diff(base, head, mail=kind == "patch")
            return _text(data, f"application/vnd.github.{kind}")
    return None


def _text(data: bytes, kind: str) -> Content:
    return Content(content=data, content_type=f"{kind}; charset=utf-8", size=len(data))


def file_document(call: Call, file: FileChange, head: str) -> Document:
    """Return a file that differs, as commits, comparisons and pull requests have it."""
    path = quoted(file.path)
    found: Document = {
        "sha": file.sha,
        "filename": file.path,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": f"{call.page}/blob/{head}/{path}",
        "raw_url": f"{call.page}/raw/{head}/{path}",
        "contents_url": f"{call.url}/contents/{path}?ref={head}",
    }
    if file.patch:
        found["patch"] = file.patch
    if file.previous:
        found["previous_filename"] = file.previous
    return found
