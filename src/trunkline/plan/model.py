"""The plan: what will run, as frozen data that goes to JSON and back unchanged.

Nothing downstream writes to it. What is known only late stays a token; a called workflow is a
template inside its call, instantiated by a `JobExpanded` event for each leg.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trunkline.base.spans import NOWHERE, Span
from trunkline.expr.template import Expression, Token
from trunkline.workflow.model import (
    Concurrency,
    Defaults,
    Environment,
    Input,
    Output,
    Secret,
    Step,
)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The workflow file that a job was written in.

    `path` is from the root of `repository` (`owner/name`); `ref` as written (`refs/heads/main`).
    """

    path: str
    repository: str = ""
    ref: str = ""
    sha: str = ""


class PlannedJob(msgspec.Struct, frozen=True, kw_only=True, tag="job"):
    """A job with steps. `env` holds the layers outermost first (workflow, then job).

    `permissions` are effective: every scope with `read`, `write` or `none`. `cache_mode` is what
    the job or those above it write, '' when nobody does.
    """

    id: str
    condition: Expression
    source: Source
    permissions: Mapping[str, str]
    cache_mode: str = ""
    name: Token | None = None
    needs: tuple[str, ...] = ()
    strategy: Token | None = None
    concurrency: Concurrency | None = None
    runs_on: Token | None = None
    environment: Environment | None = None
    env: tuple[Token, ...] = ()
    workflow_defaults: Defaults = Defaults()
    defaults: Defaults = Defaults()
    container: Token | None = None
    services: Token | None = None
    outputs: Token | None = None
    timeout_minutes: Token | None = None
    cancel_timeout_minutes: Token | None = None
    continue_on_error: Token | None = None
    snapshot: Token | None = None
    steps: tuple[Step, ...] = ()
    span: Span = NOWHERE


class PlannedCall(msgspec.Struct, frozen=True, kw_only=True, tag="call"):
    """A job that calls a workflow; `jobs` is the template that each leg instantiates.

    `source` is the caller's file, `called` the called one. `inputs`, `declared_secrets` and
    `outputs` are the called workflow's declarations.
    """

    id: str
    condition: Expression
    source: Source
    called: Source
    uses: str
    name: Token | None = None
    needs: tuple[str, ...] = ()
    strategy: Token | None = None
    concurrency: Concurrency | None = None
    with_: Token | None = None
    secrets: Token | None = None
    inherit_secrets: bool = False
    inputs: tuple[Input, ...] = ()
    declared_secrets: tuple[Secret, ...] = ()
    outputs: tuple[Output, ...] = ()
    called_concurrency: Concurrency | None = None
    jobs: tuple[PlannedJob | PlannedCall, ...] = ()
    span: Span = NOWHERE


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run to be: a workflow, the event that starts it, and its jobs.

    With `fail_fast` the first job that fails stops the others.
    """

    version: int = 1
    source: Source
    name: str
    event: str
    run_name: Token | None = None
    concurrency: Concurrency | None = None
    jobs: tuple[PlannedJob | PlannedCall, ...]
    fail_fast: bool = False
    notes: tuple[str, ...] = ()


class FileRef(msgspec.Struct, frozen=True):
    """A workflow file in another repository: `owner/name`, path and ref; or a local path ('' repo)."""

    repository: str
    path: str
    ref: str


class NeedFiles(msgspec.Struct, frozen=True):
    """Compile can't go on without these files; fetch them and call again."""

    refs: tuple[FileRef, ...]
