"""Where caches are kept."""

from __future__ import annotations
