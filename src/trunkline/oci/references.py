"""Image references as users write them, and where a rehearsal keeps them.

`[host[:port]/]name[:tag][@digest]`, with Docker's normalisation: `alpine` is
`docker.io/library/alpine`.
"""

from __future__ import annotations

import re

import msgspec

from trunkline.oci.digests import DIGEST
from trunkline.oci.names import COMPONENT, LONGEST_REPOSITORY, TAG, is_repository

DOCKER_HUB = "docker.io"
LATEST = "latest"

HOST_COMPONENT = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
HOST = re.compile(rf"(?:{HOST_COMPONENT}(?:\.{HOST_COMPONENT})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
REFERENCE = re.compile(
    rf"(?P<name>{COMPONENT}(?:/{COMPONENT})*)"
    rf"(?::(?P<tag>{TAG.pattern}))?"
    rf"(?:@(?P<digest>{DIGEST.pattern}))?"
)
# A whole image id is no name: Docker reads it as an id.
IMAGE_ID = re.compile(r"[0-9a-f]{64}")
NOT_IN_A_NAME = re.compile(r"[^a-z0-9.-]+")
# Longer text is no reference: 255 for the name, 128 for the tag, 135 for the digest, and signs.
LONGEST_REFERENCE = 1024


class InvalidReference(ValueError):
    """A text that is not an image reference; the message is Docker's."""


class ImageReference(msgspec.Struct, frozen=True):
    """A whole image reference: `host` has the port, `repository` has no host.

    Without tag and digest it means the tag `latest`.
    """

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Return `host/repository`."""
        return f"{self.host}/{self.repository}"

    @property
    def target(self) -> str:
        """Return what to ask a registry for: the digest, else the tag, else `latest`."""
        return self.digest or self.tag or LATEST

    @property
    def text(self) -> str:
        """Return the reference in full, as it was given a tag or a digest."""
        tag = f":{self.tag}" if self.tag else ""
        return self.name + tag + (f"@{self.digest}" if self.digest else "")

    @property
    def familiar(self) -> str:
        """Return the short form that Docker shows: without `docker.io/library/`."""
        official = f"{DOCKER_HUB}/library/"
        if self.name.startswith(official) and self.repository.count("/") == 1:
            return self.text.removeprefix(official)
        return self.text.removeprefix(f"{DOCKER_HUB}/")


def parse_reference(text: str) -> ImageReference:
    """Read an image reference. Raises InvalidReference, in Docker's words."""
    if IMAGE_ID.fullmatch(text):
        raise InvalidReference(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    host, rest = _split_host(text)
    if len(text) > LONGEST_REFERENCE or not HOST.fullmatch(host):
        raise InvalidReference("invalid reference format")
    found = REFERENCE.fullmatch(rest)
    if found is None:
        name = re.split("[:@]", rest, maxsplit=1)[0]
        if name.lower() != name:
            raise InvalidReference(
                f"invalid reference format: repository name ({name}) must be lowercase"
            )
        raise InvalidReference("invalid reference format")
    if len(f"{host}/{found['name']}") > LONGEST_REPOSITORY:
        raise InvalidReference("repository name must not be more than 255 characters")
    return ImageReference(host, found["name"], found["tag"] or "", found["digest"] or "")


def local_repository(reference: ImageReference) -> str:
    """Return the repository of the local registry that stands for a reference's in a rehearsal.

    `ghcr.io/o/n` stays as it is; a port's colon becomes `_`: `localhost_5000/x`. A repository that
    is too long for the registry raises InvalidReference.
    """
    host = NOT_IN_A_NAME.sub("_", reference.host.lower()).strip("_")
    name = f"{host}/{reference.repository}"
    if not is_repository(name):
        raise InvalidReference(f"'{name}' is not a name that the local registry can keep")
    return name


def _split_host(text: str) -> tuple[str, str]:
    """Split the host from the rest: a first part with a dot, a colon or a capital, or localhost."""
    first, slash, rest = text.partition("/")
    is_host = "." in first or ":" in first or first == "localhost" or first.lower() != first
    if not slash or not is_host:
        host, rest = DOCKER_HUB, text
    else:
        host = DOCKER_HUB if first == "index.docker.io" else first
    if host == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    return host, rest
