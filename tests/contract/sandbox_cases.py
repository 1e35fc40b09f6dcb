"""The sandboxes that share a contract: the host's (with and without orphans), Docker's, the fake."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docker_engine import Engine
from tests.engine import image
from trunkline.adapters.clock import FakeClock, FakeIds, SystemIds
from trunkline.adapters.docker import process as container_process
from trunkline.adapters.docker.containers import JobContainers
from trunkline.adapters.file_search import search_disk
from trunkline.adapters.sandboxes.host import HostSandboxes, process
from trunkline.adapters.sandboxes.host.subreaper import become_subreaper
from trunkline.adapters.sandboxes.scripted import (
    Call,
    Reaction,
    Rule,
    Script,
    ScriptedSandboxes,
)
from trunkline.adapters.trees import remove_tree
from trunkline.app import System
from trunkline.ports.containers import ContainerSpec, Watch
from trunkline.ports.process import Process, ProcessSpec, Signal
from trunkline.ports.sandbox import JobPlace, Layout, Sandbox, Sandboxes
from trunkline.settings import read

PLACE = JobPlace(
    run_id="7", key="build (1)", where="host", repository="octo/cat", event='{"a": "é"}'
)


def show_environment(call: Call) -> Script:
    lines = (f"{name}={value}\n" for name, value in call.spec.env.items())
    return Script(output=((0, "".join(lines).encode()),))


def show_folder(call: Call) -> Script:
    return Script(output=((0, f"{call.spec.cwd}\n".encode()),))


# A process of a test goes on when the test says so, by a file in its folder.
UNTIL_TOLD = "until test -e go; do sleep 0.02; done"
# A child is another program a moment after it was started.
UNTIL_IT_SLEEPS = "until grep -q sleep /proc/$!/comm; do sleep 0.02; done"
FIRST_AND_SECOND = f"echo first; {UNTIL_TOLD}; echo second"
CLOSED_BEFORE = f"exec >&- 2>&-; {UNTIL_TOLD}; exit 4"
HELD_OPEN = f"sleep 600 & {UNTIL_IT_SLEEPS}; echo done; {UNTIL_TOLD}"
LEAVES_A_SLEEPER = f"setsid sleep 600 >/dev/null 2>&1 & {UNTIL_IT_SLEEPS}; echo left"

# What a shell does with the text, and what the fake is told to do.
ANSWERS = "while read -r line; do echo got $line; done"
SCRIPTS: dict[str, Script] = {
    "echo out; echo err >&2; echo out again; exit 3": Script(
        output=((0, b"out\nerr\nout again\n"),), exit_code=3
    ),
    "cat; echo end of input": Script(output=((0, b"end of input\n"),)),
    "kill -9 $$": Script(exit_code=137),
    FIRST_AND_SECOND: Script(output=((0, b"first\n"), (0.4, b"second\n")), seconds=0.4),
    CLOSED_BEFORE: Script(seconds=0.3, exit_code=4),
    "trap 'echo stopped; exit 5' INT; echo ready; sleep 600 >/dev/null 2>&1 & wait": Script(
        output=((0, b"ready\n"),),
        seconds=None,
        reactions={Signal.INTERRUPT: Reaction(5, b"stopped\n")},
    ),
    "trap '' INT TERM; echo ready; while :; do sleep 60; done": Script(
        output=((0, b"ready\n"),),
        seconds=None,
        reactions={Signal.INTERRUPT: Reaction(None), Signal.TERMINATE: Reaction(None)},
    ),
    "set -m; sleep 600 & echo ready; wait": Script(output=((0, b"ready\n"),), seconds=None),
    HELD_OPEN: Script(output=((0, b"done\n"),), holds=600, orphans=("sleep",)),
    "head -c 3000000 /dev/zero": Script(output=((0, bytes(3000000)),)),
    LEAVES_A_SLEEPER: Script(output=((0, b"left\n"),), orphans=("sleep",)),
    "echo ready; exec sleep 600": Script(output=((0, b"ready\n"),), seconds=None),
    ANSWERS: Script(seconds=None, answer=lambda data: b"got " + data),
}
SENDS_OUTPUT = "echo x=1 >> $OUT"
PATIENCE = 60


class Case(NamedTuple):
    maker: Sandboxes
    sandbox: Sandbox
    layout: Layout
    where: str = "host"

    def start(self, text: str, **env: str) -> Process:
        spec = ProcessSpec(
            argv=("bash", "-c", text), env={**self.layout.env, **env}, cwd=self.layout.workspace
        )
        return self.sandbox.start(spec)

    def run(self, text: str, **env: str) -> tuple[int, str]:
        started = self.start(text, **env)
        output = read_all(started)
        return started.wait(), output.decode()

    def tell(self) -> None:
        """Let a process go on that waits for it."""
        self.sandbox.put(f"{self.layout.workspace}/go", b"")

    def paths(self, *patterns: str) -> list[str]:
        found = self.sandbox.search(self.layout.workspace, patterns, digests=False)
        return [file.path.removeprefix(self.layout.workspace) for file in found]

    def text(self, path: str) -> str | None:
        stream = self.sandbox.get(f"{self.layout.workspace}/{path}")
        if stream is None:
            return None
        with stream:
            return stream.read().decode()


def read_all(started: Process) -> bytes:
    chunks = []
    while data := started.read(None):
        assert len(data) <= 1 << 20
        chunks.append(data)
    return b"".join(chunks)


def read_until(started: Process, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        data = started.read(PATIENCE)
        assert data, f"{text!r} is not in {seen!r}"
        seen += data
    return seen


def maker(kind: str, folder: Path) -> Sandboxes:
    if kind == "scripted":
        rules = [Rule(f"^bash -c {pattern(text)}$", script) for text, script in SCRIPTS.items()]
        rules += [
            Rule("-c env", show_environment),
            Rule("-c pwd", show_folder),
            Rule(">> .OUT", Script(writes={"OUT": b"x=1\n"})),
        ]
        return ScriptedSandboxes(rules, FakeClock(automatic=True), FakeIds())
    adopt = become_subreaper if kind == "host" else bool
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return HostSandboxes(str(folder / "state"), SystemIds(), environ, adopt, search_disk)


@pytest.fixture
def drains(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return what changes how long a child that keeps an output open is waited for (seconds)."""

    def change(seconds: float) -> None:
        for module in (process, container_process):
            monkeypatch.setattr(module, "DRAIN_SECONDS", seconds)

    return change


