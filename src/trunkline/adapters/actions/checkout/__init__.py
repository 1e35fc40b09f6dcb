"""actions/checkout: the repository as it is on disk, or any other ref or repository."""

from __future__ import annotations
