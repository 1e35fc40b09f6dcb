"""Which jobs and actions need the container engine itself: those whose own text speaks of one.

An engine's socket is the key to its machine, so nothing gets it unasked (unlike GitHub's runner,
which mounts it always).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from trunkline.engine.action_loader import Files
from trunkline.engine.instances import Instance
from trunkline.expr.written import written
from trunkline.ports.containers import ContainerSpec
from trunkline.workflow.model import RunStep, SessionStep

# Programs and libraries that ask an engine; a Dockerfile or Docker Hub is none.
WORDS = r"docker(?!file|hub|\.io|\.com)|podman|buildah|testcontainers"


def speaks_of_engine(*texts: str) -> bool:
    """Tell whether one of the texts names a program or a library that asks a container engine."""
    return any(re.search(WORDS, text, re.IGNORECASE) for text in texts)


def job_needs_engine(spec: ContainerSpec, instances: Iterable[Instance]) -> bool:
    """Tell whether a job container gets the socket: for its volumes, its options or its steps."""
    texts = [spec.options, *spec.volumes]
    return speaks_of_engine(*texts) or any(_step_speaks(each) for each in instances)


def _step_speaks(instance: Instance) -> bool:
    step = instance.step
    if isinstance(step, RunStep):
        return speaks_of_engine(written(step.run))
    if isinstance(step, SessionStep):
        return speaks_of_engine(*(each.value for each in (*step.commands, *step.finally_)))
    name = instance.loaded.action.name if isinstance(instance.loaded, Files) else ""
    given = "" if step.with_ is None else written(step.with_)
    uses = step.uses.value.removeprefix("docker://")
    return speaks_of_engine(uses, given, name) or any(_step_speaks(c) for c in instance.children)
