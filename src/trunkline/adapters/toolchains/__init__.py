"""Where programs such as node come from."""

from __future__ import annotations
