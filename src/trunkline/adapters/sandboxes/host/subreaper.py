"""Makes this process the one that orphans below it are handed to (Linux)."""

from __future__ import annotations

import ctypes
import os
import sys

# linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> bool:
    """Ask the kernel for orphans (prctl(2)); tell whether every orphan can now be found by descent.

    False on other systems, and on kernels without /proc/<pid>/task/<tid>/children.
    """
    if sys.platform != "linux":
        return False
    pid = os.getpid()
    if not os.path.exists(f"/proc/{pid}/task/{pid}/children"):
        return False
    code: int = ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return code == 0
