"""Loopback services of a run: web servers on free ports, started late, stopped at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from trunkline.base.errors import NotFound
from trunkline.ports.endpoints import LOOPBACK

Application = TypeVar("Application")


class Running(Protocol):
    """A server that answers."""

    @property
    def url(self) -> str:
        """Return where."""
        ...

    def stop(self) -> None:
        """Stop it."""
        ...


class LocalEndpoints:
    """Serves each kind's application on a port of its own, for this machine alone.

    `start` starts a server for an application on a host; `applications` makes them by kind.
    """

    def __init__(
        self,
        start: Callable[[Application, str], Running],
        applications: Mapping[str, Callable[[], Application]],
    ) -> None:
        self._starters = {
            kind: lambda host, make=make: start(make(), host) for kind, make in applications.items()
        }
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], Running] = {}

    def ensure(self, kind: str, host: str = LOOPBACK) -> str:
        """Return the URL of a service, started with the first call. Raises NotFound, Unavailable."""
        if kind not in self._starters:
            raise NotFound(f"There is no local service '{kind}'.")
        with self._lock:
            if (kind, host) not in self._running:
                self._running[kind, host] = self._starters[kind](host)
            return self._running[kind, host].url

    def release(self, kind: str, host: str) -> None:
        """Stop a service at one address, if it runs there."""
        with self._lock:
            server = self._running.pop((kind, host), None)
        if server is not None:
            server.stop()

    def stop(self) -> None:
        """Stop what was started; a later `ensure` starts it anew."""
        with self._lock:
            running, self._running = self._running, {}
        for server in running.values():
            server.stop()
