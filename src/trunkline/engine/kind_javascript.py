"""JavaScript actions: pre, main and post as processes of node."""

from __future__ import annotations

import posixpath

from trunkline.engine.action_inputs import action_inputs, header
from trunkline.engine.action_loader import Files
from trunkline.engine.container_node import container_node
from trunkline.engine.processes import run_to_end
from trunkline.engine.step_runner import StepRunner, Stop, Work, stopped
from trunkline.engine.tool_cache import fill
from trunkline.ports.job_services import ServicesAccess
from trunkline.ports.process import ProcessSpec
from trunkline.run.api_host import shim as api_shim
from trunkline.run.job_machine import Stage
from trunkline.run.server_host import SHIM, node_flags
from trunkline.workflow.model import JavaScriptRuns, UsesStep

# node12 and node16 are gone: GitHub runs them on 20 (reference section 3.11).
NODE_MAJORS = {"node12": 20, "node16": 20, "node20": 20, "node24": 24}
# Below the job's actions; no owner of a repository has such a name.
SHIM_FILE = "_trunkline/server_host.cjs"
API_SHIM_FILE = "_trunkline/api_host.cjs"


def perform(runner: StepRunner, work: Work) -> Stop:
    """Run one stage of a JavaScript action."""
    step, loaded = work.instance.step, work.instance.loaded
    if not isinstance(step, UsesStep) or not isinstance(loaded, Files):
        raise TypeError(step)
    runs = loaded.action.runs
    if not isinstance(runs, JavaScriptRuns):
        raise TypeError(runs)
    inputs = action_inputs(runner.context, step, work.place, loaded.action, work.output)
    if work.stage is Stage.POST:
        work.output.line("Post job cleanup.")
    else:
        work.output.engine_lines(header(f"Run {step.uses.value}", inputs, work.place.env))
    if work.stage is not Stage.POST and runs.post:
        work.instance.wants_post = True
    fill(runner, work, inputs)
    entry = {Stage.PRE: runs.pre, Stage.MAIN: runs.main, Stage.POST: runs.post}[work.stage]
    access = runner.services()
    stage = stage_environment(inputs, work.instance.state)
    git = runner.context.git.variables(access.git, work.place.env)
    env = runner.environment(work, {**stage, **access.actions, **git})
    node = _node(runner, work, NODE_MAJORS[runs.using], env)
    argv = (node, *_flags(runner, work, access), posixpath.join(loaded.folder, entry))
    process = runner.context.sandbox.start(
        ProcessSpec(argv=argv, env=env, cwd=runner.context.layout.workspace)
    )
    return stopped(run_to_end(process, work.output, runner.tools.clock, work.limits))


def _flags(runner: StepRunner, work: Work, access: ServicesAccess) -> tuple[str, ...]:
    """Return node's flags; files of ours that they name are written anew: steps could change them."""
    sandbox, actions = runner.context.sandbox, runner.context.layout.actions
    shim = posixpath.join(actions, SHIM_FILE)
    flags = node_flags(str(runner.context.github(work.place).get("server_url") or ""), shim)
    if flags:
        sandbox.put(shim, SHIM.encode())
    if access.hosts:
        led = posixpath.join(actions, API_SHIM_FILE)
        sandbox.put(led, api_shim(access.hosts, access.github["api_url"]).encode())
        flags = (*flags, "--require", led)
    return flags


def _node(runner: StepRunner, work: Work, major: int, env: dict[str, str]) -> str:
    if runner.context.layout.in_container:
        return container_node(runner.context, runner.tools, major, env, work.limits)
    return runner.tools.toolchains.node(major)


def stage_environment(inputs: dict[str, str], state: dict[str, str]) -> dict[str, str]:
    """Return INPUT_* and STATE_* (reference sections 3.10, 3.11)."""
    found = {f"INPUT_{name.upper().replace(' ', '_')}": value for name, value in inputs.items()}
    found.update({f"STATE_{name}": value for name, value in state.items()})
    return found
