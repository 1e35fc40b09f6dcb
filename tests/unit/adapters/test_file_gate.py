"""Concurrency groups between processes."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from trunkline.adapters.gates.files import FileGate
from trunkline.base.errors import Unavailable
from trunkline.ports.gate import Claim, Standing

HOLDER = """
import sys
from trunkline.adapters.gates.files import FileGate
from trunkline.ports.gate import Claim
gate = FileGate(sys.argv[1], "octo/cat")
print(gate.acquire(Claim(group="deploy", holder="other"), print).value, flush=True)
sys.stdin.read()
"""


def test_a_holder_whose_process_died_is_out(tmp_path: Path) -> None:
    heard: queue.Queue[Standing] = queue.Queue()
    gate = FileGate(str(tmp_path), "octo/cat")
    claim = Claim(group="deploy", holder="mine")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "granted\n"
        assert gate.acquire(claim, heard.put) is Standing.PENDING
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert heard.get(timeout=60) is Standing.GRANTED
    gate.release(claim)


def test_repositories_are_apart(tmp_path: Path) -> None:
    claim = Claim(group="deploy", holder="1")
    gates: list[FileGate] = []
    for repository in ("octo/cat", "octo/dog", "/home/me/cat"):
        gates.append(FileGate(str(tmp_path), repository))
        assert gates[-1].acquire(claim, print) is Standing.GRANTED
    for gate in gates:
        gate.release(claim)


def watchers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "gate"}


def test_an_empty_group_leaves_no_file_and_no_thread(tmp_path: Path) -> None:
    before = watchers()
    gate = FileGate(str(tmp_path), "octo/cat")
    claim = Claim(group="deploy", holder="1")
    gate.acquire(claim, print)
    assert len(list(tmp_path.rglob("*.json"))) == 1
    [watcher] = watchers() - before
    gate.release(claim)
    assert list(tmp_path.rglob("*.json")) == []
    watcher.join(60)
    assert not watcher.is_alive()


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "gates").write_text("")
    with pytest.raises(Unavailable, match="The concurrency group can't be kept"):
        FileGate(str(tmp_path), "octo/cat").acquire(Claim(group="x", holder="1"), print)
