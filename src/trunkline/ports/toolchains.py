"""Port: programs that the engine and its native actions need for a job."""

from __future__ import annotations

from typing import Protocol

import msgspec


class NodeProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A node on the engine's machine: its version (`20.19.5`), its program, its own npm's folder.

    `npm` is '' when there is none beside it.
    """

    version: str
    path: str
    npm: str = ""


class Toolchains(Protocol):
    """Finds or installs programs on the engine's machine. Thread-safe, and safe across processes."""

    def node(self, major: int) -> str:
        """Return the path of a node program of that major version.

        It is found on PATH, else where version managers keep theirs, else in the cache, else
        installed there from the npm registry. Raises Unavailable, with the versions that are here,
        when there is none and none can be had.
        """
        ...

    def nodes(self) -> tuple[NodeProgram, ...]:
        """Return the node programs that are here, those on PATH first."""
        ...

    def install_node(self, versions: str) -> NodeProgram:
        """Install the newest node of an npm range (`^20.1`) into the cache, with an npm.

        Raises Unavailable.
        """
        ...

    def external_node(self, major: int, *, musl: bool) -> str:
        """Have a node of that major version for containers; return its folder's name below `/__e`.

        The program is `bin/node` in it (`node20`, `node20_alpine`); `musl`: for images with that C
        library. Raises Unavailable when it can't be had.
        """
        ...
