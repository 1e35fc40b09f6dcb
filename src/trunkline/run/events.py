"""Everything that can happen to a run, in the past tense; the journal holds nothing else.

Events are frozen and versioned by the record around them (`Record.version`). They carry names of
secrets, never values; text in them is masked before it gets here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from trunkline.plan.model import Plan

VERSION = 1


class Conclusion(StrEnum):
    """How a step, a job or a run ended, in GitHub's words."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why a job did not run: `condition` counts in `needs`, the others do not."""

    CONDITION = "condition"
    NO_RUNNER = "no-runner"
    NOT_SELECTED = "not-selected"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluated `concurrency`: the group's name, and how to enter it."""

    name: str
    cancel_in_progress: bool = False
    queue: str = "single"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a job: a matrix combination, or the job itself.

    `key` is the path that names it for ever (`call (a)/build (1)`), `name` what people see.
    `labels` are its runner labels; `groups` the concurrency groups it enters, one after the other
    (a call's own, then its called workflow's); `inputs` the evaluated inputs of a call. Minutes are
    floats.
    """

    key: str
    name: str
    matrix: Mapping[str, Any] | None = None
    strategy: Mapping[str, Any] = {}
    labels: tuple[str, ...] = ()
    runner_group: str = ""
    environment: str = ""
    continue_on_error: bool = False
    timeout_minutes: float = 360.0
    cancel_timeout_minutes: float = 5.0
    groups: tuple[Group, ...] = ()
    inputs: Mapping[str, Any] | None = None

    def contexts(self) -> dict[str, Any]:
        """Return the contexts that differ from leg to leg: `strategy` and `matrix`."""
        matrix = None if self.matrix is None else dict(self.matrix)
        return {"strategy": dict(self.strategy), "matrix": matrix}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller asked of a run: which jobs and legs, how many at once, labels to places.

    `platforms` maps a runner label (lower case) to `host`, `docker:IMAGE` or '' (nowhere);
    `architecture` is this machine's label (`x64`, `arm64`). `max_parallel` 0 means no limit.
    """

    jobs: tuple[str, ...] = ()
    matrix: tuple[tuple[str, str], ...] = ()
    max_parallel: int = 0
    platforms: Mapping[str, str] = {}
    architecture: str = ""


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, tag="RunStarted"):
    """A run began. `github` is the context without a token; `inputs` are typed."""

    run_id: str
    number: int
    plan: Plan
    github: Mapping[str, Any]
    inputs: Mapping[str, Any] = {}
    variables: Mapping[str, str] = {}
    secret_names: tuple[str, ...] = ()
    options: Options = Options()
    name: str = ""


class RunPending(msgspec.Struct, frozen=True, kw_only=True, tag="RunPending"):
    """The run waits for its concurrency group."""

    group: str


class RunGranted(msgspec.Struct, frozen=True, kw_only=True, tag="RunGranted"):
    """The run holds its concurrency group: its jobs may start."""

    group: str


class JobExpanded(msgspec.Struct, frozen=True, kw_only=True, tag="JobExpanded"):
    """A job's needs ended, its `if` held, and these are its legs.

    `job` is the job's path: its id, after its call's leg key and `/` in a called workflow.
    """

    job: str
    legs: tuple[Leg, ...]
    fail_fast: bool = True
    max_parallel: int = 0


class JobPending(msgspec.Struct, frozen=True, kw_only=True, tag="JobPending"):
    """A leg waits for its concurrency group."""

    key: str
    group: str


class JobGranted(msgspec.Struct, frozen=True, kw_only=True, tag="JobGranted"):
    """A leg holds all its concurrency groups and waits for a free place."""

    key: str


class JobStarted(msgspec.Struct, frozen=True, kw_only=True, tag="JobStarted"):
    """A leg has a place: a worker takes it, or its called workflow's jobs begin."""

    key: str


class JobSkipped(msgspec.Struct, frozen=True, kw_only=True, tag="JobSkipped"):
    """A job or leg will not run."""

    key: str
    name: str
    reason: SkipReason
    detail: str = ""


