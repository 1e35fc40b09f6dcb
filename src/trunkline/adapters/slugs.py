"""Names of jobs and groups as names of files: short, plain, and never the same for two keys."""

from __future__ import annotations

import re
import zlib

PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
UNSAFE = re.compile(r"[^a-z0-9]+")


def slug(key: str) -> str:
    """Return a file name for `key`.

    A short lower-case name stays as it is; any other gets a checksum, since
    `build (1)`, `build-1` and (on some disks) `Build-1` must not meet in one file. Short because
    socket paths and `#!` lines have limits.
    """
    if PLAIN.fullmatch(key):
        return key
    words = UNSAFE.sub("-", key.lower()).strip("-")[:24].rstrip("-") or "job"
    return f"{words}.{zlib.crc32(key.encode('utf-8', 'surrogatepass')):08x}"
