"""Jobs on this machine itself: each with a home, temporary folder, tool cache and workspace."""

from __future__ import annotations
