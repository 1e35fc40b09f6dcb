"""Where uploads wait until they are whole."""

from __future__ import annotations
