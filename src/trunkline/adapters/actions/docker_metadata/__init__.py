"""docker/metadata-action as a native action: tags, labels and annotations of an image."""

from __future__ import annotations
