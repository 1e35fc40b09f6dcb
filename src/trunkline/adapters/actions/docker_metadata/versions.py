"""Versions that a tag may be: semantic ones (semver.org) and Python's (PEP 440)."""

from __future__ import annotations

import re

import msgspec
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

_NUMBER = r"(?:0|[1-9]\d*)"
_WORD = rf"(?:{_NUMBER}|\d*[a-zA-Z-][a-zA-Z0-9-]*)"
_SEMANTIC = re.compile(
    rf"\s*v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_WORD}(?:\.{_WORD})*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?\s*",
    re.ASCII,
)
_LONGEST = 256
_LARGEST = 2**53 - 1


class Semantic(msgspec.Struct, frozen=True):
    """A semantic version; `raw` is as written, `version` without `v` and build."""

    raw: str
    version: str
    major: int
    minor: int
    patch: int
    prerelease: tuple[str | int, ...]
    build: tuple[str | int, ...]


class Pep440(msgspec.Struct, frozen=True):
    """A version of Python's; `version` is the normal form, `final` no pre-, post- or dev release."""

    raw: str
    version: str
    major: int
    minor: int
    patch: int
    final: bool


def read_semantic(text: str) -> Semantic | None:
    """Return a semantic version as node-semver reads it (strictly), None for what is none."""
    found = _SEMANTIC.fullmatch(text)
    if not found or len(text) > _LONGEST:
        return None
    numbers = [int(found[group]) for group in (1, 2, 3)]
    if max(numbers) > _LARGEST:
        return None
    words = found[4].split(".") if found[4] else []
    prerelease = tuple(int(word) if word.isdecimal() else word for word in words)
    version = ".".join(map(str, numbers))
    return Semantic(
        text,
        f"{version}-{'.'.join(map(str, prerelease))}" if prerelease else version,
        numbers[0],
        numbers[1],
        numbers[2],
        prerelease,
        tuple(found[5].split(".")) if found[5] else (),
    )


def read_pep440(text: str) -> Pep440 | None:
    """Return a version of Python's, None for what does not conform to PEP 440."""
    try:
        found = PythonVersion(text)
    except InvalidVersion:
        return None
    if text != text.strip():
        return None
    # The library that the action uses parts a local version's words with commas.
    local = f"+{found.local.replace('.', ',')}" if found.local else ""
    return Pep440(
        text,
        found.public + local,
        found.major,
        found.minor,
        found.micro,
        not (found.is_prerelease or found.is_postrelease),
    )
