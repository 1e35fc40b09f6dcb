"""Retention as users write it: `team/*:last=10,days=30,always=v*`."""

from __future__ import annotations

from trunkline.oci.retention import Retention

DAY = 24 * 60 * 60
FORM = "[REPOSITORIES:]last=N,days=N,tags=PATTERN,always=PATTERN"


def read_retention(text: str) -> Retention:
    """Read a rule: how many tags stay (`last`), for how long all stay (`days`).

    `tags` are those it is about and `always` those that stay (both may be repeated). Raises
    ValueError, telling what is wrong.
    """
    repositories, colon, rest = text.rpartition(":")
    if colon and not repositories:
        raise ValueError(f"'{text}' names no repositories before its colon")
    given: dict[str, list[str]] = {"last": [], "days": [], "tags": [], "always": []}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if name not in given or not equals or not value:
            raise ValueError(f"'{part.strip()}' is not a part of {FORM}")
        given[name].append(value)
    last, days = _number(given, "last"), _number(given, "days")
    if last is None and days is None:
        raise ValueError(f"'{text}' says neither last=N nor days=N: it would keep everything")
    return Retention(
        repositories=repositories or "*",
        tags=tuple(given["tags"]) or ("*",),
        keep=tuple(given["always"]),
        keep_last=last,
        older_than=None if days is None else float(days * DAY),
    )


def _number(given: dict[str, list[str]], name: str) -> int | None:
    values = given[name]
    if not values:
        return None
    if len(values) > 1 or not values[0].isascii() or not values[0].isdigit() or len(values[0]) > 6:
        raise ValueError(f"{name} must be one number")
    return int(values[0])
