"""The real servers behind those of this machine."""

from __future__ import annotations
