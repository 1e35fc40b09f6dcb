"""What an archive says of itself, before anything of it is unpacked."""

from __future__ import annotations

import os
import posixpath
import struct
import zipfile
from pathlib import Path

from trunkline.base.errors import Corrupt

# APPNOTE.TXT 4.3.14 to 4.3.16: the end of the central directory, and its 64 bit form.
END, END_SIZE = b"PK\x05\x06", 22
LOCATOR, LOCATOR_SIZE = b"PK\x06\x07", 20
END_64, END_64_SIZE = b"PK\x06\x06", 56
LONGEST_COMMENT = 65535
MANY = 0xFFFF
# A bomb: what becomes of it is large, and so many times what came. Text is packed to a tenth at best,
# tables of measurements to a hundredth.
LARGE = 1 << 30
MOST_TIMES = 200
ENCRYPTED = 1
HINT = "`skip-decompress: true` takes it as it is, without unpacking."


def files_of(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """Return the files of a zip of `size` bytes, folders left out.

    Raises Corrupt for one that must not be unpacked: a bomb (no entry becomes more than it says, but
    entries may overlap), a name that leads out of the folder, what is encrypted.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    total = sum(entry.file_size for entry in entries)
    if total > LARGE and total > MOST_TIMES * size:
        raise Corrupt(
            f"a zip bomb: its {size:,} bytes would become {total:,}, more than "
            f"{MOST_TIMES} times as many.",
            hint=HINT,
        )
    for entry in entries:
        if posixpath.normpath(f"./{entry.filename}").split("/", 1)[0] == "..":
            raise Corrupt(f"Malicious entry: {entry.filename}")
        if entry.flag_bits & ENCRYPTED:
            raise Corrupt(f"{entry.filename} is encrypted.", hint=HINT)
    return entries


def count_entries(path: Path) -> int:
    """Return how many entries a zip has, told by its last bytes; 0 for a file that is none."""
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
