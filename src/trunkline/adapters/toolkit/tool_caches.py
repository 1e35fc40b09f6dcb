"""Where this machine keeps tools as GitHub's runners do: `<folder>/<Tool>/<version>/<arch>`."""

from __future__ import annotations

from collections.abc import Mapping

# The first counts for set-up actions where both are there (real actions, section 10).
VARIABLES = ("AGENT_TOOLSDIRECTORY", "RUNNER_TOOL_CACHE")
USUAL = "/opt/hostedtoolcache"


def tool_caches(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders, those that variables name first. They are read, never written to."""
    named = [environment.get(name, "").strip() for name in VARIABLES]
    return tuple(dict.fromkeys([*(path for path in named if path.startswith("/")), USUAL]))
