"""The composition root: Settings -> a running system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from trunkline.app.adapter_table import adapter
from trunkline.app.late import JobEngines, LateForge, Once, Places, ServedJobs
from trunkline.base.diagnostics import Diagnostic
from trunkline.ports.artifacts import Artifacts
from trunkline.ports.caches import Caches
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.endpoints import REGISTRY, RESULTS, Endpoints
from trunkline.ports.gate import Gate
from trunkline.ports.journal import Journals
from trunkline.ports.kept_images import KeptImages
from trunkline.ports.logs import LogStore
from trunkline.ports.sandbox import Sandboxes
from trunkline.ports.secrets import Secrets
from trunkline.run.events import ImagePushed, RunStarted
from trunkline.settings import Settings
from trunkline.workflow.model import Workflow
from trunkline.workflow.reading import ReadAction, Readers, ReadWorkflow


def _read_buildspec(
    text: str, file: str, load: Callable[[str], bytes | None]
) -> tuple[Workflow | None, tuple[Diagnostic, ...]]:
    """Read a buildspec; what does is loaded with the first one."""
    found: tuple[Workflow | None, tuple[Diagnostic, ...]] = adapter("read-buildspec")(
        text, file, load
    )
    return found


def _start_server(application: object, host: str) -> object:
    """Start a web server; its packages are loaded with the first one."""
    return adapter("web-server")(adapter("no-foreign-pages")(application), host)


class Choices(msgspec.Struct, frozen=True):
    """What a command line chose for the system.

    `directory` is the root of the user's repository; `secrets`, `variables` and `env` were given by hand,
    over `secret_file` and `variable_file` (and those files with `.<environment>` behind).
    `publish` lets pushes leave this machine. `network_policy` is what containers may reach: `none`,
    `registry` or `open`. `pauses` opens a shell where a step fails.
    """

    directory: str = "."
    offline: bool = False
    native: bool = True
    committed: bool = False
    local_repositories: Mapping[str, str] = {}
    pass_env: tuple[str, ...] = ()
    publish: bool = False
    network_policy: str = "open"
    pauses: bool = False
    secrets: Mapping[str, str] = {}
    variables: Mapping[str, str] = {}
    env: Mapping[str, str] = {}
    secret_file: str = ""
    variable_file: str = ""


class System:
    """A running system; each part is made when it is first asked for."""

    def __init__(self, settings: Settings, choices: Choices | None = None) -> None:
        self.settings = settings
        self.choices = choices or Choices()
        self._closers: list[Callable[[], None]] = []

    @cached_property
    def clock(self) -> Clock:
        """Return the machine's clock."""
        found: Clock = adapter("clock")()
        return found

    @cached_property
    def ids(self) -> Ids:
        """Return the maker of names."""
        found: Ids = adapter("ids")()
        return found

    @cached_property
    def journals(self) -> Journals:
        """Return the runs of this machine."""
        found: Journals = adapter("journals")(self.settings.state, self.clock, self.settings.work)
        return found

    @cached_property
    def logs(self) -> LogStore:
        """Return the log lines of this machine's runs."""
        found: LogStore = adapter("logs")(self.settings.state)
        return found

    @cached_property
    def artifacts(self) -> Artifacts:
        """Return the artifacts of this machine's runs."""
        runs = f"{self.settings.state}/runs"
        found: Artifacts = adapter("artifacts")(runs, self.clock, self.ids)
        return found

    @cached_property
    def caches(self) -> Caches:
        """Return the caches of this machine."""
        folder = f"{self.settings.state}/caches"
        found: Caches = adapter("caches")(folder, self.clock, self.ids)
        return found

    @cached_property
    def forge(self) -> LateForge:
        """Return the reader of repositories."""
        return LateForge(
            lambda: adapter("forge")(
                self.settings.cache, self.choices.local_repositories, offline=self.choices.offline
            )
        )

    @cached_property
    def read_workflow(self) -> ReadWorkflow:
        """Return the reader of workflow files."""
        folder = f"{self.settings.cache}/readings"
        found: ReadWorkflow = adapter("workflow-readings")(folder, lambda: adapter("read-workflow"))
        return found

    @cached_property
    def readers(self) -> Readers:
        """Return what reads pipeline files."""
        return Readers(self.read_workflow, _read_buildspec)

    @cached_property
    def read_action(self) -> ReadAction:
        """Return the reader of actions' files."""
        folder = f"{self.settings.cache}/readings"
        found: ReadAction = adapter("action-readings")(folder, lambda: adapter("read-action"))
        return found

    @cached_property
    def sandboxes(self) -> Sandboxes:
        """Return the maker of places for jobs."""
        settings = self.settings
        host: Sandboxes = adapter("sandboxes")(
            settings.work,
            self.ids,
            settings.environment,
            adapter("subreaper"),
            lambda *wanted, digests: adapter("file-search")(*wanted, digests=digests),
            lambda place, layout: self._engines().of_job(place, layout),
        )
        return Places(host, self._docker_sandboxes, self._sweep_engine)

    def _sweep_engine(self) -> None:
        """Ask the container engine only when a note says that something may be left there."""
        notes = adapter("container-notes")(self.settings.work)
        if notes:
            self._engines().sweep(notes)

    @cached_property
    def _engines(self) -> Once[JobEngines]:
        return Once(lambda: adapter("engines")(self))

    def _docker_sandboxes(self) -> Sandboxes:
        settings = self.settings
        machine = adapter("docker-machine")(
            settings.work,
            f"{settings.cache}/externals",
            self.ids,
            settings.environment,
            self._engines().of_container_job,
        )
        found: Sandboxes = adapter("docker-sandboxes")(machine)
        return found

    @cached_property
    def secrets(self) -> Secrets:
        """Return secrets and variables of files and the command line."""
        choices, given = self.choices, adapter("given")
        found: Secrets = adapter("secrets")(
            given(choices.secret_file, choices.secrets),
            given(choices.variable_file, choices.variables),
            adapter("dotenv"),
        )
        return found

    @cached_property
    def endpoints(self) -> Endpoints:
        """Return the loopback services of this process's runs; `close` stops them."""
        applications = {
            REGISTRY: lambda: adapter("rehearsal-registry")(self),
            RESULTS: self._results,
        }
        made = adapter("endpoints")(_start_server, applications)
        self.on_close(made.stop)
        found: Endpoints = made
        return found

    def _results(self) -> object:
        return self.job_services.application()

    @cached_property
    def job_services(self) -> ServedJobs:
        """Return the services that actions call; they listen when the first job opens them."""
        found: ServedJobs = adapter("job-services")(self)
        return found

    @cached_property
    def images(self) -> Once[object]:
        """Return what opens the store of this machine's registry (ports/image_store.py)."""
        return Once(lambda: adapter("images")(self))

    def collect_images(self) -> None:
        """Take away images that nobody needs, once a day, where images were used at all.

        Raises Unavailable, Corrupt.
        """
        if self.images.is_made:
            adapter("collect-images")(self)

    def keep_record(self, started: RunStarted, at: float, pushed: ImagePushed) -> None:
        """Keep the record of an image that a run pushed at `at` (epoch seconds)."""
        adapter("keep-record")(self.images(), started, at, pushed)

    @cached_property
    def kept_images(self) -> KeptImages | None:
        """Return the registry that pushes stay in; None when they may leave (`--publish`)."""
        if self.choices.publish:
            return None
        found: KeptImages = adapter("kept-images")(self.endpoints, self.images)
        return found

    def look_at(self, directory: str) -> None:
        """Have git look at a repository already; `forge` asks it for what it saw.

        Raises Unavailable (no git), NotFound (no such folder).
        """
        self.on_close(self.forge.look_at(directory, committed=self.choices.committed))

    def on_close(self, closer: Callable[[], None]) -> None:
        """Have `closer` called by `close`, after those that were given before."""
        self._closers.append(closer)

    def close(self) -> None:
        """Stop and close what this system started."""
        while self._closers:
            self._closers.pop(0)()

    def gate(self, repository: str) -> Gate:
        """Return the concurrency groups of a repository (`owner/name`)."""
        found: Gate = adapter("gate")(self.settings.state, repository)
        return found
