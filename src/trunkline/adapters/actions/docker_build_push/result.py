"""What a build gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

DIGEST = "containerimage.digest"
CONFIG_DIGEST = "containerimage.config.digest"
IMAGE_NAME = "image.name"


class Result(NamedTuple):
    """An image's id ('' when the build made none), and what the builder tells, in Buildx's keys."""

    image_id: str
    metadata: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Return the digest of the image: the manifest's where it was pushed."""
        return str(self.metadata.get(DIGEST, ""))

    def pushed_as(self, names: str, digest: str) -> Result:
        """Return it with what its push gave: the manifest's digest under these names."""
        # An engine that keeps images with containerd knows an image by its manifest alone.
        is_config = self.image_id not in {"", digest}
        told = {CONFIG_DIGEST: self.image_id} if is_config else {}
        more = {DIGEST: digest, IMAGE_NAME: names}
        return self._replace(metadata={**told, **self.metadata, **more})
