"""Which license a repository is under, by the words of its license file, as GitHub tells it."""

from __future__ import annotations

FILES = frozenset({"license", "licence", "copying"})
ENDS = frozenset({"", "md", "txt", "rst"})
OTHER = "NOASSERTION"
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


def is_license_file(name: str) -> bool:
    """Tell whether a file of a repository's root is its license, by its name."""
    stem, _, end = name.lower().partition(".")
    return stem in FILES and end in ENDS


def spdx_of(text: str) -> str:
    """Return the SPDX id of the license that a file's text is."""
    plain = " ".join(text.lower().split())
    return next((spdx for spdx, _, words in KNOWN if all(each in plain for each in words)), OTHER)


def license_document(spdx: str) -> dict[str, str | None]:
    """Return a license as GitHub's API and its events tell it."""
    key = "other" if spdx == OTHER else spdx.lower()
    url = None if key == "other" else f"https://api.github.com/licenses/{key}"
    name = next((name for known, name, _ in KNOWN if known == spdx), "Other")
    return {"key": key, "name": name, "spdx_id": spdx, "url": url, "node_id": f"LIC_{key}"}
