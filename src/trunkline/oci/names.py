"""The grammar of repository names and tags (OCI distribution specification, pulling manifests)."""

from __future__ import annotations

import re

COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(rf"{COMPONENT}(?:/{COMPONENT})*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
# Docker's clients refuse longer ones, with the host's name counted in.
LONGEST_REPOSITORY = 255


def is_repository(name: str) -> bool:
    """Tell whether `name` is a repository's name; at most 255 characters."""
    return len(name) <= LONGEST_REPOSITORY and REPOSITORY.fullmatch(name) is not None


def is_tag(name: str) -> bool:
    """Tell whether `name` is a tag; at most 128 characters."""
    return TAG.fullmatch(name) is not None
