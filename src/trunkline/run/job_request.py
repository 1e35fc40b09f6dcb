"""What a worker needs to perform one leg of a job, without asking back. Plain data, no secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.expr.template import Token
from trunkline.plan.model import PlannedJob
from trunkline.run.events import Leg
from trunkline.workflow.model import Secret


class SecretsLink(msgspec.Struct, frozen=True, kw_only=True):
    """One call on the way to a job: which secrets it passes on, as written.

    With `inherit` all values go on unchanged; else `secrets` (a mapping token, None for nothing) is
    evaluated with `contexts` (inputs, needs, strategy, matrix of the calling leg) besides the job's
    own `github` and `vars`, and `secrets` being what the caller itself has. `caller` is its leg key.
    """

    caller: str
    inherit: bool = False
    secrets: Token | None = None
    declared: tuple[Secret, ...] = ()
    contexts: Mapping[str, Any] = {}


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One leg to perform.

    `github` is the run's context (without token, workspace and job), `inputs` are those of the
    workflow that the job is in, `needs` is `{id: {"result": ..., "outputs": {...}}}`; matrix and
    strategy are the leg's. `number` is the run's in its workflow, `job_number` the leg's in the run
    (from 1). `where` is `host` or `docker:IMAGE`. `secrets` is the chain of calls,
    outermost first; empty for a job of the run's own workflow.
    """

    run_id: str
    leg: Leg
    job: PlannedJob
    where: str
    github: Mapping[str, Any]
    repository: str
    number: int = 1
    attempt: int = 1
    job_number: int = 1
    inputs: Mapping[str, Any] = {}
    variables: Mapping[str, str] = {}
    needs: Mapping[str, Any] = {}
    secrets: tuple[SecretsLink, ...] = ()

    @property
    def key(self) -> str:
        """The leg's path in the run, `call (a)/build (1)`."""
        return self.leg.key

    @property
    def environment(self) -> str:
        """The name of the job's environment, '' for none."""
        return self.leg.environment
