"""Times in words."""

from __future__ import annotations

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def duration(seconds: float) -> str:
    """Return a length of time, short: `0.4s`, `12s`, `3m05s`, `2h10m`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02d}s"
    return f"{whole // HOUR}h{whole % HOUR // MINUTE:02d}m"


def ago(seconds: float) -> str:
    """Return how long ago something was: `now`, `5m ago`, `3d ago`."""
    whole = max(int(seconds), 0)
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if whole >= size:
            return f"{whole // size}{unit} ago"
    return "now" if whole < 5 else f"{whole}s ago"
