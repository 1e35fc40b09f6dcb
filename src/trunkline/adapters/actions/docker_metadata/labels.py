"""Labels and annotations of an image: those of OCI, and the user's own over them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trunkline.adapters.actions.docker_metadata.event import Event

# The order of ASCII characters in the Unicode collation algorithm, letters apart.
_ORDER = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"


def labels_of(
    event: Event, version: str, created: str, own: Sequence[str], expand: Callable[[str], str]
) -> dict[str, str]:
    """Return labels by key, sorted as people sort; `own` are lines `key=value`, the last counts."""
    repository = event.repository
    url = str(repository.get("html_url") or "")
    found = {
        "title": str(repository.get("name") or ""),
        "description": str(repository.get("description") or ""),
        "url": url,
        "source": url,
        "version": version,
        "created": created,
        "revision": event.sha,
        "licenses": _license(repository),
    }
    labels = {f"org.opencontainers.image.{key}": value for key, value in found.items()}
    for line in own:
        key, equals, value = expand(line).partition("=")
        if equals:
            labels[key] = value
    return {key: labels[key] for key in sorted(labels, key=_collated)}


def _license(repository: Mapping[str, Any]) -> str:
    found = repository.get("license")
    return str(found.get("spdx_id") or "") if isinstance(found, Mapping) else ""


def _collated(text: str) -> tuple[list[tuple[int, str]], str]:
    """Return a key that sorts as `localeCompare` does: letters last, without case at first."""
    plain = "".join(
        char for char in unicodedata.normalize("NFD", text) if ord(char) not in _ACCENTS
    )
    first = [
        (_ORDER.index(char), "") if char in _ORDER else (len(_ORDER), char.casefold())
        for char in plain
    ]
    return first, text.swapcase()


_ACCENTS = range(0x300, 0x370)
