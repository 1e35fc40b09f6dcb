"""Engines that are reached another way than by their own socket, and one that goes in mid job."""

from __future__ import annotations

from pathlib import Path

from tests.commands import Place, assert_no_traceback, missing
from tests.docker_engine import RUN_LABEL, Engine
from tests.engine_doors import another_socket
from tests.repositories import repository
from trunkline.run.events import Conclusion, JobCompleted

HOST_JOB = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 2
    services:
      idle: {{image: "{image}", command: tail -f /dev/null}}
    steps:
      - run: echo kept > kept.txt
      - run: {step}
"""


def completed(place: Place, run_id: str) -> JobCompleted:
    [found] = (
        record.event for record in place.records(run_id) if isinstance(record.event, JobCompleted)
    )
    return found


def test_a_workspace_is_kept_and_told_where_the_engine_has_gone(
    place: Place, engine: Engine, busybox_image: str, tmp_path: Path
) -> None:
    root = place.root / "demo"
    with another_socket(engine.host, tmp_path / "s") as door:
        step = f"kill -KILL -- -{door.process.pid}; exit 1"
        text = HOST_JOB.format(image=busybox_image, step=step)
        repository(root, {".github/workflows/ci.yml": text})
        done = place.run("run", "--plain", cwd=root, env={"DOCKER_HOST": door.address})
    assert_no_traceback(done)
    assert done.code == 1
    [run_id] = place.runs()
    ended = completed(place, run_id)
    assert ended.conclusion is Conclusion.FAILURE
    assert Path(ended.workspace, "kept.txt").read_text() == "kept\n"
    assert ended.workspace in done.text
    gone = "test | ##[error]Cannot connect to the container engine…"
    wanted = ["test | Step 5: Stop containers", gone, "test | Step 6: Complete job", gone]
    assert not missing(wanted, done.out.splitlines()), done.text
    # What is left at the engine goes with the next run.
    assert engine.owned(f"{RUN_LABEL}={run_id}")
    root = place.root / "next"
    text = HOST_JOB.format(image=busybox_image, step="true")
    repository(root, {".github/workflows/ci.yml": text})
    done = place.run("run", "--plain", cwd=root, env={"DOCKER_HOST": engine.host})
    assert done.code == 0, done.text
    assert not engine.owned(f"{RUN_LABEL}={run_id}")
