"""What a step needs besides its place, told by its own text: the container engine, the job's services.

The rule, for both: what counts is what the workflow says and what its actions say of themselves, as
written: names, inputs, variables, scripts without the lines that are comments. A word counts wherever
else it stands, in a string too. What a script does from another file of the repository nobody can tell
before it runs: such a step has to say what it needs, by a volume (the engine) or by the job's token in
its environment or its job's (the services).

They differ in what a mistake costs. An engine's socket is the key to its machine, so nothing gets it
unasked (unlike GitHub's runner, which mounts it always). Services on loopback cost a few milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from trunkline.engine.action_loader import DOCKER, Files
from trunkline.engine.instances import Instance
from trunkline.expr.written import written, written_script
from trunkline.ports.containers import ContainerSpec
from trunkline.workflow.model import RunStep, SessionStep, UsesStep, WorkStep

# Programs and libraries that ask an engine; a Dockerfile or Docker Hub is none.
ENGINE_WORDS = r"docker(?!file|hub|\.io|\.com)|podman|buildah|testcontainers"
# Names of GitHub's API in the text of a step: GITHUB_API_URL, github.graphql_url.
API_WORDS = r"(api|graphql)_url"
# What a script that asks GitHub for something says: the job's token, or git with a server.
SCRIPT_WORDS = (
    r"github_token|github\.token"
    r"|\bgit\b[^\n;|&]*\b(clone|fetch|ls-remote|pull|push|submodule|remote +(update|show))\b"
)


def without_comments(script: str) -> str:
    """Return a script, or a Dockerfile, without the lines that are comments."""
    return "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))


def speaks_of_engine(*texts: str) -> bool:
    """Tell whether one of the texts names a program or a library that asks a container engine."""
    return any(re.search(ENGINE_WORDS, text, re.IGNORECASE) for text in texts)


def job_needs_engine(spec: ContainerSpec, instances: Iterable[Instance]) -> bool:
    """Tell whether a job container gets the socket: for its volumes, its options or its steps."""
    return speaks_of_engine(spec.options, *spec.volumes) or any(map(_needs_engine, instances))


def _needs_engine(instance: Instance) -> bool:
    step = instance.step
    if not isinstance(step, UsesStep):
        return speaks_of_engine(_script(step))
    name = instance.loaded.action.name if isinstance(instance.loaded, Files) else ""
    given = "" if step.with_ is None else written(step.with_)
    return speaks_of_engine(step.uses.value.removeprefix(DOCKER), given, name) or any(
        map(_needs_engine, instance.children)
    )


def _script(step: WorkStep) -> str:
    """Return what a step has a shell run, without comments; '' for an action."""
    match step:
        case RunStep():
            return without_comments(written_script(step.run))
        case SessionStep():
            commands = (each.value for each in (*step.commands, *step.finally_))
            return "\n".join(map(without_comments, commands))
        case UsesStep():
            return ""


def needs_services(instance: Instance) -> bool:
    """Tell whether a step asks GitHub's API, or its script's git a server."""
    step = instance.step
    tokens = [step.env, step.name]
    if isinstance(step, UsesStep):
        tokens.append(step.with_)
    text = "\n".join(written(token) for token in tokens if token is not None)
    script = _script(step)
    text = f"{text}\n{script}".lower()
    # Most texts have not even these letters, and an expression takes half a millisecond to compile.
    if script and "git" in text and re.search(SCRIPT_WORDS, text):
        return True
    text += step.condition.source.lower()
    return "_url" in text and re.search(API_WORDS, text) is not None
