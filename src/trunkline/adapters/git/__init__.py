"""Git on the engine's machine: reading repositories, fetching other people's."""

from __future__ import annotations
