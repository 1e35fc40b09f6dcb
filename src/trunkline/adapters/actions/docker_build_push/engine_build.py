"""Builds with the Docker Engine's own builder: where a job has no Buildx.

It makes one image for one platform. What would only be added to that is left out with a warning;
what would make another result fails.
"""

from __future__ import annotations

import re

from trunkline.adapters.actions.docker_build_push.base_images import given_arguments
from trunkline.adapters.actions.docker_build_push.contexts import Place, Remote
from trunkline.adapters.actions.docker_build_push.result import (
    CONFIG_DIGEST,
    DIGEST,
    IMAGE_NAME,
    Result,
)
from trunkline.adapters.actions.docker_build_push.settings import Settings
from trunkline.adapters.toolkit.lists import parse_records
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.containers import BuildSpec, Watch

_BUILDX = "the Docker Engine's own builder can't do that; it takes Buildx."
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp])?i?b?", re.IGNORECASE)
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}


def build(settings: Settings, where: Place | Remote, call: ActionCall, job: ActionJob) -> Result:
    """Build. Raises ActionFailed for what this builder can't do, Unavailable when it fails."""
    _refuse(settings)
    _warn(settings, job)
    if isinstance(where, Remote):
        raise ActionFailed(f"The context '{where.context}' can't be fetched: {_BUILDX}")
    no_cache = settings.no_cache
    if settings.lists["no-cache-filters"] and not no_cache:
        job.log("no-cache-filters: this builder caches all stages or none, so none is cached.")
        no_cache = True
    spec = BuildSpec(
        context=where.context,
        dockerfile=where.dockerfile,
        tags=settings.tags,
        args=given_arguments(settings, call),
        labels=dict(_pair(each) for each in settings.lists["labels"]),
        target=settings.target,
        platform=",".join(settings.lists["platforms"]),
        network=settings.network,
        no_cache=no_cache,
        pull=settings.pull,
        cache_from=tuple(filter(None, map(_cache_image, settings.lists["cache-from"]))),
        add_hosts=tuple(settings.lists["add-hosts"]),
        ulimits=tuple(settings.lists["ulimit"]),
        shm_size=_bytes(settings.shm_size),
        cgroup_parent=settings.cgroup_parent,
    )
    image = job.sandbox.containers.images.build(spec, Watch(job.log, job.is_cancelled))
    metadata = {CONFIG_DIGEST: image.id, DIGEST: image.id}
    if settings.tags:
        metadata[IMAGE_NAME] = ",".join(settings.tags)
    return Result(image.id, metadata)


def _refuse(settings: Settings) -> None:
    """Raise ActionFailed for what would make another result."""
    lists = settings.lists
    asked: dict[str, object] = {
        "secrets": settings.secrets,
        "secret-envs": lists["secret-envs"],
        "secret-files": lists["secret-files"],
        "ssh": lists["ssh"],
        "build-contexts": lists["build-contexts"],
        "call": settings.call not in {"", "build"},
        "outputs": [each for each in settings.exporters if not each.is_image or each.is_nameless],
        "platforms": lists["platforms"][1:],
    }
    for name, is_asked in asked.items():
        if is_asked:
            raise ActionFailed(
                f"Input '{name}': {_BUILDX} Install the docker-buildx plug-in to build this here."
            )


def _warn(settings: Settings, job: ActionJob) -> None:
    """Tell what is left out of the result, or has no effect on it."""
    lists = settings.lists
    elsewhere = [each for each in lists["cache-from"] if not _cache_image(each)]
    asked: tuple[tuple[str, object], ...] = (
        ("provenance", settings.provenance not in {"", "false"}),
        ("sbom", settings.sbom.lower() not in {"", "false"}),
        ("attests", lists["attests"]),
        ("annotations", lists["annotations"]),
        ("cache-to", lists["cache-to"]),
        ("cache-from", elsewhere),
        ("builder", settings.builder not in {"", "default"}),
    )
    for name, is_asked in asked:
        if is_asked:
            job.annotate("warning", f"Input '{name}' is ignored: {_BUILDX}")


def _cache_image(text: str) -> str:
    """Return the image that a `cache-from` names, '' when it is of another kind."""
    if "=" not in text:
        return text
    fields = [field.partition("=") for record in parse_records(text)[:1] for field in record]
    values = {name.strip(): value.strip() for name, _, value in fields}
    return values.get("ref", "") if values.get("type") == "registry" else ""


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _bytes(text: str) -> int:
    """Return a size in bytes (`2g`), 0 when none is given. Raises ActionFailed."""
    if not text:
        return 0
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ActionFailed(f"invalid size: '{text}'")
    return int(float(found[1]) * (1 << _UNITS[(found[2] or "").lower()]))
