"""Where source comes from."""

from __future__ import annotations
