"""Whether a container engine may be here: asked for every job, so nothing is loaded for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping


def has_engine(environ: Mapping[str, str]) -> bool:
    """Tell whether something may be an engine here; nothing is asked of it."""
    if environ.get("DOCKER_HOST") or environ.get("DOCKER_CONTEXT"):
        return True
    return any(os.access(path, os.R_OK | os.W_OK) for path in sockets(environ))


def sockets(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield where engines listen: Docker, rootless too, Docker Desktop and Podman."""
    home = environ.get("HOME", "")
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    yield "/var/run/docker.sock"
    yield f"{runtime}/docker.sock"
    if home:
        yield f"{home}/.docker/run/docker.sock"
        yield f"{home}/.docker/desktop/docker.sock"
    yield f"{runtime}/podman/podman.sock"
    yield "/run/podman/podman.sock"
