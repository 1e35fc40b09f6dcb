"""What a job's containers do at every engine: Docker's, Podman's, and the scripted one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docker_engine import RUN_LABEL, Engine
from tests.engine import image
from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.docker import images as docker_images
from trunkline.adapters.sandboxes.scripted import Rule, Script, ScriptedSandboxes
from trunkline.adapters.sandboxes.scripted.containers import ScriptedEngine, ScriptedImage
from trunkline.app import System
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import ActionRun, ContainerSpec, Watch
from trunkline.ports.process import Process, ProcessSpec, Signal
from trunkline.ports.sandbox import JobPlace, Layout, Sandbox
from trunkline.settings import read

HEALTHY = "--health-cmd 'test -e /ready' --health-interval 1h"
# It is tested when it has written to its log.
UNHEALTHY = (
    "--health-cmd 'until test -e /ready; do sleep 0.05; done; false'"
    " --health-interval 100ms --health-timeout 60s --health-retries 1"
)
# Runs for ever, and writes to its log.
SERVES = "sh -c 'echo serving; touch /ready; exec tail -f /dev/null'"
BREAKS = SERVES.replace("serving", "broken")
SPEAKS = 'echo "$WHO"; cat /github/workspace/in; echo out > /github/workspace/out; exit 3'
SLEEPS = "echo ready; exec sleep 600"


class Images(NamedTuple):
    """Images by what they are for: the scripted engine knows health by the image."""

    plain: str
    healthy: str
    unhealthy: str
    absent: str = ""


class Case(NamedTuple):
    sandbox: Sandbox
    layout: Layout
    images: Images
    told: list[str]
    owned: Callable[[], set[str]]
    untag: Callable[[str], object]

    @property
    def watch(self) -> Watch:
        return Watch(self.told.append, lambda: False)

    def service(self, **more: object) -> ContainerSpec:
        spec = {"image": self.images.healthy, "options": HEALTHY, "command": SERVES, **more}
        return ContainerSpec(**spec)  # type: ignore[arg-type]

    def action(self, *args: str, **env: str) -> ActionRun:
        return ActionRun(
            image=self.images.plain,
            name=f"action_{os.urandom(3).hex()}",
            env=env,
            workdir="/github/workspace",
            mounts=((self.layout.workspace, "/github/workspace"),),
            entrypoint="sh",
            args=args,
        )


def output_of(process: Process) -> bytes:
    found = b""
    while data := process.read(None):
        found += data
    return found


def real(folder: Path, engine: Engine) -> Iterator[Case]:
    small = image(engine, "busybox")
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "DOCKER_HOST": engine.host}
    folders = {f"TRUNKLINE_{name}": f"{folder}/{name}" for name in ("STATE", "WORK", "CACHE")}
    system = System(read({**environ, **folders}))
    sandbox = system.sandboxes.open(f"docker:{small}")
    place = JobPlace(
        run_id=os.urandom(6).hex(),
        key="build",
        where=f"docker:{small}",
        repository="octo/cat",
        event="{}",
    )
    layout = sandbox.prepare(place)
    own = f"{RUN_LABEL}={place.run_id}"
    # Podman asks a registry without TLS again and again, for ten seconds.
    images = Images(small, small, small, "no/such:1" if "podman" in engine.host else "")
    yield Case(sandbox, layout, images, [], lambda: engine.owned(own), engine.untag)
    sandbox.tear_down(keep=False)
    system.close()


def scripted() -> Iterator[Case]:
    ids = FakeIds()
    engine = ScriptedEngine(
        {
            "plain": ScriptedImage(),
            "healthy": ScriptedImage(health="healthy", log="serving\n"),
            "unhealthy": ScriptedImage(health="unhealthy", log="broken\n"),
        },
        ids,
    )
    rules = [
        Rule("docker run .*exit 3", Script(output=((0, b"me\nin\n"),), exit_code=3)),
        Rule("docker run .*sleep 600", Script(output=((0, b"ready\n"),), seconds=None)),
        Rule("env", Script(output=((0, b"FROM=spec\n"),))),
    ]
    sandbox = ScriptedSandboxes(rules, FakeClock(automatic=True), ids, engine=engine).open(
        "docker:x"
    )
    place = JobPlace(run_id="7", key="build", where="docker:x", repository="octo/cat", event="{}")
    layout = sandbox.prepare(place)
    images = Images("plain", "healthy", "unhealthy")
    owned = lambda: {*engine.containers, *engine.networks}  # noqa: E731
    yield Case(sandbox, layout, images, [], owned, engine.images.pop)


@pytest.fixture(params=["scripted", "docker", "podman"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param == "scripted":
        yield from scripted()
    else:
        fixture = {"docker": "engine", "podman": "podman"}[request.param]
        yield from real(tmp_path, request.getfixturevalue(fixture))


def test_a_job_has_its_container_its_services_and_their_network(case: Case) -> None:
    services = {"db": case.service(ports=("6379",)), "web": case.service()}
    job = ContainerSpec(image=case.images.plain, env={"FROM": "spec"})
    begun = case.sandbox.containers.begin(job, services, case.watch)
    assert begun.network.startswith("github_network_")
    assert begun.job is not None
    assert begun.job.network == begun.network
    assert begun.job.id
    assert list(begun.services) == ["db", "web"]
    assert begun.services["db"].ports["6379"].isdecimal()
    assert begun.services["web"].ports == {}
    assert len({begun.job.id, *(each.id for each in begun.services.values())}) == 3
    assert begun.env["FROM"] == "spec"
    assert "/bin" in begun.env["PATH"]
    groups = [line for line in case.told if line.startswith("##[group]Start")]
    assert groups == [
        "##[group]Starting job container",
        "##[group]Starting db service container",
        "##[group]Starting web service container",
    ]
    spec = ProcessSpec(
        argv=("/bin/sh", "-c", "env"),
        env={**case.layout.env, **begun.env},
        cwd=case.layout.workspace,
    )
    assert b"FROM=spec\n" in output_of(case.sandbox.start(spec))


def test_the_end_tells_the_logs_and_leaves_nothing(case: Case) -> None:
    containers = case.sandbox.containers
    job = ContainerSpec(image=case.images.plain)
    begun = containers.begin(job, {"db": case.service()}, case.watch)
    assert case.owned()
    case.told.clear()
    containers.end(case.watch)
    assert case.owned() == set()
    assert "serving" in case.told
    assert f"Remove container network: {begun.network}" in case.told
    case.told.clear()
    containers.end(case.watch)
    assert case.told == []


def test_an_action_runs_with_its_folders_and_is_gone(case: Case) -> None:
    case.sandbox.put(f"{case.layout.workspace}/in", b"in\n")
    process = case.sandbox.containers.run(case.action("-c", SPEAKS, WHO="me"))
    assert output_of(process) == b"me\nin\n"
    assert process.wait() == 3
    case.sandbox.containers.end(case.watch)
    assert case.owned() == set()


def test_an_action_can_be_killed(case: Case) -> None:
    process = case.sandbox.containers.run(case.action("-c", SLEEPS))
    assert process.read(60) == b"ready\n"
    process.signal(Signal.KILL)
    assert output_of(process) == b""
    assert process.wait() == 137
    process.signal(Signal.KILL)
    case.sandbox.containers.end(case.watch)
    assert case.owned() == set()


def test_an_unhealthy_service_fails_with_its_log(case: Case) -> None:
    containers = case.sandbox.containers
    broken = case.service(
        image=case.images.unhealthy,
        options=UNHEALTHY,
        command=BREAKS,
    )
    with pytest.raises(Unavailable, match="One or more containers failed to start"):
        containers.begin(None, {"db": broken}, case.watch)
    assert "broken" in case.told
    assert f"##[error]Failed to initialize container {case.images.unhealthy}" in case.told
    containers.end(case.watch)
    assert case.owned() == set()


def test_an_image_that_is_nowhere_is_told(
    case: Case, absent_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_images, "LONGEST_PAUSE", 0.0)
    monkeypatch.setattr(docker_images, "SHORTEST_PAUSE", 0.0)
    containers = case.sandbox.containers
    job = ContainerSpec(image=case.images.absent or absent_image)
    with pytest.raises(Unavailable, match="no/such"):
        containers.begin(job, {}, case.watch)
    containers.end(case.watch)
    assert case.owned() == set()


def test_an_image_is_found_and_named(case: Case) -> None:
    images = case.sandbox.containers.images
    assert images.inspect("no-such-image:1") is None
    here = images.pull(case.images.plain, None, case.watch)
    other = f"trunkline-test-{os.urandom(4).hex()}:1"
    images.tag(case.images.plain, other)
    found = images.inspect(other)
    case.untag(other)
    assert found is not None
    assert (found.id == here.id) or found.id.startswith("id:")


def test_nobody_waits_for_a_service_that_is_not_wanted_any_more(case: Case) -> None:
    never = case.service(
        options="--health-cmd false --health-interval 1h", image=case.images.unhealthy
    )
    watch = Watch(case.told.append, lambda: "##[group]Waiting" in " ".join(case.told))
    with pytest.raises(Unavailable):
        case.sandbox.containers.begin(None, {"db": never}, watch)
    case.sandbox.containers.end(case.watch)
    assert case.owned() == set()