class StepStarted(msgspec.Struct, frozen=True, kw_only=True, tag="StepStarted"):
    """A step began; its output starts at line `log_line` of the job's log. Steps count from 1."""

    key: str
    number: int
    name: str
    log_line: int = 0
    background: bool = False


class StepCompleted(msgspec.Struct, frozen=True, kw_only=True, tag="StepCompleted"):
    """A step ended; `outcome` is before continue-on-error, `conclusion` after."""

    key: str
    number: int
    name: str
    outcome: Conclusion
    conclusion: Conclusion
    log_line: int = 0
    milliseconds: int = 0
    exit_code: int | None = None
    step_id: str = ""


class Annotated(msgspec.Struct, frozen=True, kw_only=True, tag="Annotated"):
    """An error, warning or notice that a step, a matcher or the engine told. `step` 0: the job."""

    key: str
    level: str
    message: str
    step: int = 0
    title: str = ""
    file: str = ""
    line: int = 0
    end_line: int = 0
    column: int = 0
    end_column: int = 0


class Summarized(msgspec.Struct, frozen=True, kw_only=True, tag="Summarized"):
    """A step wrote Markdown to its step summary."""

    key: str
    step: int
    markdown: str


class ArtifactStored(msgspec.Struct, frozen=True, kw_only=True, tag="ArtifactStored"):
    """An artifact of the run is complete in the store."""

    key: str
    name: str
    digest: str
    size: int
    files: int
    path: str = ""


class RepositoryWritten(msgspec.Struct, frozen=True, kw_only=True, tag="RepositoryWritten"):
    """A job wrote to its repository, through GitHub's API or by a push.

    `kind` is what GitHub calls it (`release`, `check run`), `what` names it and tells its state. It
    was recorded for the run, or sent to the server `sent_to` (a host).
    """

    key: str
    kind: str
    what: str
    sent_to: str = ""


class ImagePushed(msgspec.Struct, frozen=True, kw_only=True, tag="ImagePushed"):
    """A job pushed an image, be it by an action or by a script of its own.

    `reference` is the name that was asked for, `digest` the manifest's as pushed. `kept_as` is the
    reference in the local registry, '' when it went to the real one. `size` is in bytes. `commit`
    is the source's, `dirty` says that uncommitted work was built with it. `base_name` and
    `base_digest` are those of the image it was built on, '' for none or when unknown; an image
    that only one machine has goes by its id.
    """

    key: str
    reference: str
    digest: str
    kept_as: str = ""
    image_id: str = ""
    size: int = 0
    commit: str = ""
    dirty: bool = False
    base_name: str = ""
    base_digest: str = ""


class JobCompleted(msgspec.Struct, frozen=True, kw_only=True, tag="JobCompleted"):
    """A leg ended, or a job before it had legs.

    Outputs are unmasked values that held no secret. `message` says why it failed, or was
    cancelled, before its steps.
    """

    key: str
    conclusion: Conclusion
    outputs: Mapping[str, str] = {}
    message: str = ""
    workspace: str = ""
    environment_url: str = ""


class CancelRequested(msgspec.Struct, frozen=True, kw_only=True, tag="CancelRequested"):
    """Somebody asked to cancel the run, or one leg (`key`).

    `by` is user, concurrency, fail-fast or timeout; `force` means without grace.
    """

    by: str
    key: str = ""
    force: bool = False


class Warned(msgspec.Struct, frozen=True, kw_only=True, tag="Warned"):
    """Something the user should know that fails nothing (an undefined variable, a skipped label)."""

    message: str
    key: str = ""


class RunCompleted(msgspec.Struct, frozen=True, kw_only=True, tag="RunCompleted"):
    """The run ended."""

    conclusion: Conclusion


Event = (
    RunStarted
    | RunPending
    | RunGranted
    | JobExpanded
    | JobPending
    | JobGranted
    | JobStarted
    | JobSkipped
    | StepStarted
    | StepCompleted
    | Annotated
    | Summarized
    | ArtifactStored
    | RepositoryWritten
    | ImagePushed
    | JobCompleted
    | CancelRequested
    | Warned
    | RunCompleted
)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the journal keeps it: its number (from 1), its time (epoch seconds, UTC)."""

    number: int
    at: float
    event: Event
    version: int = VERSION
