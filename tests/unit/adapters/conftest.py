"""What tests of adapters share."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the programs that are started from now on.

    They are what time goes into, and unlike it no matter of how busy the machine is.
    """
    programs: list[str] = []

    class Counted(subprocess.Popen[Any]):
        def __init__(self, args: Any, *more: Any, **options: Any) -> None:
            programs.append(Path(args[0]).name)
            super().__init__(args, *more, **options)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    return programs
