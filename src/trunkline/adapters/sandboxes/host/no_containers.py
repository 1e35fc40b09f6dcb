"""The containers of jobs for which no container engine was composed: there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from trunkline.base.errors import Unavailable
from trunkline.ports.containers import (
    ActionRun,
    Begun,
    BuildSpec,
    ContainerSpec,
    ImageFacts,
    ImagePush,
    Images,
    Login,
    Watch,
)
from trunkline.ports.process import Process
from trunkline.ports.sandbox import JobPlace, Layout

NO_ENGINE = "Jobs can't have containers or images here: there is no container engine."


class NoImages:
    """No images; whoever listens hears nothing."""

    def pull(self, reference: str, login: Login | None, watch: Watch) -> ImageFacts:
        """Refuse."""
        refuse(reference, login, watch)

    def build(self, spec: BuildSpec, watch: Watch) -> ImageFacts:
        """Refuse."""
        refuse(spec, watch)

    def push(self, reference: str, login: Login | None, watch: Watch, image: str = "") -> ImagePush:
        """Refuse."""
        refuse(reference, login, watch, image)

    def inspect(self, reference: str) -> ImageFacts | None:
        """Refuse."""
        refuse(reference)

    def tag(self, image: str, reference: str) -> None:
        """Refuse."""
        refuse(image, reference)

    def listen(self, told: Callable[[ImagePush], None]) -> None:
        """Never tell anything."""
        del told


class NoContainers:
    """No containers: each is refused, and there is nothing to end."""

    def __init__(self) -> None:
        self.images: Images = NoImages()

    def begin(
        self, job: ContainerSpec | None, services: Mapping[str, ContainerSpec], watch: Watch
    ) -> Begun:
        """Refuse."""
        refuse(job, services, watch)

    def run(self, action: ActionRun) -> Process:
        """Refuse."""
        refuse(action)

    def socket(self) -> str:
        """Return '': there is no engine."""
        return ""

    def address(self) -> str:
        """Refuse."""
        refuse()

    def end(self, watch: Watch) -> None:
        """Do nothing."""
        del watch


def no_containers(place: JobPlace, layout: Layout) -> NoContainers:
    """Return a job's containers."""
    del place, layout
    return NoContainers()


def refuse(*wanted: object) -> NoReturn:
    """Raise Unavailable."""
    del wanted
    raise Unavailable(NO_ENGINE)
