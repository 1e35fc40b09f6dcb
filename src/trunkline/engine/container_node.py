"""Node in a job's container: brought in from outside, of the kind that the image can run."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from trunkline.base.errors import Unavailable
from trunkline.engine.job_context import JobContext
from trunkline.engine.processes import Kept, Limits, run_to_end
from trunkline.engine.step_runner import StepFailed, Tools
from trunkline.ports.process import ProcessSpec

# Where containers have the node programs, read-only.
EXTERNALS = "/__e"
NEEDED = (
    "an image with glibc and libstdc++ (Debian, Ubuntu, Fedora) or with musl (Alpine 3.18 or newer)"
)


def container_node(
    context: JobContext, tools: Tools, major: int, env: Mapping[str, str], limits: Limits
) -> str:
    """Return the path of a node that runs in the job's container, found out once for each version.

    Which C library an image has shows best by starting a program in it: names of distributions and
    of loaders mislead. Raises StepFailed when none runs there, Unavailable when none can be had.
    """
    if major not in context.nodes:
        troubles: list[str] = []
        for musl in (False, True):
            folder = tools.toolchains.external_node(major, musl=musl)
            path = posixpath.join(EXTERNALS, folder, "bin/node")
            told = _trouble(context, tools, path, env, limits)
            if not told:
                context.nodes[major] = path
                return path
            troubles.append(f"{folder}: {told}")
        raise StepFailed(
            f"Node {major} does not run in the image '{context.image}': a JavaScript action needs "
            f"{NEEDED}. {'; '.join(troubles)}"
        )
    return context.nodes[major]


def _trouble(
    context: JobContext, tools: Tools, node: str, env: Mapping[str, str], limits: Limits
) -> str:
    """Return why a program does not start, '' when it does."""
    kept = Kept()
    spec = ProcessSpec(argv=(node, "--version"), env=env, cwd="/")
    try:
        process = context.sandbox.start(spec)
        ended = run_to_end(process, kept, tools.clock, limits)
    except Unavailable as error:
        return error.message
    if ended.exit_code == 0:
        return ""
    lines = kept.text.strip().splitlines()
    return lines[-1] if lines else f"exit code {ended.exit_code}"
