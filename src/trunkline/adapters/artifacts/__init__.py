"""Where artifacts are kept."""

from __future__ import annotations
