"""actions/setup-node: a node of this machine, with a place of the job's own for what npm installs."""

from __future__ import annotations
