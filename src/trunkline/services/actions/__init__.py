"""What actions call: artifacts, caches, identity and GitHub's API."""

from __future__ import annotations
