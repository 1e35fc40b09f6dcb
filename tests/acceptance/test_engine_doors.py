"""Engines that are reached another way than by their own socket, and one that goes in mid job."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.docker_engine import RUN_LABEL, Engine
from tests.engine_doors import Keys, another_socket, behind_tls, make_keys, over_ssh
from tests.repositories import repository
from trunkline.run.events import Conclusion, JobCompleted

HOST_JOB = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    services:
      idle: {{image: "{image}", command: tail -f /dev/null}}
    steps:
      - run: echo kept > kept.txt
      - run: {step}
"""

WHOLE = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    container: {image}
    services:
      idle: {{image: "{image}", command: "sh -c 'echo service is up; exec tail -f /dev/null'"}}
    steps:
      - uses: actions/checkout@v4
      - run: ping -c 1 -w 60 idle >/dev/null && echo inside $(cat Dockerfile | wc -l)
      - uses: ./
"""
FILES = {
    "action.yml": "runs: {using: docker, image: Dockerfile, args: [an action]}\n",
    "Dockerfile": 'FROM {image}\nLABEL test={own}\nENTRYPOINT ["echo"]\n',
}


def run_whole(place: Place, image: str, env: Mapping[str, str]) -> Done:
    """Run a job with a container, a service and a Docker action."""
    root = place.root / "demo"
    own = os.urandom(8).hex()
    files = {n: text.replace("{image}", image).replace("{own}", own) for n, text in FILES.items()}
    repository(root, {".github/workflows/ci.yml": WHOLE.format(image=image), **files})
    done = place.run("run", "--plain", cwd=root, env=env)
    assert_no_traceback(done)
    return done


def assert_whole(done: Done) -> None:
    wanted = ["test | inside 3", "test | an action", "test | service is up"]
    assert done.code == 0, done.text
    assert not missing(wanted, done.out.splitlines()), done.text


# --- behind TLS ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"))


def with_keys(folder: Path) -> dict[str, str]:
    return {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(folder)}


def test_jobs_run_at_an_engine_behind_tls(docked: Place, busybox_image: str, keys: Keys) -> None:
    with behind_tls(docked.env["DOCKER_HOST"], keys) as door:
        env = {"DOCKER_HOST": door.address, **with_keys(keys.client)}
        assert_whole(run_whole(docked, busybox_image, env))


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        (("cert.pem", "key.pem"), "may know clients by certificates: cert.pem and key.pem in "),
        (("ca.pem",), "No such file or directory"),
        (("other",), "certificate verify failed"),
    ],
)
def test_an_engine_behind_tls_refuses_strangers(
    docked: Place, busybox_image: str, keys: Keys, lacking: tuple[str, ...], told: str
) -> None:
    folder = docked.root / "keys"
    shutil.copytree(
        make_keys(folder / "o").client if lacking == ("other",) else keys.client, folder / "k"
    )
    for name in lacking:
        (folder / "k" / name).unlink(missing_ok=True)
    with behind_tls(docked.env["DOCKER_HOST"], keys) as door:
        env = {"DOCKER_HOST": door.address, **with_keys(folder / "k")}
        done = run_whole(docked, busybox_image, env)
    assert done.code == 1
    assert not missing([f"test | …{told}…"], done.out.splitlines()), done.text


# --- over ssh -----------------------------------------------------------------------------


@pytest.fixture
def short() -> Iterator[Path]:
    """Yield a folder for temporary files whose name leaves room for a socket's."""
    with tempfile.TemporaryDirectory(prefix="tl-", dir="/tmp") as folder:
        yield Path(folder)


def test_jobs_run_at_an_engine_over_ssh(
    docked: Place, busybox_image: str, tmp_path: Path, short: Path
) -> None:
    with over_ssh(docked.env["DOCKER_HOST"], tmp_path) as ssh:
        path = f"{ssh.programs}:{docked.env['PATH']}"
        env = {"DOCKER_HOST": ssh.door.address, "PATH": path, "TMPDIR": str(short)}
        assert_whole(run_whole(docked, busybox_image, env))
        assert not list(short.iterdir())


def test_an_ssh_server_that_does_not_know_us_is_told(
    docked: Place, busybox_image: str, tmp_path: Path, short: Path
) -> None:
    with over_ssh(docked.env["DOCKER_HOST"], tmp_path) as ssh:
        (tmp_path / "user.pub").write_text("")
        path = f"{ssh.programs}:{docked.env['PATH']}"
        env = {"DOCKER_HOST": ssh.door.address, "PATH": path, "TMPDIR": str(short)}
        done = run_whole(docked, busybox_image, env)
    assert done.code == 1
    assert f"{ssh.door.address} can't be reached over ssh" in done.text
    assert done.err.count("Permission denied (publickey") == 1  # nobody asks twice
    assert not list(short.iterdir())


# --- gone ---------------------------------------------------------------------------------


def completed(place: Place, run_id: str) -> JobCompleted:
    [found] = (
        record.event for record in place.records(run_id) if isinstance(record.event, JobCompleted)
    )
    return found


@pytest.mark.usefixtures("killed_engines")
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
    gone = "test | ##[error]The container engine does not answer any more: …"
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
