"""Jobs on this machine itself: each with a home, temporary folder, tool cache and workspace."""

from __future__ import annotations

from trunkline.adapters.sandboxes.host.sandbox import HostSandbox, HostSandboxes

__all__ = ["HostSandbox", "HostSandboxes"]
