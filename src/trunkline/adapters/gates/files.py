"""Concurrency groups as files, shared by all processes that run workflows of one repository.

`<root>/gates/<repository>/<group>.json` holds a group; it is replaced whole, under one lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from trunkline.adapters.concurrency import Group, Watcher, enter, keep, leave, standing
from trunkline.adapters.file_locks import locked
from trunkline.adapters.process_table import identity, is_alive
from trunkline.adapters.slugs import slug
from trunkline.adapters.trees import make_private
from trunkline.base.errors import Unavailable
from trunkline.ports.gate import Claim, Standing

# How often to look whether another process changed a group, or died (seconds).
POLL_SECONDS = 0.1


class FileGate:
    """Concurrency groups of one repository (`owner/name`, or its folder)."""

    def __init__(self, root: str, repository: str) -> None:
        self._folder = os.path.join(root, "gates", slug(repository))
        self._watcher = Watcher(self._look, POLL_SECONDS)

    def acquire(self, claim: Claim, changed: Callable[[Standing], None]) -> Standing:
        """Enter the group."""
        group = self._change(
            claim.group.lower(), lambda group: enter(group, claim, identity(os.getpid()))
        )
        now = standing(group, claim.holder)
        if now is not Standing.SUPERSEDED:
            self._watcher.add(claim, now, changed)
        return now

    def release(self, claim: Claim) -> None:
        """Leave the group."""
        self._watcher.remove(claim)
        self._change(claim.group.lower(), lambda group: leave(group, claim.holder))
        self._watcher.wake()

    def _look(self, name: str) -> Group:
        group = self._load(name)
        if all(map(is_alive, {member.process for member in group.members})):
            return group
        try:
            return self._change(name, lambda group: group)
        except Unavailable:  # the next look tries again
            return group

    def _change(self, name: str, change: Callable[[Group], Group]) -> Group:
        """Change a group, without its dead members, and keep what came of it."""
        try:
            make_private(self._folder)
            with locked(os.path.join(self._folder, "lock")):
                before = self._load(name)
                alive = set(filter(is_alive, {member.process for member in before.members}))
                after = change(keep(before, lambda member: member.process in alive))
                if after != before:
                    self._save(name, after)
        except OSError as error:
            raise Unavailable(
                f"The concurrency group can't be kept: {error.strerror}: '{self._folder}'"
            ) from error
        return after

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, slug(name) + ".json")

    def _load(self, name: str) -> Group:
        try:
            with open(self._path(name), "rb") as stream:
                return msgspec.json.decode(stream.read(), type=Group)
        except (FileNotFoundError, msgspec.DecodeError):
            return Group()

    def _save(self, name: str, group: Group) -> None:
        path = self._path(name)
        if not group.members:
            os.unlink(path)
            return
        aside = path + ".new"
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, msgspec.json.encode(group))
        finally:
            os.close(file)
        os.replace(aside, path)
