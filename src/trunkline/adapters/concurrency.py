"""Concurrency groups as data: who holds a group, who waits, who must go (GitHub: `concurrency`)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from trunkline.ports.gate import Claim, Standing

# Reference 1.5: `queue: max` lets this many wait.
MAX_PENDING = 100


class Member(msgspec.Struct, frozen=True):
    """A holder in a group, and the process that speaks for it ('' where there is only one)."""

    holder: str
    process: str = ""


class Group(msgspec.Struct, frozen=True):
    """One group. `cancelled`: the granted member was superseded, but has not left yet."""

    granted: Member | None = None
    cancelled: bool = False
    pending: tuple[Member, ...] = ()

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody in the group, the granted one first."""
        return self.pending if self.granted is None else (self.granted, *self.pending)


def enter(group: Group, claim: Claim, process: str = "") -> Group:
    """Return the group after a claim. A holder that is in it already changes nothing."""
    member = Member(claim.holder, process)
    if any(other.holder == claim.holder for other in group.members):
        return group
    if group.granted is None:
        return Group(granted=member)
    cancelled = group.cancelled or claim.cancel_in_progress
    if claim.queue != "max":
        return Group(group.granted, cancelled, (member,))
    if len(group.pending) >= MAX_PENDING:
        return Group(group.granted, cancelled, group.pending)
    return Group(group.granted, cancelled, (*group.pending, member))


def keep(group: Group, stays: Callable[[Member], bool]) -> Group:
    """Return the group without the members that do not stay; the next in line moves up."""
    pending = tuple(member for member in group.pending if stays(member))
    if group.granted is not None and stays(group.granted):
        return Group(group.granted, group.cancelled, pending)
    return Group(pending[0], pending=pending[1:]) if pending else Group()


def leave(group: Group, holder: str) -> Group:
    """Return the group without a holder."""
    return keep(group, lambda member: member.holder != holder)


def standing(group: Group, holder: str) -> Standing:
    """Tell how a holder that entered stands; one that is not in the group was superseded."""
    if group.granted is not None and group.granted.holder == holder:
        return Standing.SUPERSEDED if group.cancelled else Standing.GRANTED
    if any(member.holder == holder for member in group.pending):
        return Standing.PENDING
    return Standing.SUPERSEDED


class _Told:
    """What a claim's owner knows of its standing."""

    def __init__(self, claim: Claim, known: Standing, changed: Callable[[Standing], None]) -> None:
        self.claim = claim
        self._known = known
        self._changed = changed

    def news(self, group: Group) -> Callable[[], None] | None:
        """Return the call that tells the owner what changed; nothing follows SUPERSEDED."""
        now = standing(group, self.claim.holder)
        if now is self._known or self._known is Standing.SUPERSEDED:
            return None
        self._known = now
        return lambda: self._changed(now)


class Watcher:
    """Tells the owners of claims what changed, from a thread that lives while there are claims.

    `read` returns a group by its name in lower case; it is asked after each `wake`, and every
    `poll` seconds where other processes change groups as well.
    """

    def __init__(self, read: Callable[[str], Group], poll: float | None = None) -> None:
        self._read = read
        self._poll = poll
        self._changed = threading.Condition()
        self._version = 0
        self._told: dict[tuple[str, str], _Told] = {}
        self._is_running = False

    def add(self, claim: Claim, known: Standing, changed: Callable[[Standing], None]) -> None:
        """Watch a claim whose owner knows that it stands as `known`; once is enough."""
        with self._changed:
            self._told.setdefault(_key(claim), _Told(claim, known, changed))
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="gate", daemon=True).start()
        self.wake()

    def remove(self, claim: Claim) -> None:
        """Forget a claim: its owner hears nothing more."""
        with self._changed:
            self._told.pop(_key(claim), None)
        self.wake()

    def wake(self) -> None:
        """Make the thread look at the groups again."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._told:
                    self._is_running = False
                    return
                seen = self._version
                watched = list(self._told)
            for key in watched:
                self._tell(key)
            with self._changed:
                if self._version == seen:
                    self._changed.wait(self._poll)

    def _tell(self, key: tuple[str, str]) -> None:
        group = self._read(key[0])
        with self._changed:  # a claim is forgotten before it leaves its group
            told = self._told.get(key)
            call = told.news(group) if told else None
        if call:
            call()


def _key(claim: Claim) -> tuple[str, str]:
    return claim.group.lower(), claim.holder
