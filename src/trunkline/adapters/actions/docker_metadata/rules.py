"""The inputs `tags`, `flavor` and `images`, one rule a line."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cmp_to_key

import msgspec

from trunkline.adapters.toolkit.lists import parse_records
from trunkline.ports.actions import ActionFailed

DEFAULT_TAGS = ("type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr")
_PRIORITIES = {
    "schedule": "1000",
    "semver": "900",
    "pep440": "900",
    "match": "800",
    "edge": "700",
    "ref": "600",
    "raw": "200",
    "sha": "100",
}
_DEFAULTS = {
    "schedule": {"pattern": "nightly"},
    "semver": {"value": "", "match": ""},
    "pep440": {"value": "", "match": ""},
    "match": {"group": "0", "value": ""},
    "edge": {"branch": ""},
    "sha": {"prefix": "sha-", "format": "short"},
}
_REQUIRED = {
    "semver": "pattern",
    "pep440": "pattern",
    "match": "pattern",
    "ref": "event",
    "raw": "value",
}
_NUMBER = re.compile(r"\s*(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|0[xX][0-9a-fA-F]+)?\s*")
_BOOLEANS = {"true": True, "false": False}


class TagRule(msgspec.Struct, frozen=True):
    """A line of `tags`: its type, and its attributes with their defaults."""

    type: str
    attributes: Mapping[str, str]

    def __str__(self) -> str:
        return ",".join([f"type={self.type}", *(f"{k}={v}" for k, v in self.attributes.items())])


class Flavor(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all tags: `latest` is `auto`, `true` or `false`."""

    latest: str = "auto"
    prefix: str = ""
    prefix_latest: bool = False
    suffix: str = ""
    suffix_latest: bool = False


class Image(msgspec.Struct, frozen=True):
    """A base name of tags."""

    name: str
    enabled: bool = True


def read_tags(lines: Sequence[str]) -> list[TagRule]:
    """Return the rules, those of a higher priority first. Raises ActionFailed."""
    rules = [read_tag(line) for line in lines or DEFAULT_TAGS]
    return sorted(rules, key=cmp_to_key(_compared))


def read_tag(line: str) -> TagRule:
    """Return one rule. Raises ActionFailed."""
    kind = "raw"
    attributes: dict[str, str] = {}
    for field in _fields(line):
        key, is_pair, value = _pair(field)
        if not is_pair:
            attributes["value"] = field.strip()
        elif key != "type":
            attributes[key] = value
        elif value in _PRIORITIES:
            kind = value
        else:
            raise ActionFailed(f"Unknown tag type attribute: {value}")
    needed = _REQUIRED.get(kind)
    if needed and needed not in attributes:
        raise ActionFailed(f"Missing {needed} attribute for {line}")
    for key, default in _DEFAULTS.get(kind, {}).items():
        attributes.setdefault(key, default)
    if kind == "ref" and attributes["event"] == "pr":
        attributes.setdefault("prefix", "pr-")
    _check(kind, attributes, line)
    attributes.setdefault("enable", "true")
    attributes.setdefault("priority", _PRIORITIES[kind])
    return TagRule(kind, attributes)


def read_flavor(lines: Sequence[str]) -> Flavor:
    """Return the flavor. Raises ActionFailed."""
    found: dict[str, str | bool] = {}
    for line in lines:
        of = ""
        for field in _fields(line):
            key, _, rest = field.partition("=")
            key, value = key.strip().lower(), rest.partition("=")[0].strip()
            if "=" not in field:
                raise ActionFailed(f"Invalid flavor entry: {line}")
            match key:
                case "latest":
                    if value not in {"auto", *_BOOLEANS}:
                        raise ActionFailed(f"Invalid latest flavor entry: {line}")
                    found["latest"] = value
                case "prefix" | "suffix":
                    found[key], of = value, key
                case "onlatest":
                    if value not in _BOOLEANS:
                        raise ActionFailed(f"Invalid value for onlatest attribute: {value}")
                    found |= {f"{of}_latest": _BOOLEANS[value]} if of else {}
                case _:
                    raise ActionFailed(f"Unknown flavor entry: {line}")
    return msgspec.convert(found, Flavor)


def read_images(lines: Sequence[str]) -> list[Image]:
    """Return the images. Raises ActionFailed.

    A single line without attributes may name several, with commas between them.
    """
    if len(lines) == 1 and "=" not in "".join(_fields(lines[0])):
        return [Image(field.strip()) for field in _fields(lines[0])]
    return [_image(line) for line in lines]


def number(text: str) -> float:
    """Return a number as JavaScript's `Number()` reads it, NaN for what is none."""
    if not _NUMBER.fullmatch(text):
        return math.nan
    text = text.strip() or "0"
    return float(int(text, 16)) if text[:2] in {"0x", "0X"} else float(text)


def _image(line: str) -> Image:
    name, enabled = "", True
    for field in _fields(line):
        key, is_pair, rest = field.partition("=")
        key, value = key.strip(), rest.partition("=")[0].strip()
        if not is_pair:
            name = key
        elif key.lower() == "name":
            name = value
        elif key.lower() != "enable":
            raise ActionFailed(f"Unknown image attribute: {line}")
        elif value not in _BOOLEANS:
            raise ActionFailed(f"Invalid enable attribute value: {line}")
        else:
            enabled = _BOOLEANS[value]
    if not name:
        raise ActionFailed(f"Image name attribute empty: {line}")
    return Image(name, enabled)


def _fields(line: str) -> list[str]:
    records = parse_records(line)
    return records[0] if records else []


def _pair(field: str) -> tuple[str, bool, str]:
    """Return a field's key (lower case) and value; what begins with `=` is no pair."""
    key, equals, value = field.partition("=")
    return key.strip().lower(), bool(equals and key), value.strip()


def _check(kind: str, attributes: Mapping[str, str], line: str) -> None:
    if kind == "match" and math.isnan(number(attributes["group"])):
        raise ActionFailed(f"Invalid match group for {line}")
    if kind == "ref" and attributes["event"] not in {"branch", "tag", "pr"}:
        raise ActionFailed(f"Invalid event for {line}")
    if kind == "sha" and attributes["format"] not in {"short", "long"}:
        raise ActionFailed(f"Invalid format for {line}")


def _compared(one: TagRule, other: TagRule) -> int:
    a, b = number(one.attributes["priority"]), number(other.attributes["priority"])
    return 1 if a < b else -1 if a > b else 0
