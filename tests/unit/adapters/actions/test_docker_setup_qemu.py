"""setup-qemu-action: which platforms it tells, and which it misses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.jobs import LocalJob, world
from trunkline.adapters.actions.docker_setup_qemu import DockerSetupQemu

NATIVE = {"X64": "linux/amd64", "ARM64": "linux/arm64"}
ON = "enabled\ninterpreter /usr/bin/qemu\nflags: OCF\noffset 0\n"


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    return LocalJob(tmp_path / "state", os.environ)


@pytest.fixture
def binfmt(tmp_path: Path) -> Path:
    """Return what a kernel tells of its emulators."""
    folder = tmp_path / "binfmt_misc"
    folder.mkdir()
    (folder / "status").write_text("enabled\n", encoding="utf-8")
    (folder / "python3").write_text(ON, encoding="utf-8")
    for name in ("qemu-arm", "qemu-s390x"):
        (folder / name).write_text(ON, encoding="utf-8")
    (folder / "qemu-riscv64").write_text(ON.replace("enabled", "disabled"), encoding="utf-8")
    (folder / "qemu-ppc64le").write_text(ON.replace("OCF", ""), encoding="utf-8")
    return folder


def set_up(job: LocalJob, binfmt: Path, **inputs: str) -> None:
    action = DockerSetupQemu(world(Path(job.layout.temp), job.workspace), str(binfmt))
    action.main(job.call("docker/setup-qemu-action@v4", {}, **inputs), job)


def test_platforms(job: LocalJob, binfmt: Path) -> None:
    set_up(job, binfmt, platforms="all")
    native = NATIVE[job.layout.arch]
    assert job.outputs == {"platforms": f"{native},linux/s390x,linux/arm/v7,linux/arm/v6"}
    assert "Emulators: qemu-arm, qemu-s390x" in job.lines
    assert job.annotations == []


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ("s390x", ""),
        ("linux/arm/v7, arm", ""),
        ("qemu-s390x", ""),
        ("arm64,riscv64", "riscv64"),
        ("linux/ppc64le\nmips64", "linux/ppc64le, mips64"),
    ],
)
def test_what_is_missing_is_a_warning(
    job: LocalJob, binfmt: Path, asked: str, missing: str
) -> None:
    (binfmt / "qemu-aarch64").write_text(ON, encoding="utf-8")
    set_up(job, binfmt, platforms=asked)
    told = [message for _, message in job.annotations]
    assert len(told) == bool(missing)
    assert all(f"no emulator for {missing}:" in message for message in told)


def test_the_machine_itself_needs_no_emulator(job: LocalJob, tmp_path: Path) -> None:
    set_up(job, tmp_path / "none", platforms=NATIVE[job.layout.arch])
    assert job.outputs == {"platforms": NATIVE[job.layout.arch]}
    assert job.annotations == []
    assert any(line.startswith("This machine has no emulators.") for line in job.lines)


def test_what_the_kernel_of_this_machine_tells_can_be_read(job: LocalJob) -> None:
    action = DockerSetupQemu(world(Path(job.layout.temp), job.workspace))
    action.main(job.call("docker/setup-qemu-action@v3", {}), job)
    assert NATIVE[job.layout.arch] in job.outputs["platforms"].split(",")


def test_inputs_without_effect(job: LocalJob, binfmt: Path) -> None:
    set_up(job, binfmt, image="tonistiigi/binfmt:latest", reset="true")
    assert [message.split("'")[1] for _, message in job.annotations] == ["image", "reset"]
