"""What an artifact may be called, and what its content is (@actions/artifact's own rules)."""

from __future__ import annotations

import re

from trunkline.services.actions.refusals import Refused

# Beyond a file system's own limit there is no place for `.zip` behind a name.
LONGEST_NAME = 250
IN_NO_NAME = frozenset('":<>|*?\\/')
ZIPS = {
    *("application/zip", "application/x-zip-compressed", "application/zip-compressed", "zip"),
}
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}(;[\x20-\x7e]{0,100})?", re.ASCII)


def check_name(name: str) -> None:
    """Raise Refused for a name that no artifact may have."""
    if not name:
        raise Refused("invalid_argument", "the artifact has no name")
    if any(char in IN_NO_NAME or ord(char) < 0x20 or ord(char) == 0x7F for char in name):
        raise Refused(
            "invalid_argument",
            "the artifact's name has one of the characters that no name may have: \" : < > | * ? "
            "\\ / and control characters",
        )
    if name in {".", ".."}:
        raise Refused("invalid_argument", "the artifact's name is that of a folder")
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise Refused("invalid_argument", "the artifact's name is not Unicode") from None
    if length > LONGEST_NAME:
        raise Refused(
            "invalid_argument", f"the artifact's name is longer than {LONGEST_NAME} bytes"
        )


def is_zip(content_type: str) -> bool:
    """Tell whether content of this type is unpacked by who downloads it."""
    return content_type.partition(";")[0].strip().lower() in ZIPS


def plain_type(content_type: str) -> str:
    """Return a content type that can stand in a header; older clients say `zip` alone."""
    if is_zip(content_type):
        return "application/zip"
    return content_type if MEDIA_TYPE.fullmatch(content_type) else "application/octet-stream"
