"""A place that runs no program: files in memory, processes that follow a script. The fake."""

from __future__ import annotations

from trunkline.adapters.sandboxes.scripted.containers import (
    ScriptedContainers,
    ScriptedEngine,
    ScriptedImage,
)
from trunkline.adapters.sandboxes.scripted.process import Reaction, Script
from trunkline.adapters.sandboxes.scripted.sandbox import (
    Call,
    Rule,
    ScriptedSandbox,
    ScriptedSandboxes,
)

__all__ = [
    "Call",
    "Reaction",
    "Rule",
    "Script",
    "ScriptedContainers",
    "ScriptedEngine",
    "ScriptedImage",
    "ScriptedSandbox",
    "ScriptedSandboxes",
]
