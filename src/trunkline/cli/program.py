"""How this program is typed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

NAME = "trunkline"


def program() -> str:
    """Return what to type for this program: its name where the search path has it, else its path."""
    typed = Path(sys.argv[0])
    if typed.name != NAME:
        return NAME
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    on_path = any(os.access(Path(folder, NAME), os.X_OK) for folder in folders if folder)
    return NAME if on_path else str(typed.absolute())
