"""A job for native actions in tests: a real host sandbox, and what the action said."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trunkline.adapters.artifacts.folder import FolderArtifacts
from trunkline.adapters.buckets.memory import MemoryBuckets
from trunkline.adapters.caches.memory import MemoryCaches
from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.adapters.file_search import search_disk
from trunkline.adapters.forges.git import GitForge
from trunkline.adapters.parameters.memory import MemoryParameters
from trunkline.adapters.sandboxes.host.sandbox import HostSandboxes
from trunkline.adapters.toolchains.node import NodeToolchain
from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionFailed
from trunkline.ports.process import ProcessSpec
from trunkline.ports.sandbox import JobPlace, Sandbox


def world(root: Path, source: Path, **changes: Any) -> World:
    """Return a world whose stores lie below `root`."""
    made = World(
        forge=GitForge(root / "cache", offline=True),
        artifacts=FolderArtifacts(root / "runs", FakeClock(), SystemIds()),
        caches=MemoryCaches(FakeClock()),
        toolchains=NodeToolchain(root / "cache", os.environ, offline=True),
        parameters=MemoryParameters,
        buckets=lambda: MemoryBuckets(()),
        clock=FakeClock(),
        source=str(source),
        cache=str(root / "cache"),
        environment=os.environ,
    )
    return made._replace(**changes)


class LocalJob:
    """An `ActionJob` that keeps what it is told."""

    def __init__(self, state: Path, environ: Mapping[str, str], key: str = "build") -> None:
        sandboxes = HostSandboxes(str(state), SystemIds(), environ, bool, search_disk)
        self.sandbox: Sandbox = sandboxes.open("host")
        place = JobPlace(run_id="1", key=key, where="host", repository="octo/demo", event="{}")
        self.layout = self.sandbox.prepare(place)
        self.env = {
            **self.layout.env,
            "GITHUB_WORKSPACE": self.layout.workspace,
            "RUNNER_TEMP": self.layout.temp,
            "RUNNER_TOOL_CACHE": self.layout.tool_cache,
        }
        self.workspace = Path(self.layout.workspace)
        self.lines: list[str] = []
        self.lent: list[str] = []
        self.annotations: list[tuple[str, str]] = []
        self.outputs: dict[str, str] = {}
        self.exported: dict[str, str] = {}
        self.paths: list[str] = []
        self.state: dict[str, str] = {}
        self.stored: list[tuple[str, str, int, int, str]] = []
        self.built: list[tuple[str, str, str]] = []
        self.masks: list[str] = []

    def log(self, line: str) -> None:
        self.lines.append(line)

    def annotate(self, level: str, message: str) -> None:
        self.annotations.append((level, message))

    def mask(self, values: Sequence[str]) -> None:
        self.masks += values

    def set_output(self, name: str, value: str) -> None:
        self.outputs[name] = value

    def set_env(self, name: str, value: str) -> None:
        self.exported[name] = self.env[name] = value

    def add_path(self, path: str) -> None:
        self.paths.insert(0, path)
        self.env["PATH"] = f"{path}:{self.env['PATH']}"

    def save_state(self, name: str, value: str) -> None:
        self.state[name] = value

    def artifact_stored(self, name: str, digest: str, size: int, files: int, path: str) -> None:
        self.stored.append((name, digest, size, files, path))

    def image_built(self, image_id: str, base_name: str, base_digest: str) -> None:
        self.built.append((image_id, base_name, base_digest))

    def run(
        self, argv: Sequence[str], *, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> int:
        code, output = self.capture(argv, cwd=cwd, env=env)
        self.lines += output.splitlines()
        return code

    def capture(
        self, argv: Sequence[str], *, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        whole = {**self.env, **(env or {})}
        program = self.sandbox.find(argv[0], whole["PATH"])
        if program is None:
            raise ActionFailed(f"{argv[0]}: command not found")
        process = self.sandbox.start(
            ProcessSpec(argv=(program, *argv[1:]), env=whole, cwd=cwd or self.layout.workspace)
        )
        output = bytearray()
        while data := process.read(None):
            output += data
        return process.wait(), output.decode("utf-8", "replace")

    def lend(self, folder: str) -> None:
        self.lent.append(folder)

    def is_cancelled(self) -> bool:
        return False

    def shell(self, script: str, cwd: Path | None = None) -> str:
        """Run a script as a later step would; return its output, failing loudly."""
        code, output = self.capture(["bash", "-ec", script], cwd=str(cwd or self.workspace))
        assert code == 0, output
        return output.strip()

    def call(self, uses: str, github: Mapping[str, object], **inputs: str) -> ActionCall:
        """Return a call with inputs; `_` in their names stands for `-`."""
        return ActionCall(
            uses=uses,
            inputs={name.replace("_", "-"): value for name, value in inputs.items()},
            env=dict(self.env),
            github=github,
            run_id="1",
            job_key="build",
            state=dict(self.state),
        )
