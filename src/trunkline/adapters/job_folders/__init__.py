"""The folders of a job on this machine: made, owned, filled and removed."""

from __future__ import annotations
