"""The image that a build starts from, with its digest: evidence of where an image came from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from trunkline.adapters.actions.docker_build_push.contexts import Place, Remote
from trunkline.adapters.actions.docker_build_push.settings import Settings
from trunkline.adapters.toolkit.files import read_text
from trunkline.base.errors import Unavailable
from trunkline.oci.dockerfiles import base_image
from trunkline.oci.repository_digests import digest_under, name_of
from trunkline.ports.actions import ActionCall, ActionJob

_DOCKER = "pkg:docker/"
_IMAGE = "docker-image://"


class Base(NamedTuple):
    """A base image's reference and digest; '' for what is unknown, or for no base at all.

    The digest is the manifest's; that of an image which only this machine has is its id.
    """

    name: str = ""
    digest: str = ""


def find_base(
    settings: Settings,
    where: Place | Remote,
    call: ActionCall,
    metadata: Mapping[str, Any],
    job: ActionJob,
) -> Base:
    """Return what was built on: by the Dockerfile, the builder's provenance and the engine."""
    if isinstance(where, Remote):
        return Base()
    text = read_text(job, where.dockerfile)
    arguments = given_arguments(settings, call)
    name = base_image(text, settings.target, arguments) if text is not None else ""
    name = _replaced(name, settings)
    if not name:
        return Base()
    if "@" in name:
        return Base(name.partition("@")[0], name.partition("@")[2])
    return Base(name, _from_provenance(name, metadata) or _from_engine(name, job))


def given_arguments(settings: Settings, call: ActionCall) -> dict[str, str]:
    """Return the build arguments with values; those without one come from the step's environment."""
    found = {}
    for name, value in settings.build_args.items():
        text = call.env.get(name) if value is None else value
        if text is not None:
            found[name] = text
    return found


def _replaced(name: str, settings: Settings) -> str:
    """Return what a named context of the build puts in an image's place."""
    for each in settings.lists["build-contexts"]:
        known, _, source = each.partition("=")
        if name and known == name:
            return source.removeprefix(_IMAGE) if source.startswith(_IMAGE) else ""
    return name


def _from_provenance(name: str, metadata: Mapping[str, Any]) -> str:
    """Return the digest that BuildKit resolved (SLSA provenance: materials, dependencies)."""
    for uri, digests in _materials(metadata):
        image = unquote(uri.removeprefix(_DOCKER).partition("?")[0]).rpartition("@")[0]
        if uri.startswith(_DOCKER) and name_of(image) == name_of(name) and "sha256" in digests:
            return f"sha256:{digests['sha256']}"
    return ""


def _materials(metadata: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for key, value in metadata.items():
        if not key.startswith("buildx.build.provenance") or not isinstance(value, dict):
            continue
        definition = value.get("buildDefinition") or {}
        for each in [*value.get("materials", ()), *definition.get("resolvedDependencies", ())]:
            yield str(each.get("uri", "")), each.get("digest", {})


def _from_engine(name: str, job: ActionJob) -> str:
    """Return the digest that the engine pulled the image by; its id when it came from nowhere.

    Evidence is no reason to fail: an engine that is gone tells nothing.
    """
    image = None
    with contextlib.suppress(Unavailable):
        image = job.sandbox.containers.images.inspect(name)
    return digest_under(name, image.digests) or image.id if image is not None else ""
