"""Services with real Redis and PostgreSQL: found, awaited, told of, and always removed."""

from __future__ import annotations

import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Done, Place, assert_no_traceback, finish, missing, until
from tests.docker_engine import RUN_LABEL, Engine
from tests.engine import image
from tests.ports import reserved_port
from tests.repositories import repository

HEALTHY = "--health-cmd 'redis-cli ping' --health-interval 1s --health-retries 30"


def job(services: str, steps: str, container: str = "") -> str:
    """Return a workflow of one job."""
    return (
        "name: CI\non: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n"
        f"    timeout-minutes: 5\n{container and f'    container: {container}'}\n"
        f"    services:\n{services}\n    steps:\n{steps}\n"
    )


def run(place: Place, workflow: str, *args: str) -> Done:
    """Run a workflow to its end."""
    root = place.root / "demo"
    repository(root, {".github/workflows/ci.yml": workflow})
    done = place.run("run", "--plain", *args, cwd=root)
    assert_no_traceback(done)
    return done


def started(place: Place, workflow: str, *args: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a run of a workflow; return it, and its repository."""
    root = place.root / "demo"
    repository(root, {".github/workflows/ci.yml": workflow})
    return place.start("run", "--plain", *args, cwd=root), root


# --- reached ----------------------------------------------------------------------------


def test_a_host_job_reaches_a_service_by_its_mapped_port(docked: Place, redis_image: str):
    services = f"""
      redis:
        image: {redis_image}
        ports: [6379]
        options: {HEALTHY}
"""
    steps = """
      - name: Ping
        shell: bash
        run: |
          exec 3<>/dev/tcp/localhost/$PORT
          printf 'INCR visits\\r\\n' >&3
          read -r answer <&3
          echo "answer ${answer%?}"
        env:
          PORT: ${{ job.services.redis.ports['6379'] }}
      - run: echo "id ${#ID} in $NETWORK"
        env:
          ID: ${{ job.services.redis.id }}
          NETWORK: ${{ job.services.redis.network }}
"""
    done = run(docked, job(services, steps))
    assert done.code == 0, done.text
    assert not missing(["test | answer :1", "test | id 64 in …"], done.out.splitlines())


def test_a_chosen_port_is_the_one_of_the_machine(docked: Place, redis_image: str, port: int):
    services = f"""
      redis:
        image: {redis_image}
        ports: ["{port}:6379/tcp"]
        options: {HEALTHY}
"""
    steps = f"""
      - run: echo "mapped ${{{{ job.services.redis.ports['6379'] }}}}"
      - shell: bash
        run: |
          exec 3<>/dev/tcp/127.0.0.1/{port}
          printf 'PING\\r\\n' >&3
          head -c 5 <&3
"""
    done = run(docked, job(services, steps))
    assert done.code == 0, done.text
    assert not missing([f"test | mapped {port}", "test | +PONG"], done.out.splitlines())


def test_a_container_job_reaches_services_by_name(
    docked: Place, busybox_image: str, redis_image: str, postgres_image: str
):
    services = f"""
      redis:
        image: {redis_image}
        options: {HEALTHY}
      database:
        image: {postgres_image}
        env: {{POSTGRES_PASSWORD: example, POSTGRES_DB: notes}}
        options: >-
          --health-cmd "pg_isready -h localhost" --health-interval 1s --health-retries 30
"""
    steps = """
      - run: printf 'PING\\r\\n' | nc -w 60 redis 6379
      - run: nc -w 60 database 5432 </dev/null && echo "database is there"
      - run: echo "one network ${{ job.container.network == job.services.redis.network }}"
"""
    done = run(docked, job(services, steps, busybox_image))
    assert done.code == 0, done.text
    wanted = ["test | +PONG", "test | database is there", "test | one network true"]
    assert not missing(wanted, [line.rstrip() for line in done.out.splitlines()])


def test_two_legs_have_services_of_their_own(docked: Place, redis_image: str, busybox_image: str):
    services = f"""
      redis:
        image: {redis_image}
        options: {HEALTHY}
"""
    steps = """
      - run: printf 'INCR visits\\r\\n' | nc -w 60 redis 6379
"""
    legs = "    strategy: {matrix: {leg: [a, b]}}\n    services:\n"
    workflow = job(services, steps, busybox_image).replace("    services:\n", legs)
    done = run(docked, workflow)
    assert done.code == 0, done.text
    answers = [line.rstrip() for line in done.out.splitlines() if "| :" in line]
    assert sorted(answers) == ["test (a) | :1", "test (b) | :1"]


def test_podman_serves_host_jobs_and_container_jobs(place: Place, podman: Engine):
    place.env["DOCKER_HOST"] = podman.host
    redis, busybox = image(podman, "redis"), image(podman, "busybox")
    service = f"{{image: {redis}, ports: [6379], options: {HEALTHY}}}"
    workflow = f"""
on: push
jobs:
  host:
    runs-on: ubuntu-latest
    services: {{redis: {service}}}
    steps:
      - shell: bash
        run: |
          exec 3<>/dev/tcp/localhost/${{{{ job.services.redis.ports[6379] }}}}
          printf 'PING\\r\\n' >&3
          head -c 5 <&3
  inside:
    runs-on: ubuntu-latest
    container: {busybox}
    services: {{redis: {service}}}
    steps:
      - run: printf 'PING\\r\\n' | nc -w 60 redis 6379
"""
    done = run(place, workflow)
    assert done.code == 0, done.text
    assert {"host | +PONG", "inside | +PONG"} <= {line.rstrip() for line in done.out.splitlines()}
    assert podman.owned() == set()


# --- awaited ----------------------------------------------------------------------------


def test_steps_wait_for_health(docked: Place, busybox_image: str):
    late = "sleep 1.2; mkdir /www; echo ready >/www/index.html; exec httpd -f -p 8080 -h /www"
    services = f"""
      late:
        image: {busybox_image}
        command: sh -c "{late}"
        options: --health-cmd "wget -q -O - localhost:8080" --health-interval 1s --health-retries 30
"""
    steps = "      - run: wget -q -O - http://late:8080/"
    done = run(docked, job(services, steps, busybox_image))
    assert done.code == 0, done.text
    assert "test | ready" in done.out


def test_entrypoint_and_command_are_the_workflow_s(docked: Place, redis_image: str):
    services = f"""
      redis:
        image: {redis_image}
        entrypoint: redis-server
        command: --port 7000 --protected-mode no
        ports: [7000]
        options: --health-cmd "redis-cli -p 7000 ping" --health-interval 1s --health-retries 30
"""
    steps = """
      - shell: bash
        run: |
          exec 3<>/dev/tcp/localhost/${{ job.services.redis.ports[7000] }}
          printf 'PING\\r\\n' >&3
          head -c 5 <&3
"""
    done = run(docked, job(services, steps))
    assert done.code == 0, done.text
    assert "test | +PONG" in done.out


def test_a_service_without_an_image_is_left_out(docked: Place):
    services = """
      none:
        image: ${{ vars.NOT_THERE }}
"""
    done = run(docked, job(services, "      - run: echo went on"))
    assert done.code == 0, done.text
    said = (
        "test | …The service 'none' will not be started because the container definition has an "
        "empty image."
    )
    assert not missing([said, "test | went on"], done.out.splitlines())


# --- bad news ---------------------------------------------------------------------------


def test_an_unhealthy_service_fails_its_job_with_its_log(docked: Place, busybox_image: str):
    services = f"""
      ill:
        image: {busybox_image}
        command: sh -c "echo I am unwell; touch /told; exec sleep 300"
        options: >-
          --health-cmd "until [ -e /told ]; do sleep 0.1; done; echo no pulse; false"
          --health-interval 1s --health-retries 1
"""
    done = run(docked, job(services, "      - run: echo never"))
    assert done.code == 1, done.text
    wanted = [
        "test | ill service is unhealthy.",
        "test | Its health check ended with exit code 1: no pulse",
        "test | …I am unwell…",
        f"test | …Failed to initialize container {busybox_image}",
        "test | …One or more containers failed to start.",
        "test: failure in …",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert "| never" not in done.out


def test_tests_of_ours_tell_why_a_service_is_unhealthy_where_the_engine_makes_none(
    place: Place, podman: Engine
):
    place.env["DOCKER_HOST"] = podman.host
    services = f"""
      ill:
        image: {image(podman, "busybox")}
        command: sleep 300
        options: --health-cmd "echo no pulse; false" --health-interval 500ms --health-retries 1
"""
    done = run(place, job(services, "      - run: echo never"))
    assert done.code == 1, done.text
    assert "test | Its health check ended with exit code 1: no pulse" in done.out
    assert podman.owned() == set()


def test_a_service_that_crashes_at_once_fails_its_job_with_its_log(
    docked: Place, engine: Engine, busybox_image: str, tmp_path: Path
):
    services = f"""
      slow:
        image: {busybox_image}
        command: sleep 300
        volumes: ["{tmp_path}:/shared"]
        options: --health-cmd "[ -e /shared/crashed ]" --health-interval 1s --health-retries 300
      crash:
        image: {busybox_image}
        command: sh -c "echo the configuration is broken; exit 3"
"""
    # The slow one is awaited first: until the engine has seen how the other one ended.
    process, _ = started(docked, job(services, "      - run: echo never"))
    until(lambda: ended_services(docked, engine), process)
    (tmp_path / "crashed").touch()
    done = finish(process)
    assert_no_traceback(done)
    assert done.code == 1, done.text
    wanted = [
        "test | crash service has ended, exit code 3.",
        "test | …the configuration is broken…",
        f"test | …Failed to initialize container {busybox_image}",
        "test | …One or more containers failed to start.",
        "test: failure in …",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert "| never" not in done.out


def ended_services(place: Place, engine: Engine) -> list[str]:
    """Return the containers of a place's runs that have ended."""
    return [
        name
        for run_id in place.runs()
        for name in engine.docker(
            *("ps", "--all", "--filter", f"label={RUN_LABEL}={run_id}"),
            *("--filter", "status=exited", "--format", "{{.Names}}"),
        ).split()
    ]


def test_a_service_that_crashes_later_is_told_when_the_job_ends(
    docked: Place, busybox_image: str, tmp_path: Path
):
    services = f"""
      crash:
        image: {busybox_image}
        volumes: ["{tmp_path}:/shared"]
        command: sh -c "until [ -e /shared/go ]; do sleep 0.1; done; echo out of luck; exit 4"
"""
    steps = f"""
      - run: touch '{tmp_path}/go'
      - run: echo "it ended with $(docker wait ${{{{ job.services.crash.id }}}})"
"""
    done = run(docked, job(services, steps))
    assert done.code == 0, done.text
    assert "test | it ended with 4" in done.out
    wanted = ["test | …out of luck…", "test | …Service crash had exited with code 4."]
    assert not missing(wanted, done.out.splitlines()), done.text


def test_a_taken_port_is_told(docked: Place, busybox_image: str, taken_port: int):
    services = f"""
      web:
        image: {busybox_image}
        command: sleep 300
        ports: ["{taken_port}:80"]
"""
    done = run(docked, job(services, "      - run: echo never"))
    assert done.code == 1, done.text
    assert str(taken_port) in done.text
    assert "already" in done.text, done.text
    assert "With the container's port alone (`ports: [6379]`) a free one is found." in done.text
    assert "| never" not in done.out
    assert "had exited" not in done.out, "it never ran"


@pytest.mark.long
def test_an_image_that_is_nowhere_is_told(docked: Place):
    image = "127.0.0.1:1/nobody/nothing:1"
    services = f"""
      ghost:
        image: {image}
"""
    done = run(docked, job(services, "      - run: echo never"))
    assert done.code == 1, done.text
    assert image in done.text
    assert "An image with this name that was made here" in done.text
    assert "| never" not in done.out


def test_options_that_docker_does_not_know_are_told(docked: Place, busybox_image: str):
    services = f"""
      odd:
        image: {busybox_image}
        options: --no-such-option
"""
    done = run(docked, job(services, "      - run: echo never"))
    assert done.code == 1, done.text
    assert "--no-such-option" in done.text
    assert "| never" not in done.out


def test_without_an_engine_it_says_what_is_missing(place: Place):
    place.env["DOCKER_HOST"] = f"unix://{place.root}/nothing.sock"
    services = """
      redis:
        image: redis:7
"""
    done = run(place, job(services, "      - run: echo never"))
    assert done.code in {1, 3}, done.text
    assert "nothing.sock" in done.text
    assert "| never" not in done.out


# --- always removed ---------------------------------------------------------------------


STAYS = """
      - run: |
          echo started > "$STARTED"
          sleep 300
"""


def begun(place: Place, workflow: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a run; return it, in its step, and its repository."""
    mark = place.root / "started"
    process, root = started(place, workflow, "--env", f"STARTED={mark}")
    until(mark.exists, process)
    return process, root


def stays(image: str) -> str:
    services = f"""
      redis:
        image: {image}
        options: {HEALTHY}
"""
    return job(services, STAYS)


def test_ctrl_c_removes_them(docked: Place, engine: Engine, redis_image: str):
    process, _ = begun(docked, stays(redis_image))
    (run_id,) = docked.runs()
    kinds = {each.split()[0] for each in engine.owned(f"{RUN_LABEL}={run_id}")}
    assert kinds == {"container", "network"}
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == 130, done.text
    assert not engine.owned(f"{RUN_LABEL}={run_id}")


@pytest.mark.usefixtures("killed_engines")
def test_what_a_killed_engine_leaves_the_next_start_removes(
    docked: Place, engine: Engine, redis_image: str
):
    process, root = begun(docked, stays(redis_image))
    (run_id,) = docked.runs()
    process.kill()
    process.communicate()
    assert engine.owned(f"{RUN_LABEL}={run_id}")
    workflow = "on: push\njobs: {one: {runs-on: ubuntu-latest, steps: [run: echo again]}}\n"
    (root / ".github/workflows/ci.yml").write_text(workflow, encoding="utf-8")
    done = docked.run("run", "--plain", cwd=root)
    assert done.code == 0, done.text
    assert not engine.owned(f"{RUN_LABEL}={run_id}")


@pytest.mark.usefixtures("killed_engines")
def test_a_volume_that_others_still_use_goes_with_a_later_start(
    docked: Place, engine: Engine, busybox_image: str
):
    volume = f"trunkline-test-{uuid.uuid1().hex}"
    services = f"""
      data:
        image: {busybox_image}
        command: tail -f /dev/null
        volumes: ["{volume}:/data"]
"""
    process, root = begun(docked, job(services, STAYS))
    user = engine.docker("run", "--detach", "-v", f"{volume}:/x", busybox_image, "sleep", "600")
    try:
        process.send_signal(signal.SIGINT)
        assert finish(process).code == 130
        workflow = "on: push\njobs: {one: {runs-on: ubuntu-latest, steps: [run: echo again]}}\n"
        (root / ".github/workflows/ci.yml").write_text(workflow, encoding="utf-8")
        assert docked.run("run", "--plain", cwd=root).code == 0
        assert volume in engine.docker("volume", "ls", "--quiet").split()
    finally:
        engine.docker("rm", "--force", user)
    assert docked.run("run", "--plain", cwd=root).code == 0
    assert volume not in engine.docker("volume", "ls", "--quiet").split()


def test_logs_of_services_are_told_when_their_job_ends(docked: Place, redis_image: str):
    services = f"""
      redis:
        image: {redis_image}
        options: {HEALTHY}
"""
    done = run(docked, job(services, "      - run: echo done"))
    assert done.code == 0, done.text
    wanted = ["test | done", "test | …Ready to accept connections…"]
    assert not missing(wanted, done.out.splitlines()), done.text


# --- ports ------------------------------------------------------------------------------


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Yield a port on which somebody listens."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - docker asks for all
        yield server.getsockname()[1]


@pytest.fixture
def port() -> Iterator[int]:
    """Yield a port that only the service asks for."""
    with reserved_port() as found:
        yield found
