"""The typed model of a workflow file: frozen, and every value knows where it stands.

A field is a `Token` where GitHub evaluates it late, and a plain type where only a literal is
allowed. Keys follow `workflow-v1.0`, GitHub's schema; sections 1.2-1.9 of its documentation.
"""

from __future__ import annotations

import msgspec

from trunkline.base.spans import NOWHERE, Span
from trunkline.expr.template import Expression, Token


class Text(msgspec.Struct, frozen=True):
    """A literal string with its place."""

    value: str
    span: Span = NOWHERE


class Permissions(msgspec.Struct, frozen=True):
    """Token permissions as written: `all_` is `read`, `write` or '' when `scopes` counts alone.

    A scope that is not named is `none` as soon as a map is given.
    """

    all_: str = ""
    scopes: tuple[tuple[str, str], ...] = ()
    span: Span = NOWHERE


class Concurrency(msgspec.Struct, frozen=True):
    """A concurrency group; `queue` is `single` or `max`."""

    group: Token
    cancel_in_progress: Token | None = None
    queue: str = "single"
    span: Span = NOWHERE


class Defaults(msgspec.Struct, frozen=True):
    """`defaults.run`."""

    shell: Token | None = None
    working_directory: Token | None = None


class Environment(msgspec.Struct, frozen=True):
    """A job's `environment`; `deployment: false` uses it without recording a deployment."""

    name: Token
    url: Token | None = None
    deployment: Token | None = None
    span: Span = NOWHERE


# --- what starts a workflow -------------------------------------------------------------


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A declared input of workflow_dispatch or workflow_call.

    `type` is string, boolean, number, choice or environment.
    """

    id: str
    type: str = "string"
    required: bool = False
    default: Token | None = None
    description: str = ""
    deprecation: str = ""
    options: tuple[str, ...] = ()
    span: Span = NOWHERE


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A declared secret of workflow_call."""

    id: str
    required: bool = False
    description: str = ""
    span: Span = NOWHERE


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A declared output of workflow_call or of an action."""

    id: str
    value: Token | None = None
    description: str = ""
    span: Span = NOWHERE


class Schedule(msgspec.Struct, frozen=True):
    """One `schedule` entry: five cron fields and an IANA time zone."""

    cron: str
    timezone: str = "UTC"
    span: Span = NOWHERE


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """One event under `on`, with its filters; None means the filter is not given."""

    event: str
    types: tuple[str, ...] | None = None
    branches: tuple[str, ...] | None = None
    branches_ignore: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    tags_ignore: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None
    workflows: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    versions: tuple[str, ...] | None = None
    schedules: tuple[Schedule, ...] = ()
    inputs: tuple[Input, ...] = ()
    secrets: tuple[Secret, ...] = ()
    outputs: tuple[Output, ...] = ()
    span: Span = NOWHERE


# --- steps ------------------------------------------------------------------------------


class RunStep(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """A step that runs a script. `id` is the written id or GitHub's automatic one (`__run_2`)."""

    id: str
    run: Token
    condition: Expression
    name: Token | None = None
    env: Token | None = None
    shell: Token | None = None
    working_directory: Token | None = None
    continue_on_error: Token | None = None
    timeout_minutes: Token | None = None
    background: bool = False
    span: Span = NOWHERE


class UsesStep(msgspec.Struct, frozen=True, kw_only=True, tag="uses"):
    """A step that runs an action."""

    id: str
    uses: Text
    condition: Expression
    with_: Token | None = None
    name: Token | None = None
    env: Token | None = None
    continue_on_error: Token | None = None
    timeout_minutes: Token | None = None
    background: bool = False
    span: Span = NOWHERE


class WaitStep(msgspec.Struct, frozen=True, kw_only=True, tag="wait"):
    """Waits for the background steps `targets`; None waits for all of them (`wait-all`)."""

    id: str
    targets: tuple[Text, ...] | None
    name: Token | None = None
    continue_on_error: Token | None = None
    span: Span = NOWHERE


class CancelStep(msgspec.Struct, frozen=True, kw_only=True, tag="cancel"):
    """Cancels the background step `target`."""

    id: str
    target: Text
    name: Token | None = None
    continue_on_error: Token | None = None
    span: Span = NOWHERE


