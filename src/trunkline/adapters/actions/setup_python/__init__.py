"""actions/setup-python: an interpreter of this machine, in an environment of the job's own."""

from __future__ import annotations
