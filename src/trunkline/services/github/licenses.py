"""Which license a repository is under, by the words of its license file."""

from __future__ import annotations

import re

from trunkline.base.errors import NotFound
from trunkline.services.github.calls import Answer, Call, Document, Reply
from trunkline.services.github.contents import file_document
from trunkline.services.github.refusals import not_found

NAMES = re.compile(r"(licen[cs]e|copying)(\.(md|txt|rst))?", re.IGNORECASE)
# SPDX id -> its name, and words that its text alone has; the first that fits counts.
KNOWN = (
    ("Apache-2.0", "Apache License 2.0", ("apache license", "version 2.0")),
    ("AGPL-3.0", "GNU Affero General Public License v3.0", ("gnu affero general public license",)),
    (
        "LGPL-3.0",
        "GNU Lesser General Public License v3.0",
        ("gnu lesser general public license", "version 3"),
    ),
    (
        "LGPL-2.1",
        "GNU Lesser General Public License v2.1",
        ("gnu lesser general public license", "version 2.1"),
    ),
    ("GPL-3.0", "GNU General Public License v3.0", ("gnu general public license", "version 3")),
    ("GPL-2.0", "GNU General Public License v2.0", ("gnu general public license", "version 2")),
    ("MPL-2.0", "Mozilla Public License 2.0", ("mozilla public license", "2.0")),
    (
        "Unlicense",
        "The Unlicense",
        ("free and unencumbered software released into the public domain",),
    ),
    (
        "BSD-3-Clause",
        'BSD 3-Clause "New" or "Revised" License',
        ("redistributions of source code", "neither the name"),
    ),
    ("BSD-2-Clause", 'BSD 2-Clause "Simplified" License', ("redistributions of source code",)),
    ("ISC", "ISC License", ("permission to use, copy, modify, and/or distribute this software",)),
    ("MIT", "MIT License", ("permission is hereby granted, free of charge", "sublicense")),
)


def license_of(call: Call) -> Document | None:
    """Return the license on the default branch, None without a license file."""
    try:
        tip = call.git.resolve(call.git.default_branch())
    except NotFound:
        return None
    path, sha = _file(call, tip)
    return _recognized(call.git.blob(sha).decode(errors="replace")) if path else None


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
        (e.path, e.sha) for e in call.git.tree(tip) if e.type == "blob" and NAMES.fullmatch(e.path)
    )
    return next(found, ("", ""))


def _recognized(text: str) -> Document:
    plain = " ".join(text.lower().split())
    for spdx, name, words in KNOWN:
        if all(word in plain for word in words):
            return _document(spdx, name)
    return _document("NOASSERTION", "Other")


def _document(spdx: str, name: str) -> Document:
    key = "other" if spdx == "NOASSERTION" else spdx.lower()
    url = None if key == "other" else f"https://api.github.com/licenses/{key}"
    return {"key": key, "name": name, "spdx_id": spdx, "url": url, "node_id": f"LIC_{key}"}
