"""What a job's token may do (GitHub: workflow syntax, `permissions`)."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.workflow.model import Permissions
from trunkline.workflow.permissions import default_levels, levels

_METADATA = {"metadata": "read"}  # every token may read that, whatever is written
RESTRICTED: Mapping[str, str] = {**default_levels("LimitedRead"), **_METADATA}


def effective(
    written: Permissions | None, inherited: Mapping[str, str] = RESTRICTED
) -> Mapping[str, str]:
    """Return the level of every scope.

    `written` is the nearest `permissions` key (a job's replaces its workflow's); without one the
    `inherited` ones hold: the repository's default (GitHub's restricted setting), or in a called
    workflow the calling job's. `metadata` is always read.
    """
    return inherited if written is None else {**levels(written), **_METADATA}


def render(permissions: Mapping[str, str]) -> str:
    """Return what is granted besides metadata (`contents: read`), `none`, or `read-all`."""
    for level in ("read", "write"):
        if permissions == effective(Permissions(all_=level)):
            return f"{level}-all"
    granted = [
        f"{scope}: {level}"
        for scope, level in permissions.items()
        if level != "none" and scope not in _METADATA
    ]
    return ", ".join(granted) or "none"