def pattern(text: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in text)


class Docker:
    """One container for all tests, made anew after those that end it."""

    def __init__(self, folder: Path, host: str, image: str) -> None:
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "DOCKER_HOST": host}
        folders = {f"TRUNKLINE_{name}": f"{folder}/{name}" for name in ("STATE", "WORK", "CACHE")}
        self.maker = System(read({**environ, **folders})).sandboxes
        self._image = image
        self._case: Case | None = None

    def case(self) -> Case:
        """Return the place, with a container that runs and no files."""
        if self._case is not None and not self._is_whole(self._case):
            self._case = None
        if self._case is None:
            where = f"docker:{self._image}"
            sandbox = self.maker.open(where)
            self._case = Case(self.maker, sandbox, sandbox.prepare(PLACE), where)
            quiet = Watch(lambda _: None, lambda: False)
            sandbox.containers.begin(ContainerSpec(image=self._image), {}, quiet)
        containers = self._case.sandbox.containers
        if isinstance(containers, JobContainers) and containers.processes():
            self._case.start("kill -9 -1").wait()  # all but the first process
        for folder in (self._case.layout.workspace, self._case.layout.tool_cache):
            outside = self._case.layout.outside(folder)
            assert outside is not None
            for path in Path(outside).iterdir():
                remove_tree(str(path)) if path.is_dir() else path.unlink()
        return self._case

    def _is_whole(self, case: Case) -> bool:
        event = case.sandbox.get(case.layout.event_path)
        if event is not None:
            event.close()
        return event is not None

    def close(self) -> None:
        """Remove the container."""
        if self._case is not None:
            self._case.sandbox.tear_down(keep=False)


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Docker]:
    made = Docker(tmp_path_factory.mktemp("docker"), engine.host, image(engine, "debian"))
    yield made
    made.close()


@pytest.fixture(params=["host", "host without orphans", "scripted", "docker"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param == "docker":
        yield request.getfixturevalue("docker").case()
        return
    makes = maker(request.param, tmp_path)
    sandbox = makes.open("host")
    yield Case(makes, sandbox, sandbox.prepare(PLACE))
    sandbox.tear_down(keep=False)
