"""Rate limits: nothing is limited here, which is told as an hour that has just begun."""

from __future__ import annotations

from trunkline.services.github.calls import Document

HOUR = 3600
LIMIT = 5000
RESOURCES = {"core": LIMIT, "graphql": LIMIT, "search": 30, "code_search": 10}


def headers(now: float) -> dict[str, str]:
    """Return the headers that every answer has."""
    return {
        "x-ratelimit-limit": str(LIMIT),
        "x-ratelimit-remaining": str(LIMIT - 1),
        "x-ratelimit-used": "1",
        "x-ratelimit-reset": str(int(now) + HOUR),
        "x-ratelimit-resource": "core",
    }


def limits(now: float) -> Document:
    """Return the answer of `/rate_limit`."""
    reset = int(now) + HOUR
    found = {
        name: {"limit": limit, "remaining": limit, "used": 0, "reset": reset}
        for name, limit in RESOURCES.items()
    }
    return {"resources": found, "rate": found["core"]}
