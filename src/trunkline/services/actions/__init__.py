"""The services that actions call: artifacts, caches, identity, GitHub's API."""

from __future__ import annotations
