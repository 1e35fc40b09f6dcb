"""Jobs in a container: their folders are this machine's, their processes the container's."""

from __future__ import annotations
