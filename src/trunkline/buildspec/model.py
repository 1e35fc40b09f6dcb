"""A buildspec as a typed model (AWS CodeBuild User Guide: build-spec-ref, batch-build-buildspec)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trunkline.base.spans import NOWHERE, Span

# The phases that run commands, in their order.
PHASES = ("install", "pre_build", "build", "post_build")


class Command(msgspec.Struct, frozen=True):
    """One entry of `commands` or `finally`: perhaps several lines."""

    text: str
    span: Span = NOWHERE


class OnFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What a phase's failure leads to.

    `action` is ABORT, CONTINUE or RETRY; a retry happens at most `count` times, and only when the
    error message holds a match of `pattern`.
    """

    action: str
    count: int = 0
    pattern: str = ".*"


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """One phase. `runtimes` are the install phase's `runtime-versions`, name to version."""

    name: str
    commands: tuple[Command, ...] = ()
    finally_: tuple[Command, ...] = ()
    on_failure: OnFailure | None = None
    run_as: str = ""
    runtimes: Mapping[str, str] = {}
    span: Span = NOWHERE


class SecretReference(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of `secrets-manager`: `secret-id:json-key:version-stage:version-id`."""

    id: str
    json_key: str = ""
    stage: str = ""
    version: str = ""
    span: Span = NOWHERE


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """`env`: parameters and secrets are names of where the values are kept, never values."""

    shell: str = ""
    variables: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}
    secrets: Mapping[str, SecretReference] = {}
    exported: tuple[str, ...] = ()
    git_credential_helper: bool = False


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """`proxy`: what goes through an explicit proxy server."""

    upload_artifacts: bool = False
    logs: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report group: test results or coverage (`format` in capitals)."""

    group: str
    files: tuple[str, ...]
    format: str = "JUNITXML"
    base_directory: str = ""
    discard_paths: bool = False
    span: Span = NOWHERE


class Artifacts(msgspec.Struct, frozen=True, kw_only=True):
    """`artifacts`, or one of its `secondary-artifacts` (then with an `identifier`)."""

    files: tuple[str, ...]
    identifier: str = ""
    name: str = ""
    discard_paths: bool = False
    base_directory: str = ""
    exclude_paths: tuple[str, ...] = ()
    enable_symlinks: bool = False
    s3_prefix: str = ""
    secondary: tuple[Artifacts, ...] = ()
    span: Span = NOWHERE


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """`cache`: `action` is restore, save, or '' for both."""

    paths: tuple[str, ...]
    key: str = ""
    fallback_keys: tuple[str, ...] = ()
    action: str = ""
    span: Span = NOWHERE


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch's build changes of the environment: `env` of a task."""

    variables: Mapping[str, str] = {}
    image: str = ""
    compute_type: str = ""
    fleet: str = ""
    type: str = ""
    privileged_mode: bool = False


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One build of a batch; `buildspec` '' means this file."""

    identifier: str
    buildspec: str = ""
    env: Overrides = Overrides()
    depends_on: tuple[str, ...] = ()
    ignore_failure: bool = False
    debug_session: bool = False
    span: Span = NOWHERE


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """`build-matrix`: the static part holds for every build, the dynamic lists are combined."""

    static: Overrides = Overrides()
    static_buildspec: str = ""
    ignore_failure: bool = False
    buildspecs: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    compute_types: tuple[str, ...] = ()
    variables: Mapping[str, tuple[str, ...]] = {}
    span: Span = NOWHERE


class Fanout(msgspec.Struct, frozen=True, kw_only=True):
    """`build-fanout`: as many equal builds, which share the tests out among themselves."""

    parallelism: int
    ignore_failure: bool = False
    span: Span = NOWHERE


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """`batch`: one of a list or a graph of tasks, a matrix, or a fan-out."""

    kind: str
    fast_fail: bool = False
    tasks: tuple[Task, ...] = ()
    matrix: Matrix | None = None
    fanout: Fanout | None = None


class Buildspec(msgspec.Struct, frozen=True, kw_only=True):
    """A buildspec file."""

    file: str
    version: str
    phases: tuple[Phase, ...]
    run_as: str = ""
    env: Environment = Environment()
    proxy: Proxy = Proxy()
    batch: Batch | None = None
    reports: tuple[Report, ...] = ()
    artifacts: Artifacts | None = None
    cache: Cache | None = None
