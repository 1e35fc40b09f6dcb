"""What a job's scripts create belongs to the job: it is labelled, and finds the job's folders."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from trunkline.adapters.docker.proxy.confining import Confined
from trunkline.adapters.docker.proxy.heads import Request, with_query

# Where clients look for the engine by themselves.
ENGINE_SOCKETS = frozenset({"/var/run/docker.sock", "/run/docker.sock"})


class Place(msgspec.Struct, frozen=True):
    """The job as far as containers that it creates are concerned.

    `outside` gives the engine's machine's path for one that the job sees, None for a path that only
    the job has; `socket` is the job's Engine API socket on the engine's machine, and `sockets` are
    the paths under which the job may know an engine's socket. `confine` returns the network that
    containers have to stay in by the `policy`, None where they may reach everything.
    """

    labels: Mapping[str, str]
    outside: Callable[[str], str | None]
    socket: str
    sockets: frozenset[str] = ENGINE_SOCKETS
    policy: str = "open"
    confine: Callable[[Sequence[str]], Confined] | None = None


def labelled(body: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the description of a container, network or volume with the job's labels."""
    own = body.get("Labels")
    return {**body, "Labels": {**(own if isinstance(own, dict) else {}), **labels}}


def container_of(body: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Return the description of a container as the engine is to make it."""
    found = with_sources(labelled(body, place.labels), lambda path: _path(path, place))
    config = found.get("HostConfig")
    if isinstance(config, dict) and config.get("Mounts"):
        config["Mounts"] = labelled_mounts(config["Mounts"], place.labels)
    return found


def with_sources(body: Mapping[str, Any], there: Callable[[str], str]) -> dict[str, Any]:
    """Return the description of a container with each mounted path of the machine as `there` says."""
    config = body.get("HostConfig")
    if not isinstance(config, dict):
        return dict(body)
    found = dict(config)
    if config.get("Binds"):
        found["Binds"] = [_bind(bind, there) for bind in _texts(config["Binds"])]
    if config.get("Mounts"):
        found["Mounts"] = [_mount(mount, there) for mount in _tables(config["Mounts"])]
    return {**body, "HostConfig": found}


def volumes_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the volumes that `Binds` name (`data:/data`), with their driver.

    The engine makes those that it lacks, without any label.
    """
    config = body.get("HostConfig")
    if not isinstance(config, dict):
        return {}
    driver = str(config.get("VolumeDriver") or "")
    return {source: driver for bind in _texts(config.get("Binds")) if (source := _volume(bind))}


def labelled_mounts(mounts: object, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return `Mounts` so that the volumes that the engine makes for them carry the labels."""
    return [
        {**mount, "VolumeOptions": labelled(mount.get("VolumeOptions") or {}, labels)}
        if mount.get("Type") == "volume"
        else mount
        for mount in _tables(mounts)
    ]


def own_only(request: Request, labels: Mapping[str, str]) -> Request:
    """Return a listing's or pruning's request with a filter: only what carries these labels."""
    try:
        filters = msgspec.json.decode(request.query.get("filters") or "{}")
    except msgspec.DecodeError:
        return request
    if not isinstance(filters, dict):
        return request
    asked = filters.get("label")
    # Older clients send {"label": {"a=b": true}}, newer ones {"label": ["a=b"]}.
    words = [str(word) for word in asked] if isinstance(asked, dict | list) else []
    words += [f"{name}={value}" for name, value in labels.items()]
    return with_query(request, filters=msgspec.json.encode({**filters, "label": words}).decode())


def _bind(bind: str, there: Callable[[str], str]) -> str:
    source, colon, rest = bind.partition(":")
    return f"{there(source)}{colon}{rest}" if source.startswith("/") else bind


def _mount(mount: dict[str, Any], there: Callable[[str], str]) -> dict[str, Any]:
    source, kind = mount.get("Source"), mount.get("Type")
    if kind == "bind" and isinstance(source, str):
        return {**mount, "Source": there(source)}
    return mount


def _path(path: str, place: Place) -> str:
    """Return the engine's path; the engine's own socket gives way to the job's."""
    plain = posixpath.normpath(path)
    if plain in place.sockets:
        return place.socket
    return place.outside(plain) or path


def _volume(bind: str) -> str:
    source, colon, _ = bind.partition(":")
    return source if colon and not source.startswith(("/", ".", "~")) else ""


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
