"""What becomes of a build: entries of `outputs`, as Buildx reads `--output`."""

from __future__ import annotations

from typing import NamedTuple

from trunkline.adapters.toolkit.lists import parse_records
from trunkline.ports.actions import ActionFailed

# Exporters that leave an image with the engine, or push one.
_IMAGES = frozenset({"image", "registry", "docker"})


class Exporter(NamedTuple):
    """One entry: its kind, its attributes, and the whole as it was written."""

    type: str
    attributes: dict[str, str]
    text: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the image."""
        return tuple(each.strip() for each in self.attributes.get("name", "").split(",") if each)

    @property
    def is_image(self) -> bool:
        """Whether the result is an image of the engine, not a file or a folder."""
        return self.type in _IMAGES and not self.attributes.get("dest")

    @property
    def is_pushed(self) -> bool:
        """Whether the image is pushed."""
        return self.type == "registry" or (self.type == "image" and self._says("push"))

    @property
    def is_nameless(self) -> bool:
        """Whether the image is pushed by its digest alone."""
        return self._says("push-by-digest")

    def _says(self, name: str) -> bool:
        return is_true(self.attributes.get(name, ""))


def is_true(text: str) -> bool:
    """Tell whether a switch of Buildx's is on, as Go reads it (strconv.ParseBool)."""
    return text.lower() in {"1", "t", "true"}


def read_exporter(text: str) -> Exporter:
    """Read an entry; a lone path means a folder, `-` a tarball. Raises ActionFailed."""
    fields = [field for record in parse_records(text)[:1] for field in record]
    if len(fields) == 1 and "=" not in fields[0]:
        kind = "tar" if fields[0] == "-" else "local"
        return Exporter(kind, {"dest": fields[0]}, text)
    attributes = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals:
            raise ActionFailed(f"invalid value {field}: an output is type=...,name=value,...")
        attributes[name.strip().lower()] = value.strip()
    kind = attributes.pop("type", "")
    if not kind:
        raise ActionFailed(f"type is required for output '{text}'")
    return Exporter(kind, attributes, text)
