"""Where the keys that sign identities are kept."""

from __future__ import annotations
