"""Trunkline: runs GitHub Actions workflows on your own machine, exactly."""

from __future__ import annotations

__version__ = "0.1.0"
