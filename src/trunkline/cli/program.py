"""How this program is typed."""

from __future__ import annotations

import os
import sys

NAME = "trunkline"


def program() -> str:
    """Return what to type for this program: its name where the search path has it, else its path."""
    typed = sys.argv[0]
    if os.path.basename(typed) != NAME:
        return NAME
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    on_path = any(os.access(os.path.join(folder, NAME), os.X_OK) for folder in folders if folder)
    return NAME if on_path else os.path.abspath(typed)
