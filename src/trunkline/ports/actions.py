"""Port: native actions, Trunkline's own implementations of well-known ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from trunkline.ports.sandbox import Layout, Sandbox


class ActionCall(msgspec.Struct, frozen=True, kw_only=True):
    """One use of an action.

    `uses` is as written, `inputs` its evaluated `with` (lower-case names, strings), `env` the
    step's environment, and `github` the job's context (with token). `own_token` is the token that
    counts at this machine's services alone, '' where the user gave one: it is sent nowhere else.
    `cache_mode` is what the job may do with caches (`read`, `write`, `write-only`, `none`).
    """

    uses: str
    inputs: Mapping[str, str]
    env: Mapping[str, str]
    github: Mapping[str, Any]
    run_id: str
    job_key: str
    state: Mapping[str, str] = {}
    job_status: str = "success"
    own_token: str = ""
    cache_mode: str = "write"


class ActionJob(Protocol):
    """What a native action may do to its job. Text given here is masked before it is shown."""

    sandbox: Sandbox
    layout: Layout

    def log(self, line: str) -> None:
        """Print a line to the step's log (`##[group]...` and the like are understood)."""
        ...

    def annotate(self, level: str, message: str) -> None:
        """Tell an error, warning or notice."""
        ...

    def mask(self, values: Sequence[str]) -> None:
        """Hide secrets in everything that the job prints from now on."""
        ...

    def set_output(self, name: str, value: str) -> None:
        """Set an output of the step."""
        ...

    def set_env(self, name: str, value: str) -> None:
        """Set a variable for the steps that follow."""
        ...

    def add_path(self, path: str) -> None:
        """Put a folder in front of PATH for the steps that follow."""
        ...

    def save_state(self, name: str, value: str) -> None:
        """Keep a value for the action's post stage."""
        ...

    def run(
        self, argv: Sequence[str], *, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> int:
        """Run a program in the sandbox with its output in the log; return its exit code.

        `env` is laid over the step's environment. Cancelled with the step.
        """
        ...

    def capture(
        self, argv: Sequence[str], *, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Run a program quietly; return its exit code and its output."""
        ...

    def artifact_stored(self, name: str, digest: str, size: int, files: int, path: str) -> None:
        """Tell that an artifact is complete: `size` in bytes, `path` where the user finds it."""
        ...

    def image_built(self, image_id: str, base_name: str, base_digest: str) -> None:
        """Tell what an image was built on ('' when unknown): its pushes carry it as evidence."""
        ...

    def lend(self, folder: str) -> None:
        """Let the job's Docker actions see a folder of this machine, read-only.

        For what the workspace refers to: git objects that a checkout borrows.
        """
        ...

    def is_cancelled(self) -> bool:
        """Tell whether the step was asked to stop."""
        ...


class NativeAction(Protocol):
    """An action in-process. One instance serves many jobs at once: it holds no state.

    `inputs` are the names its `action.yml` declares (lower case); `post_condition` is its
    `post-if` (`always()`, or `success()` for a cache).

    A failure the user should see is `ActionFailed(message)`; `Unavailable` means the same.
    """

    inputs: frozenset[str]

    def describe(self, ref: str) -> str:
        """Return which version's behaviour applies to `@ref`, for the log (`v4`)."""
        ...

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Run the action. Raises ActionFailed when the step must fail."""
        ...

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Clean up or save after the job's steps; `call.state` is what main saved."""
        ...

    has_post: bool
    post_condition: str


class ActionFailed(Exception):
    """The step fails; the message is shown as an error."""


class NativeActions(Protocol):
    """Finds the native implementation of `owner/name[/path]`, case-insensitively."""

    def find(self, repository: str) -> NativeAction | None:
        """Return it, or None: then the action's own files run."""
        ...
