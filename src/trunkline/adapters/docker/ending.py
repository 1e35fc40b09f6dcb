"""The end of a job's containers: their logs, and nothing left at the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.docker.removal import (
    containers_of,
    remove_container,
    remove_containers,
    remove_network,
    remove_networks,
    remove_volumes,
)
from trunkline.adapters.docker.starting import Made
from trunkline.adapters.docker.story import Story
from trunkline.base.errors import Unavailable

AT_ONCE = 8


class Ending:
    """Removes a job's containers, telling it in GitHub's order."""

    def __init__(self, engine: Engine, labels: dict[str, str], story: Story) -> None:
        self._engine = engine
        self._labels = labels
        self._story = story
        self._failures: list[Unavailable] = []
        self._warned: set[str] = set()
        self.is_whole = True

    def remove(self, made: Sequence[Made], network: str, *, by_label: bool) -> None:
        """Remove containers and the network; `by_label`: also what actions and scripts have made.

        What can't be removed is a warning; Unavailable is raised when the rest is gone. Afterwards
        `is_whole` tells whether anything is left that a sweep has to remove.
        """
        engine, labels = self._engine, self._labels
        with ThreadPoolExecutor(AT_ONCE, "remove-container") as pool:
            removals = []
            for each in made:
                self._tell(each)
                removals.append(pool.submit(remove_container, engine, each.id))
        for removal in removals:
            self._try(removal.result)
        if by_label:
            self._try(lambda: remove_containers(engine, containers_of(engine, labels)))
        if network:
            self._story.line(f"Remove container network: {network}")
            self._story.command("docker", "network", "rm", network)
            self._try(lambda: remove_network(engine, network))
        if by_label:
            self._try(lambda: remove_networks(engine, labels))
        self._try(self._remove_volumes)
        if self._failures:
            raise self._failures[0]

    def _remove_volumes(self) -> None:
        self.is_whole = remove_volumes(self._engine, self._labels)

    def _tell(self, made: Made) -> None:
        if not made.is_job and not made.has_failed:
            self._story.line(f"Print service container logs: {made.name}")
            self._story.command("docker", "logs", "--details", made.id)
            client = self._engine.client
            try:
                with refusals():
                    self._story.output(client.logs(made.id, stream=True, follow=False))
                    state = client.inspect_container(made.id)["State"]
            except Unavailable as error:
                self._warn(error)
            else:
                if not state["Running"] and state["ExitCode"]:
                    code = state["ExitCode"]
                    self._story.warning(f"Service {made.alias} had exited with code {code}.")
        self._story.line(f"Stop and remove container: {made.name}")
        self._story.command("docker", "rm", "--force", made.id)

    def _try(self, remove: Callable[[], None]) -> None:
        try:
            remove()
        except Unavailable as error:
            self._warn(error)
            self._failures.append(error)

    def _warn(self, error: Unavailable) -> None:
        """Warn, of an engine that is gone not once for each thing that it had."""
        if error.message not in self._warned:
            self._warned.add(error.message)
            self._story.warning(error.message)
