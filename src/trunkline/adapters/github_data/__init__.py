"""GitHub's data on this machine: the user's repository, read; what a run writes, beside it."""

from __future__ import annotations