class ParallelStep(msgspec.Struct, frozen=True, kw_only=True, tag="parallel"):
    """Starts its steps in the background, then waits for the group."""

    id: str
    steps: tuple[RunStep | UsesStep, ...]
    span: Span = NOWHERE


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How often a session step starts again when its error holds a match of `pattern`."""

    count: int
    pattern: str


class SessionStep(msgspec.Struct, frozen=True, kw_only=True, tag="session"):
    """Commands fed one after the other to a shell that outlives the step (a buildspec's phase).

    No workflow file can write one. Steps of one `user` share their shell, so folders, variables
    and functions last; with `isolated` every command has a shell of its own. `finally_` runs
    whatever the commands came to; the variables `exported` become the step's outputs.
    """

    id: str
    phase: str
    condition: Expression
    commands: tuple[Text, ...]
    finally_: tuple[Text, ...] = ()
    shell: str = ""
    user: str = ""
    isolated: bool = False
    retry: Retry | None = None
    exported: tuple[str, ...] = ()
    name: Token | None = None
    env: Token | None = None
    continue_on_error: Token | None = None
    timeout_minutes: Token | None = None
    background: bool = False
    span: Span = NOWHERE


# Steps that do something themselves; the others only govern them.
WorkStep = RunStep | UsesStep | SessionStep
Step = WorkStep | WaitStep | CancelStep | ParallelStep


# --- jobs -------------------------------------------------------------------------------


class Job(msgspec.Struct, frozen=True, kw_only=True, tag="job"):
    """A job with steps. `condition` carries GitHub's rewrite (`success() && (...)`) already."""

    id: str
    condition: Expression
    name: Token | None = None
    needs: tuple[Text, ...] = ()
    strategy: Token | None = None
    permissions: Permissions | None = None
    cache_mode: str = ""
    concurrency: Concurrency | None = None
    runs_on: Token | None = None
    environment: Environment | None = None
    env: Token | None = None
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


class CallJob(msgspec.Struct, frozen=True, kw_only=True, tag="call"):
    """A job that calls a reusable workflow."""

    id: str
    condition: Expression
    uses: Text
    name: Token | None = None
    needs: tuple[Text, ...] = ()
    strategy: Token | None = None
    permissions: Permissions | None = None
    cache_mode: str = ""
    concurrency: Concurrency | None = None
    with_: Token | None = None
    secrets: Token | None = None
    inherit_secrets: bool = False
    span: Span = NOWHERE


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow file. `file` is its path as it is shown to the user.

    `size` is GitHub's estimate of the memory it takes, in bytes: a workflow and all it calls
    may take 10 MiB together. With `fail_fast` (a batch's; no workflow file can write it) the first
    job that fails stops the others.
    """

    file: str
    triggers: tuple[Trigger, ...]
    jobs: tuple[Job | CallJob, ...]
    name: str | None = None
    description: str = ""
    run_name: Token | None = None
    env: Token | None = None
    defaults: Defaults = Defaults()
    permissions: Permissions | None = None
    cache_mode: str = ""
    concurrency: Concurrency | None = None
    fail_fast: bool = False
    size: int = 0


# --- actions ----------------------------------------------------------------------------


class ActionInput(msgspec.Struct, frozen=True, kw_only=True):
    """A declared input of an action; `required` is told, not enforced, as at GitHub."""

    id: str
    default: Token | None = None
    required: bool = False
    description: str = ""
    deprecation: str = ""
    span: Span = NOWHERE


class JavaScriptRuns(msgspec.Struct, frozen=True, kw_only=True, tag="javascript"):
    """`runs` of a JavaScript action; `using` is node12, node16, node20 or node24."""

    using: str
    main: str
    pre: str = ""
    post: str = ""
    pre_condition: Expression = Expression("always()")
    post_condition: Expression = Expression("always()")


class CompositeRuns(msgspec.Struct, frozen=True, kw_only=True, tag="composite"):
    """`runs` of a composite action."""

    steps: tuple[RunStep | UsesStep | SessionStep, ...]


class DockerRuns(msgspec.Struct, frozen=True, kw_only=True, tag="docker"):
    """`runs` of a Docker action."""

    image: str
    entrypoint: str = ""
    pre_entrypoint: str = ""
    post_entrypoint: str = ""
    args: Token | None = None
    env: Token | None = None
    pre_condition: Expression = Expression("always()")
    post_condition: Expression = Expression("always()")


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """An `action.yml`."""

    file: str
    runs: JavaScriptRuns | CompositeRuns | DockerRuns
    name: str = ""
    description: str = ""
    author: str = ""
    inputs: tuple[ActionInput, ...] = ()
    outputs: tuple[Output, ...] = ()
