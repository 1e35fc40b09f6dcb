"""Parsing and formatting of durations such as ``1h 30m``."""

import re

SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([wdhms])", re.IGNORECASE)


class DurationError(ValueError):
    """The text is not a duration."""


def parse_duration(text):
    """Return the seconds of ``text``: ``1h30m``, ``2 d``, ``1.5h`` or a plain number."""
    try:
        return float(text)
    except ValueError:
        pass
    position, total = 0, 0.0
    while match := PART.match(text, position):
        total += float(match[1]) * SECONDS[match[2].lower()]
        position = match.end()
    if position == 0 or text[position:].strip():
        raise DurationError(f"not a duration: {text!r}")
    return total


def format_duration(seconds):
    """Return ``seconds`` in the largest units that fit, such as ``1h 30m``."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    rest, parts = round(seconds), []
    for unit, size in SECONDS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
