"""What a job may do with caches (GitHub: workflow syntax, `cache-mode`)."""

from __future__ import annotations

READ, WRITE, WRITE_ONLY, NONE = "read", "write", "write-only", "none"
MODES = (READ, WRITE, WRITE_ONLY, NONE)
READABLE = (READ, WRITE)
WRITABLE = (WRITE, WRITE_ONLY)


def narrowed(mode: str, granted: str) -> str:
    """Return what is left of `mode` where a caller granted another ('': nothing is written).

    A called workflow never gets more than its caller has.
    """
    if not mode or not granted:
        return mode or granted
    reads = mode in READABLE and granted in READABLE
    writes = mode in WRITABLE and granted in WRITABLE
    return (WRITE if reads else WRITE_ONLY) if writes else (READ if reads else NONE)
