"""What jobs need, put together from a system: loaded with the first run, since the engine is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from trunkline.app import System
from trunkline.app.adapter_table import adapter, load
from trunkline.app.late import Once
from trunkline.engine.action_loader import Sources
from trunkline.engine.push_evidence import Evidence, Origin
from trunkline.engine.step_runner import FindHandler, Handler
from trunkline.engine.world import Listener, World
from trunkline.ports.actions import NativeAction
from trunkline.ports.containers import Images
from trunkline.ports.toolchains import NodeProgram, Toolchains
from trunkline.run.events import Event
from trunkline.run.matchers import Matching
from trunkline.workflow.model import Action, UsesStep

# Actions that exist as natives only.
OWN_ACTIONS = "trunkline/"
# The action that stands for a build of CodeBuild.
RUN_BUILD = "aws-actions/aws-codebuild-run-build"


def _compile_pattern(source: str, each_line: bool) -> Matching:  # noqa: FBT001 - a callable's shape
    """Compile a problem matcher's pattern; its library is loaded with the first one."""
    found: Matching = adapter("patterns")(source, each_line)
    return found


def _digest(parts: Iterable[bytes]) -> str:
    """Return what `hashFiles` gives for files with these digests; loaded with the first use."""
    found: str = adapter("digest")(parts)
    return found


def _make_evidence(
    origin: Origin, images: Callable[[], Images], report: Callable[[Event], None]
) -> Evidence:
    """Make what turns a job's pushes into events; loaded with the first push."""
    found: Evidence = adapter("image-evidence")(origin, images, report)
    return found


def handler_of(kind: str) -> Handler:
    """Return what carries out steps of a kind (`run`, `docker` ...); loaded with the first one."""
    found: Handler = adapter(f"{kind}-step")
    return found


def make_world(system: System, listen: Listener | None, *, dirty: bool = False) -> World:
    """Return what jobs need; `listen` hears their lines, `dirty`: they see uncommitted work."""
    toolchains = LateToolchains(lambda: _make_toolchains(system))
    natives_world = Once(lambda: _natives_world(system, toolchains))
    every = LateNatives(natives_world)
    natives = every if system.choices.native else LateNatives(natives_world, OWN_ACTIONS)
    return World(
        sandboxes=system.sandboxes,
        logs=system.logs,
        secrets=system.secrets,
        clock=system.clock,
        ids=system.ids,
        sources=Sources(
            system.forge,
            natives,
            system.read_action,
            system.choices.directory,
            lambda step: _expand(system, step),
        ),
        toolchains=toolchains,
        compile_pattern=_compile_pattern,
        digest=_digest,
        evidence=_make_evidence,
        handler=_handlers(system),
        listen=listen,
        pass_env=system.choices.pass_env,
        env=system.choices.env,
        dirty=dirty,
        services=system.job_services,
        set_ups=every,
    )


def _handlers(system: System) -> FindHandler:
    """Return what finds the kinds of steps. Raises UsageError: no terminal to pause on."""
    if not system.choices.pauses:
        return handler_of
    found: FindHandler = adapter("pauses")(handler_of, adapter("terminal")())
    return found


def _expand(system: System, step: UsesStep) -> Action | None:
    """Return the action that a step stands for, when it is a whole build. See `Sources`."""
    if step.uses.value.partition("@")[0].lower() != RUN_BUILD:
        return None
    found: Action = adapter("build-action")(system.choices.directory, step)
    return found


def _make_toolchains(system: System) -> Toolchains:
    found: Toolchains = adapter("toolchains")(
        system.settings.cache, system.settings.environment, offline=system.choices.offline
    )
    return found


def _natives_world(system: System, toolchains: Toolchains) -> object:
    choices = system.choices
    found: object = adapter("natives-world")(
        forge=system.forge,
        artifacts=system.artifacts,
        caches=system.caches,
        toolchains=toolchains,
        clock=system.clock,
        parameters=Once(lambda: adapter("parameters")()),  # noqa: PLW0108 - loaded late
        buckets=Once(lambda: adapter("buckets")()),  # noqa: PLW0108 - loaded late
        source=choices.directory,
        cache=system.settings.cache,
        environment=system.settings.environment,
        committed=choices.committed,
        offline=choices.offline,
        publish=choices.publish,
    )
    return found


class LateToolchains:
    """The finder of programs for the engine, made when a job needs one."""

    def __init__(self, make: Callable[[], Toolchains]) -> None:
        self._made = Once(make)

    def node(self, major: int) -> str:
        """Return the path of a node program of that major version."""
        return self._made().node(major)

    def nodes(self) -> tuple[NodeProgram, ...]:
        """Return the node programs that are here."""
        return self._made().nodes()

    def install_node(self, versions: str) -> NodeProgram:
        """Install the newest node of an npm range into the cache."""
        return self._made().install_node(versions)

    def external_node(self, major: int, *, musl: bool) -> str:
        """Have a node for containers; return its folder's name."""
        return self._made().external_node(major, musl=musl)


class LateNatives:
    """The native actions, each loaded when a workflow first uses it."""

    def __init__(self, make_world: Callable[[], object], owner: str = "") -> None:
        """Take how the world is made that every action gets.

        With `owner` only its actions are native (`--no-native` leaves Trunkline's own: steps that
        buildspecs are lowered to, and that have no files).
        """
        self._owner = owner
        self._world = Once(make_world)
        self._table: Mapping[str, str] = adapter("natives")
        self._lock = threading.Lock()
        self._made: dict[str, NativeAction] = {}

    def find(self, repository: str) -> NativeAction | None:
        """Return the native implementation of `owner/name[/path]`, or None."""
        name = repository.lower()
        if name not in self._table or not name.startswith(self._owner):
            return None
        world = self._world()
        with self._lock:
            if name not in self._made:
                self._made[name] = load(self._table[name])(world)
            return self._made[name]
