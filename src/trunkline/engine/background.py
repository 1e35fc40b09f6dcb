"""Steps in threads of their own, whose effects wait until somebody covers them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from trunkline.engine.cancel import CancelToken
from trunkline.engine.instances import Instance, StepResult
from trunkline.engine.processes import TICK
from trunkline.engine.scopes import SharedEnvironment
from trunkline.run.job_machine import Task


class Ending(msgspec.Struct, frozen=True):
    """A background step that ended, with the environment it would leave behind."""

    result: StepResult
    shared: SharedEnvironment


class BackgroundStep:
    """One step in the background."""

    def __init__(
        self, task: Task, instance: Instance, token: CancelToken, perform: Callable[[], Ending]
    ) -> None:
        self.task = task
        self.instance = instance
        self.token = token
        self.covered = False
        self._ending: Ending | None = None
        self._fault: BaseException | None = None
        self._perform = perform
        self._thread = threading.Thread(
            target=self._run, name=f"background {instance.step.id}", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wait(self, token: CancelToken) -> Ending:
        """Wait for the end; when `token` is asked meanwhile, the step is cancelled too.

        Raises what the step's thread raised.
        """
        while self._thread.is_alive():
            if token.asked:
                self.token.cancel(force=token.forced)
            self._thread.join(TICK)
        if self._fault is not None:
            raise self._fault
        if self._ending is None:
            raise RuntimeError(f"the background step {self.instance.step.id} has no result")
        return self._ending

    def _run(self) -> None:
        try:
            self._ending = self._perform()
        except BaseException as fault:  # noqa: BLE001 - raised again in the thread that waits
            self._fault = fault


class BackgroundSteps:
    """A job's background steps by id; ids compare without case."""

    # Runner: system.runner.maxbackgroundsteps; the rest queue.
    limit = 10

    def __init__(self) -> None:
        self._steps: dict[str, BackgroundStep] = {}

    def add(self, step: BackgroundStep) -> None:
        """Keep a step and start it."""
        self._steps[step.instance.step.id.lower()] = step
        step.start()

    def get(self, step_id: str) -> BackgroundStep | None:
        """Return a step by id, None for one that was never started."""
        return self._steps.get(step_id.lower())
