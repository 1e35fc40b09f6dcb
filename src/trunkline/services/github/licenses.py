"""The license of a repository, and the file that it stands in."""

from __future__ import annotations

from trunkline.base.errors import NotFound
from trunkline.plan.licenses import is_license_file, license_document, spdx_of
from trunkline.services.github.calls import Answer, Call, Document, Reply
from trunkline.services.github.contents import file_document
from trunkline.services.github.refusals import not_found


def license_of(call: Call) -> Document | None:
    """Return the license on the default branch, None without a license file."""
    try:
        path, sha = _file(call, call.git.resolve(call.git.default_branch()))
        return _recognized(call.git.blob(sha).decode(errors="replace")) if path else None
    except NotFound:  # no commit, or a partial clone that lacks the file
        return None


def get(call: Call) -> Answer:
    """Return the license file, with its content."""
    try:
        tip = call.git.resolve(call.query.get("ref") or call.git.default_branch())
    except NotFound as error:
        raise not_found() from error
    path, sha = _file(call, tip)
    if not path:
        raise not_found()
    text = call.git.blob(sha).decode(errors="replace")
    document = file_document(call, path, call.git.entry(tip, path), tip)
    return Reply({**document, "license": _recognized(text)})


def _file(call: Call, tip: str) -> tuple[str, str]:
    found = (
        (e.path, e.sha) for e in call.git.tree(tip) if e.type == "blob" and is_license_file(e.path)
    )
    return next(found, ("", ""))


def _recognized(text: str) -> Document:
    return license_document(spdx_of(text))
