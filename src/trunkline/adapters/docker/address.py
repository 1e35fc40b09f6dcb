"""Where the container engine listens: DOCKER_HOST, Docker's context, or a socket that is there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping

from trunkline.adapters.docker.presence import sockets
from trunkline.base.errors import Unavailable

NO_ENGINE = "No container engine is here: neither Docker's nor Podman's socket was found."
HOW_TO_GET_ONE = (
    "Install Docker (rootless needs no administrator: https://docs.docker.com/engine/security/"
    "rootless/) or Podman (`systemctl --user start podman.socket`), or name one in DOCKER_HOST."
)


def engine_address(environ: Mapping[str, str]) -> str:
    """Return the engine's address (`unix://`, `tcp://`, `ssh://`); Unavailable when there is none.

    As Docker's client: DOCKER_HOST, then the context that is chosen, then the usual sockets, those
    of rootless engines and of Podman too.
    """
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    chosen = _context(environ)
    if chosen:
        return chosen
    refused = ""
    for path in sockets(environ):
        if os.access(path, os.R_OK | os.W_OK):
            return f"unix://{path}"
        if not refused and os.path.exists(path):
            refused = path
    if refused:
        raise Unavailable(
            f"permission denied while trying to connect to the container engine at {refused}",
            hint="Join the group that the socket belongs to (`docker`), or run a rootless engine.",
        )
    raise Unavailable(NO_ENGINE, hint=HOW_TO_GET_ONE)


def _context(environ: Mapping[str, str]) -> str:
    """Return the address in Docker's chosen context, '' for the default one."""
    folder = environ.get("DOCKER_CONFIG") or f"{environ.get('HOME', '')}/.docker"
    name = environ.get("DOCKER_CONTEXT") or _read(f"{folder}/config.json").get("currentContext")
    if not isinstance(name, str) or name in {"", "default"}:
        return ""
    number = hashlib.sha256(name.encode()).hexdigest()
    meta = _read(f"{folder}/contexts/meta/{number}/meta.json")
    endpoints = meta.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = docker.get("Host") if isinstance(docker, dict) else None
    if not isinstance(host, str) or not host:
        raise Unavailable(f'context "{name}": context not found in {folder}')
    return host


def _read(path: str) -> dict[str, object]:
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
