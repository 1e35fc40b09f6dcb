"""Whose a registry is, by its host: this machine's, or another's."""

from __future__ import annotations

import re

THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
PORT = re.compile(r":[0-9]+$")


def is_this_machine(host: str) -> bool:
    """Tell whether a registry's `host[:port]` is this machine, under the names that people write.

    Any other counts as another machine's, other loopback addresses too: a rehearsal that takes a
    registry for another's publishes nothing.
    """
    name = (host if host == "::1" else PORT.sub("", host)).strip("[]").lower()
    return name in THIS_MACHINE or name.endswith(".localhost")
