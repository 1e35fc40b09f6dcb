"""Rate limits (GitHub: rate limits for the REST API), counted and told as there; nobody is refused."""

from __future__ import annotations

import threading

import msgspec

from trunkline.ports.clock import Clock
from trunkline.services.github.calls import Document

HOUR, MINUTE = 3600, 60
# How many requests a resource takes, by who asks: a user, a job (its repository), nobody known.
OF_USER = {"core": 5000, "graphql": 5000, "search": 30, "code_search": 10}
OF_JOB = {**OF_USER, "core": 1000, "graphql": 1000}
OF_NOBODY = {"core": 60, "graphql": 0, "search": 10, "code_search": 10}
# Paths below which another resource than `core` is used up; the first that fits counts.
PLACES = {"/search/code": "code_search", "/search/": "search"}


class Caller(msgspec.Struct, frozen=True):
    """Whose requests are counted together, and how many a resource takes of them."""

    key: str
    limits: dict[str, int]


NOBODY = Caller("", OF_NOBODY)


class _Window(msgspec.Struct):
    """The time in which requests are counted; it ends at `reset` (epoch seconds)."""

    reset: int
    used: int = 0


class RateLimits:
    """Counts requests. Thread-safe. A window begins with its first request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, str], _Window] = {}

    def headers(self, caller: Caller, path: str, *, counts: bool) -> dict[str, str]:
        """Return the headers of the answer to a request of `path`; `counts` says that it is counted."""
        resource = next((name for place, name in PLACES.items() if path.startswith(place)), "core")
        with self._lock:
            window = self._window(caller, resource)
            if counts:
                window.used += 1
                self._windows[caller.key, resource] = window
            told = _told(window, caller.limits[resource])
        return {f"x-ratelimit-{name}": str(value) for name, value in told.items()} | {
            "x-ratelimit-resource": resource
        }

    def document(self, caller: Caller) -> Document:
        """Return the answer of `/rate_limit`."""
        with self._lock:
            found = {
                resource: _told(self._window(caller, resource), limit)
                for resource, limit in caller.limits.items()
            }
        return {"resources": found, "rate": found["core"]}

    def _window(self, caller: Caller, resource: str) -> _Window:
        """Return the window that goes on, else one that begins now. Windows that ended are forgotten."""
        now = int(self._clock.now())
        self._windows = {key: each for key, each in self._windows.items() if each.reset > now}
        found = self._windows.get((caller.key, resource))
        return found or _Window(now + (MINUTE if "search" in resource else HOUR))


def _told(window: _Window, limit: int) -> dict[str, int]:
    remaining = max(limit - window.used, 0)
    return {"limit": limit, "remaining": remaining, "used": window.used, "reset": window.reset}
