"""Rootless Docker: a user without rights runs jobs with containers, services and Docker actions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.commands import Done, assert_no_traceback, missing
from tests.engine import needed
from tests.images import busybox
from tests.repositories import repository
from tests.rootless import Rootless, rootless_docker

pytestmark = pytest.mark.long

IMAGE = "localhost/busybox:1"
CONTAINER_JOB = f"""
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    container: {{image: "{IMAGE}", options: OPTIONS}}
    services:
      web: {{image: "{IMAGE}", command: "httpd -f -p 80 -h /etc"}}
    steps:
      - uses: actions/checkout@v4
      - run: id -u; echo made > made.txt; until wget -q -O - http://web/passwd; do sleep 0.1; done | head -1
      - run: sleep 100
        timeout-minutes: 0.05
        continue-on-error: true
"""
HOST_JOB = f"""
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    services:
      web: {{image: "{IMAGE}", command: "httpd -f -p 80 -h /etc", ports: [80]}}
    steps:
      - uses: actions/checkout@v4
      - run: >-
          curl -s --retry 60 --retry-delay 1 --retry-all-errors
          http://127.0.0.1:${{{{ job.services.web.ports['80'] }}}}/passwd | head -1
      - uses: ./
      - run: docker build -q -t ghcr.io/o/n:1 . && docker push ghcr.io/o/n:1
        env: {{DOCKER_BUILDKIT: "0"}}
"""
ACTION = {
    "action.yml": "runs:\n  using: docker\n  image: Dockerfile\n"
    "  args: [sh, -c, 'mkdir others; chown 5:5 others; echo root is $(id -u)']\n",
    "Dockerfile": f"FROM {IMAGE}\n",
}


@pytest.fixture(scope="module")
def rootless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rootless]:
    with ExitStack() as stack:
        with needed():
            found = stack.enter_context(rootless_docker())
            made = busybox(tmp_path_factory.mktemp("image"))
        changes = [word for each in made.changes for word in ("--change", each)]
        found.run("docker", "import", *changes, "-", IMAGE, feed=made.tarball)
        yield found


def run(rootless: Rootless, name: str, workflow: str, *args: str) -> Done:
    """Run a workflow as the engine's user; nothing of it stays at the engine."""
    root = rootless.home / name
    repository(root, {".github/workflows/ci.yml": workflow, **ACTION})
    rootless.give(root)
    argv = [sys.executable, "-B", "-m", "trunkline", "run", "--plain", *args]
    done = rootless.run(*argv, cwd=root)
    assert_no_traceback(done)
    assert rootless.run("docker", "ps", "--all", "--quiet").out == ""
    assert "github_network" not in rootless.run("docker", "network", "ls").out
    return done


@pytest.mark.parametrize("options", ["", "--user 77:88"], ids=["root", "another user"])
def test_a_job_in_a_container(rootless: Rootless, options: str) -> None:
    workflow = CONTAINER_JOB.replace("OPTIONS", f'"{options}"')
    done = run(rootless, f"container{len(options)}", workflow)
    assert done.code == 0, done.text
    user = "77" if options else "0"
    wanted = [f"test | {user}", "test | root:x:0:0:…", "test | ##[error]The …timed out…"]
    assert not missing(wanted, done.out.splitlines()), done.text


def test_a_job_on_the_machine(rootless: Rootless) -> None:
    done = run(rootless, "host", HOST_JOB)
    wanted = [
        "test | root:x:0:0:…",
        "test | ##[warning]Actions have no services here …: Containers can't reach this machine: …",
        "test | root is 0",
        "test | …connection refused. The engine must reach the local registry …",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert done.code == 1


def test_a_policy_that_needs_this_machine_is_refused(rootless: Rootless) -> None:
    workflow = CONTAINER_JOB.replace("OPTIONS", '""')
    done = run(rootless, "policy", workflow, "--network-policy", "registry")
    assert done.code == 1
    assert "Containers can't reach this machine: their network's gateway" in done.out


def test_a_closed_job_has_published_ports(rootless: Rootless) -> None:
    workflow = HOST_JOB.replace(
        "httpd -f -p 80 -h /etc", "sh -c 'ip route; httpd -f -p 80 -h /etc'"
    )
    ended = workflow.index("      - uses: ./\n")
    done = run(rootless, "closed", workflow[:ended], "--network-policy", "none")
    assert done.code == 0, done.text
    # The service's log: its gateway is the last address of the network's range, which nobody has.
    wanted = ["test | root:x:0:0:…", "test | default via ….254 dev eth0…"]
    assert not missing(wanted, done.out.splitlines()), done.text
