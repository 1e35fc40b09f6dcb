"""What jobs may print: endless lines, bytes that are no text, a disk that fills up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import COMMAND, PATIENCE, Place, assert_no_traceback
from tests.repositories import repository

HUNDRED_MB = 100_000_000
MOST_MEMORY_KB = 250_000


def job(script: str) -> str:
    lines = "".join(f"          {line}\n" for line in script.splitlines())
    return (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - run: |\n{lines}      - run: echo the end\n"
    )


def test_a_line_of_100_mb_is_kept_whole_in_little_memory(place: Place) -> None:
    script = f"head -c {HUNDRED_MB} /dev/zero | tr '\\0' x\necho\necho after it"
    root = repository(place.root / "demo", {".github/workflows/ci.yml": job(script)})
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    measured = subprocess.run(
        [sys.executable, "-c", code, *COMMAND, "run", "--plain"],
        cwd=root,
        env=place.env,
        check=True,
        capture_output=True,
        text=True,
    )
    status, memory = map(int, measured.stdout.split())
    assert status == 0
    assert memory < MOST_MEMORY_KB
    (run_id,) = place.runs()
    lines = place.log(run_id, "a")
    assert sum(line.count("x") for line in lines if set(line) == {"x"}) == HUNDRED_MB
    assert {"after it", "the end"} <= set(lines)


def test_binary_output(place: Place) -> None:
    script = "printf 'a\\000b\\377\\376 \\342\\202'\necho\nhead -c 100000 /dev/urandom\necho\necho after it"
    root = repository(place.root / "demo", {".github/workflows/ci.yml": job(script)})
    for args in (["--plain"], ["--json"]):
        done = place.run("run", *args, cwd=root)
        assert done.code == 0, done.err
        assert_no_traceback(done)
    lines = place.log(place.runs()[0], "a")
    assert "a b\ufffd\ufffd \ufffd" in lines
    assert "after it" in lines
    assert place.run("logs").code == 0


def test_a_step_that_prints_without_end_can_be_timed_out(place: Place) -> None:
    workflow = job("yes").replace("- run: |", "- timeout-minutes: 0.02\n        run: |")
    root = repository(place.root / "demo", {".github/workflows/ci.yml": workflow})
    done = place.run("run", "-q", cwd=root)
    assert done.code == 1, done.err
    (run_id,) = place.runs()
    assert "##[error]The action 'Run yes' has timed out after 0.02 minutes." in place.log(
        run_id, "a"
    )


@pytest.fixture
def small_disk(place: Place) -> Iterator[Path]:
    """Yield a folder on a disk of 16 MB."""
    folder = place.root / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    # Whoever is about to end may still have a file open there.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_fills_up_is_told_and_nothing_is_left(place: Place, small_disk: Path) -> None:
    root = repository(
        place.root / "demo", {".github/workflows/ci.yml": job("yes | head -c 60000000")}
    )
    done = place.run("run", "-q", cwd=root, env={"TRUNKLINE_STATE": str(small_disk)})
    assert done.code == 1, done.text
    shown = place.run("show", env={"TRUNKLINE_STATE": str(small_disk)})
    assert "No space left on device" in shown.out
    assert_no_traceback(done)
    work = small_disk / "work"
    assert not work.exists() or not list(work.glob("*/*/_temp"))


def test_a_disk_that_is_full_from_the_start(place: Place, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"")
    subprocess.run(
        ["dd", "if=/dev/zero", f"of={small_disk}/ballast", "bs=1M"],
        check=False,
        capture_output=True,
    )
    root = repository(place.root / "demo", {".github/workflows/ci.yml": job("true")})
    done = place.run("run", "--plain", cwd=root, env={"TRUNKLINE_STATE": str(small_disk)})
    assert done.code == 3, done.text
    assert "No space left on device" in done.text
    assert_no_traceback(done)


def test_a_state_folder_that_can_not_be_written(place: Place) -> None:
    blocked = place.root / "file"
    blocked.write_text("in the way")
    root = repository(place.root / "demo", {".github/workflows/ci.yml": job("true")})
    done = place.run("run", "--plain", cwd=root, env={"TRUNKLINE_STATE": str(blocked)})
    assert done.code == 3, done.text
    assert str(blocked) in done.err
    assert_no_traceback(done)


def test_output_nobody_reads(place: Place) -> None:
    root = repository(place.root / "demo", {".github/workflows/ci.yml": job("seq 100000; exit 1")})
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*COMMAND, "run", "--plain"],
        cwd=root,
        env=place.env,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    os.close(reader)
    _, err = process.communicate(timeout=PATIENCE)
    assert err == b""
    assert process.returncode == 1


def test_streams_that_are_closed_or_know_few_characters(place: Place) -> None:
    root = repository(place.root / "demo", {".github/workflows/ci.yml": job("echo ✓ ü; exit 1")})
    shell = 'exec "$@" >&- 2>&-'
    closed = subprocess.run(
        ["bash", "-c", shell, "x", *COMMAND, "run"], cwd=root, env=place.env, check=False
    )
    assert closed.returncode == 1
    for args in (("run", "--plain"), ("show",), ("logs",), ("runs",), ("plan",)):
        done = place.run(*args, cwd=root, env={"PYTHONIOENCODING": "ascii"})
        assert done.code == (1 if args[0] == "run" else 0), done.text
        assert done.err == ""


def test_many_files_open_are_not_needed(place: Place) -> None:
    steps = "".join("      - run: 'true'\n" for _ in range(60))
    workflow = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"
    root = repository(place.root / "demo", {".github/workflows/ci.yml": workflow})
    few = 'ulimit -Sn 48; exec "$@"'
    done = subprocess.run(
        ["bash", "-c", few, "x", *COMMAND, "run", "-q"],
        cwd=root,
        env=place.env,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done
