"""A job with a container engine, and one whose Docker client follows a script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import write
from tests.unit.adapters.actions.docker_build_push.parts import (
    BUILDER,
    CLIENT,
    DOCKERFILE,
    IMAGE_ID,
    KnownImages,
    Place,
    Run,
    call,
    without_docker,
)
from trunkline.adapters.actions.docker_build_push.action import DockerBuildPush


@pytest.fixture
def images(job: LocalJob, tmp_path: Path) -> KnownImages:
    known = KnownImages()
    job.sandbox = Place(job.sandbox, known)  # type: ignore[assignment]
    write(job.workspace, {"Dockerfile": DOCKERFILE, "a.txt": "a\n"})
    job.env["PATH"] = without_docker(tmp_path / "tools")
    job.env["GITHUB_STEP_SUMMARY"] = f"{job.layout.temp}/summary"
    return known


@pytest.fixture
def client(job: LocalJob, run: Run, tmp_path: Path) -> Path:
    """Give the job a Docker client that follows a script; return where the script keeps things."""
    del run  # the job's PATH is set
    here = tmp_path / "client"
    here.mkdir()
    program = here / "docker"
    program.write_text(CLIENT.replace("IID", IMAGE_ID))
    program.chmod(0o755)
    metadata = {"buildx.build.ref": "default/default/x", "containerimage.digest": IMAGE_ID}
    files = {"builder": BUILDER, "inspect-code": "0", "code": "0", "trouble": ""}
    for name, text in {**files, "metadata": json.dumps(metadata)}.items():
        (here / name).write_text(text)
    job.env |= {"PATH": f"{here}:{job.env['PATH']}", "HERE": str(here), "BUILDX_SAYS": "v0.29.1"}
    return here


@pytest.fixture
def run(job: LocalJob, images: KnownImages, tmp_path: Path) -> Run:
    """Return what performs the action's main stage."""
    del images  # the job has an engine

    def main(github: Mapping[str, Any] | None = None, **inputs: str) -> LocalJob:
        action = DockerBuildPush(world(tmp_path, tmp_path / "mine"))
        action.main(call(job, github, **inputs), job)
        return job

    return main
