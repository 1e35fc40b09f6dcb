"""What the run machine is told (facts), what it answers with (events and commands)."""

from __future__ import annotations

import msgspec

from trunkline.run.events import Event, Group, RunStarted
from trunkline.run.job_request import JobRequest

# Who cancels.
USER = "user"
CONCURRENCY = "concurrency"
FAIL_FAST = "fail-fast"
TIMEOUT = "timeout"


class Begun(msgspec.Struct, frozen=True):
    """A run is asked for."""

    started: RunStarted


class Reported(msgspec.Struct, frozen=True):
    """A worker tells an event of its job."""

    event: Event


class WorkerFailed(msgspec.Struct, frozen=True):
    """A worker broke down, or never came back; its job can't go on."""

    key: str
    message: str


class GroupGranted(msgspec.Struct, frozen=True):
    """A leg (`key`), or the run (''), holds a concurrency group."""

    key: str
    group: str


class GroupLost(msgspec.Struct, frozen=True):
    """A leg (`key`), or the run (''), must leave a concurrency group: a newer one wants in."""

    key: str
    group: str


class GroupFailed(msgspec.Struct, frozen=True):
    """A leg could not enter a concurrency group: the gate is out of order."""

    key: str
    message: str


class CancelAsked(msgspec.Struct, frozen=True):
    """Somebody wants the run, or one leg (`key`), to stop; `force` means without grace."""

    by: str
    key: str = ""
    force: bool = False


Fact = Begun | Reported | WorkerFailed | GroupGranted | GroupLost | GroupFailed | CancelAsked


class StartJob(msgspec.Struct, frozen=True):
    """Command: give a leg to a worker."""

    request: JobRequest


class CancelJob(msgspec.Struct, frozen=True):
    """Command: cancel a leg that a worker has."""

    key: str
    by: str
    force: bool


class EnterGroup(msgspec.Struct, frozen=True):
    """Command: enter a concurrency group for a leg (`key`) or the run ('')."""

    key: str
    group: Group


class LeaveGroups(msgspec.Struct, frozen=True):
    """Command: leave every group that a leg (`key`) or the run ('') has entered."""

    key: str


class FinishRun(msgspec.Struct, frozen=True):
    """Command: there is nothing left to do."""


Command = StartJob | CancelJob | EnterGroup | LeaveGroups | FinishRun


class Decision(msgspec.Struct, frozen=True):
    """Events to append, then the commands that they justify."""

    events: tuple[Event, ...] = ()
    commands: tuple[Command, ...] = ()


NOTHING = Decision()


def together(*decisions: Decision) -> Decision:
    """Return several decisions as one, in order."""
    return Decision(
        tuple(event for decision in decisions for event in decision.events),
        tuple(command for decision in decisions for command in decision.commands),
    )
