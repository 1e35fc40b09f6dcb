"""Names of jobs and groups as names of files: short, plain, and never the same for two keys."""

from __future__ import annotations

import zlib

WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
PLAIN = WORD | {"_", "-"}


def slug(key: str) -> str:
    """Return a file name for `key`.

    A short lower-case name stays as it is; any other gets a checksum, since
    `build (1)`, `build-1` and (on some disks) `Build-1` must not meet in one file. Short because
    socket paths and `#!` lines have limits.
    """
    if len(key) <= 32 and key[:1] in WORD and PLAIN.issuperset(key):
        return key
    spaced = "".join(letter if letter in WORD else " " for letter in key.lower())
    words = "-".join(spaced.split())[:24].rstrip("-") or "job"
    return f"{words}.{zlib.crc32(key.encode('utf-8', 'surrogatepass')):08x}"
