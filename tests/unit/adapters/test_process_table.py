"""What the kernel tells about processes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from trunkline.adapters import process_table
from trunkline.adapters.process_table import (
    all_pids,
    children,
    descendants,
    environment,
    identity,
    is_alive,
    look_up,
    working_directory,
)


def test_a_process_is_known_by_its_place() -> None:
    with subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo; wait"],
        env={"PATH": os.environ["PATH"], "MARK": "é"},
        cwd="/",
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        kin = look_up(started.pid)
        assert kin is not None
        assert (kin.name, kin.parent, kin.session) == ("sh", os.getpid(), started.pid)
        assert started.pid in all_pids()
        assert started.pid in children(os.getpid())
        [grandchild] = children(started.pid)
        assert grandchild in list(descendants(os.getpid()))
        assert "MARK=é".encode() in environment(started.pid).split(b"\0")
        assert working_directory(started.pid) == "/"
        os.killpg(started.pid, 9)


def test_an_odd_name_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    shutil.copy(shutil.which("cat") or "", program)
    with subprocess.Popen(
        [program], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.write(b"x")
        assert started.stdout.read(1) == b"x"  # by now it has its name
        kin = look_up(started.pid)
        assert kin is not None
        assert (kin.name, kin.parent) == ("a) R 1 (b", os.getpid())
        started.kill()


def test_a_process_that_ended_is_told_from_a_later_one() -> None:
    with subprocess.Popen(["sleep", "60"]) as started:
        name = identity(started.pid)
        assert is_alive(name)
        assert not is_alive(f"{started.pid} 1")
        started.kill()
    assert not is_alive(name)
    assert look_up(started.pid) is None
    assert children(started.pid) == []
    assert environment(started.pid) == b""
    assert working_directory(started.pid) == ""


@pytest.mark.parametrize("name", ["", "x", "0", "-1", "1 2 3", "1\n"])
def test_what_names_no_process_is_not_alive(name: str) -> None:
    assert not is_alive(name)


def test_without_proc_the_number_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_table, "HAS_PROC", False)
    assert all_pids() == []
    with subprocess.Popen(["sleep", "60"]) as started:
        assert is_alive(str(started.pid))
        started.kill()
    assert not is_alive(str(started.pid))
