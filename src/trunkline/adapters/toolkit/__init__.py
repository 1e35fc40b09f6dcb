"""What native actions share: inputs, versions, file searches."""

from __future__ import annotations
