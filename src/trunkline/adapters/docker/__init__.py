"""Containers and images by the Engine API, which Docker and Podman speak."""

from __future__ import annotations
