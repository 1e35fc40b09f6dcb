"""Files of artifacts that are there already, to make others of them."""

from __future__ import annotations

import shutil
import tempfile
from typing import BinaryIO, NamedTuple

from trunkline.ports.actions import ActionFailed
from trunkline.ports.artifacts import ArtifactInfo, Artifacts

CHUNK = 1 << 20


class StoredFile(NamedTuple):
    """A file of an artifact that is there already."""

    path: str
    size: int
    artifacts: Artifacts
    info: ArtifactInfo
    name: str

    def open(self) -> BinaryIO:
        """Open it for reading. Raises NotFound, Corrupt."""
        for path, content in self.artifacts.read(self.info):
            if path == self.name:
                kept = tempfile.TemporaryFile(prefix="trunkline-")  # noqa: SIM115 - the caller closes it
                shutil.copyfileobj(content, kept)
                kept.seek(0)
                return kept
        raise ActionFailed(f"{self.name} is gone from artifact {self.info.name}")


def length(content: BinaryIO) -> int:
    """Return how many bytes a file has, by reading it."""
    found = 0
    while data := content.read(CHUNK):
        found += len(data)
    return found
