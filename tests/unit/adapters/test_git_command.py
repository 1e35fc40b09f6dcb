"""Gits as processes: none outlives the one that started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from trunkline.adapters.process_table import look_up

LEFT = """
from trunkline.adapters.git.command import Running
print(Running(".", ("-c", "alias.wait=!sleep 300", "wait"))._process.pid)
"""


def test_a_git_that_nobody_knows_of_goes_with_us(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    kin = look_up(int(done.stdout))
    assert kin is None or kin.state in "ZX"
