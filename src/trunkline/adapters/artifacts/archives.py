"""How many entries an archive says it has, told by its last bytes: nothing is unpacked or listed."""

from __future__ import annotations

import os
import struct
from pathlib import Path

# APPNOTE.TXT 4.3.14 to 4.3.16: the end of the central directory, and its 64 bit form.
END, END_SIZE = b"PK\x05\x06", 22
LOCATOR, LOCATOR_SIZE = b"PK\x06\x07", 20
END_64, END_64_SIZE = b"PK\x06\x06", 56
LONGEST_COMMENT = 65535
MANY = 0xFFFF


def count_entries(path: Path) -> int:
    """Return how many entries a zip has; 0 for a file that is none."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(size - END_SIZE - LONGEST_COMMENT - LOCATOR_SIZE, 0)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(END)
        if at < 0 or len(tail) < at + END_SIZE:
            return 0
        (count,) = struct.unpack_from("<H", tail, at + 10)
        if count != MANY or tail[at - LOCATOR_SIZE : at - LOCATOR_SIZE + 4] != LOCATOR:
            return int(count)
        (where,) = struct.unpack_from("<Q", tail, at - LOCATOR_SIZE + 8)
        if where > size - END_64_SIZE:
            return 0
        file.seek(where)
        record = file.read(END_64_SIZE)
    return int(struct.unpack_from("<Q", record, 32)[0]) if record.startswith(END_64) else 0
