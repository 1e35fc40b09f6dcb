"""Port: services on this machine that jobs and tools of a run speak HTTP to."""

from __future__ import annotations

from typing import Protocol

REGISTRY = "registry"
RESULTS = "results"
LOOPBACK = "127.0.0.1"


class Endpoints(Protocol):
    """Loopback services, each started when it is first asked for and kept until the run's end."""

    def ensure(self, kind: str, host: str = LOOPBACK) -> str:
        """Return the URL of a service (`http://127.0.0.1:PORT`), with no slash at its end.

        `kind` is `registry` (OCI distribution: images that a rehearsal pushes) or `results` (what
        actions call: artifacts, caches, identity, GitHub's API). `host` is the address of this
        machine to listen on: each has a port of its own. Thread-safe. Raises NotFound for a
        kind that there is not, Unavailable when the service can't be started.
        """
        ...

    def release(self, kind: str, host: str) -> None:
        """Stop a service at one address, if it runs there. The next `ensure` starts it anew."""
        ...
