"""Running what an event starts: one run after the other, each from plan to conclusion."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from trunkline.engine.run_loop import MakeWorker, RunLoop, RunPorts
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate_text
from trunkline.expr.values import Value
from trunkline.plan.contexts import RunIdentity, default_run_name
from trunkline.plan.model import Plan
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.gate import Gate
from trunkline.ports.journal import Journals
from trunkline.ports.secrets import Secrets
from trunkline.run.events import Options, Record, RunStarted
from trunkline.run.facts import USER
from trunkline.run.state import RunState
from trunkline.services.planning import Outlook, Prospect, run_contexts


class RunnerPorts(msgspec.Struct, frozen=True):
    """What running needs. `observe` hears every record, after it is in the journal."""

    journals: Journals
    gate: Gate
    clock: Clock
    ids: Ids
    secrets: Secrets
    make_worker: MakeWorker
    observe: Callable[[str, Record], None]


class Runner:
    """Performs runs one at a time; `cancel` may come from a signal handler."""

    def __init__(self, ports: RunnerPorts, options: Options) -> None:
        self._ports = ports
        self._options = options
        self._loop: RunLoop | None = None
        self._asked = 0

    def perform(self, found: Prospect, outlook: Outlook) -> RunState:
        """Run one started workflow to its end. Raises Unavailable, Conflict."""
        if outlook.plan is None or outlook.workflow is None:
            raise ValueError(outlook.file)
        started = self._started(found, outlook, outlook.plan)
        ports = self._ports
        loop = RunLoop(
            RunPorts(
                journal=ports.journals.create(started.run_id),
                gate=ports.gate,
                clock=ports.clock,
                make_worker=ports.make_worker,
                observe=lambda record: ports.observe(started.run_id, record),
            )
        )
        self._loop = loop
        if self._asked:
            loop.cancel(USER, force=self._asked > 1)
        return loop.run(started)

    def cancel(self) -> None:
        """Cancel the run that goes on, and those to come; asked again, without grace."""
        self._asked += 1
        if self._loop is not None:
            self._loop.cancel(USER, force=self._asked > 1)

    @property
    def is_cancelled(self) -> bool:
        """Whether the user asked to stop."""
        return self._asked > 0

    def _started(self, found: Prospect, outlook: Outlook, plan: Plan) -> RunStarted:
        ports = self._ports
        identity = RunIdentity(
            run_id=ports.ids.run_id(),
            number=ports.journals.next_number(f"{found.facts.full_name}/{outlook.file}"),
        )
        variables = ports.secrets.variables()
        contexts = run_contexts(found, outlook, identity, variables)
        return RunStarted(
            run_id=identity.run_id,
            number=identity.number,
            plan=plan,
            github=contexts["github"],
            inputs=contexts["inputs"],
            variables=contexts["vars"],
            secret_names=ports.secrets.names(),
            options=self._options,
            name=_name(outlook, plan, contexts),
        )


def _name(outlook: Outlook, plan: Plan, contexts: dict[str, Value]) -> str:
    """Return the run's name: `run-name`, else what GitHub shows for the event."""
    if outlook.occurrence is None or outlook.workflow is None:
        raise ValueError(outlook.file)
    if plan.run_name is not None:
        try:
            return evaluate_text(plan.run_name, contexts) or outlook.workflow.file
        except ExpressionError as error:
            return error.message
    return default_run_name(outlook.occurrence, outlook.workflow)
