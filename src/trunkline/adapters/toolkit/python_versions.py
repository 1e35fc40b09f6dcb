"""Versions of Python as semantic versions: `3.14.0rc1` is `3.14.0-rc.1`."""

from __future__ import annotations

import re

from trunkline.adapters.toolkit.semver import Version, parse_version

_PRERELEASE = re.compile(r"(\d+\.\d+\.\d+)-?(a|b|rc|alpha|beta)\.?(\d+)")
_LONG = {"a": "alpha", "b": "beta", "rc": "rc", "alpha": "alpha", "beta": "beta"}


def semantic(text: str) -> str:
    """Return a version, or a range of them, with its pre-releases in the semantic form."""
    return _PRERELEASE.sub(lambda found: f"{found[1]}-{_LONG[found[2]]}.{found[3]}", text)


def python_version(text: str) -> Version | None:
    """Return what Python says of itself (`3.14.0rc1`) as a version, None when it is none."""
    return parse_version(semantic(text))
