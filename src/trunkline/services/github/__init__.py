"""GitHub's REST API by its nouns: what each end point reads, writes and answers."""

from __future__ import annotations
