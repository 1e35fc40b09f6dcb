"""Jobs at a real container engine, for tests: made with an image, removed with what they have."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.docker_engine import Engine
from trunkline.app import Choices, System
from trunkline.ports.containers import Begun, ContainerSpec, Watch
from trunkline.ports.process import Process, ProcessSpec
from trunkline.ports.sandbox import JobPlace, Layout, Sandbox
from trunkline.settings import read


class Job(NamedTuple):
    engine: Engine
    system: System
    sandbox: Sandbox
    layout: Layout
    image: str
    told: list[str]

    @property
    def watch(self) -> Watch:
        return Watch(self.told.append, lambda: False)

    def begin(self, services: Mapping[str, ContainerSpec] | None = None, **more: Any) -> Begun:
        spec = ContainerSpec(**{"image": self.image, **more})
        return self.sandbox.containers.begin(spec, services or {}, self.watch)

    def start(self, *argv: str, **env: str) -> Process:
        whole = {**self.layout.env, **env}
        return self.sandbox.start(ProcessSpec(argv=argv, env=whole, cwd=self.layout.workspace))

    def run(self, *argv: str, **env: str) -> tuple[int, str]:
        process = self.start(*argv, **env)
        found = b""
        while data := process.read(None):
            found += data
        return process.wait(), found.decode()

    def sh(self, text: str) -> str:
        code, output = self.run("sh", "-c", text)
        assert code == 0, output
        return output

    def text(self, path: str) -> str | None:
        stream = self.sandbox.get(path)
        if stream is None:
            return None
        with stream:
            return stream.read().decode()

    def inspect(self, container: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", container))
        return found[0]


@contextmanager
def job(
    engine: Engine, folder: Path, image: str, choices: Choices | None = None, **environ: str
) -> Iterator[Job]:
    """Prepare a job in an image; everything of it goes at the end."""
    home = {"PATH": os.environ["PATH"], "HOME": str(folder), "DOCKER_HOST": engine.host}
    folders = {f"TRUNKLINE_{name}": f"{folder}/{name}" for name in ("STATE", "WORK", "CACHE")}
    system = System(read({**home, **folders, **environ}), choices)
    try:
        with job_of(system, engine, image) as made:
            yield made
    finally:
        system.close()


@contextmanager
def job_of(system: System, engine: Engine, image: str) -> Iterator[Job]:
    """Prepare a job of a system, beside others."""
    where = f"docker:{image}" if image else "host"
    place = JobPlace(
        run_id=os.urandom(6).hex(), key="build", where=where, repository="octo/cat", event="{}"
    )
    sandbox = system.sandboxes.open(where)
    try:
        yield Job(engine, system, sandbox, sandbox.prepare(place), image, [])
    finally:
        sandbox.tear_down(keep=False)
