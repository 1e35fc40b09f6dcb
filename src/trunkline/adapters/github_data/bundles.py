"""Makes a zip of files that are given one by one."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable
from typing import BinaryIO


def pack(files: Iterable[tuple[str, bytes]]) -> BinaryIO:
    """Return a zip of names and contents, in a file that goes when it is closed."""
    file = tempfile.TemporaryFile(prefix="trunkline-")  # noqa: SIM115 - the caller closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    file.seek(0)
    return file
