"""Docker actions' images at a real engine: of each the newest stays, and what a job uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.docker_engine import ALONE, Engine
from tests.unit.adapters.docker.jobs import Job, job
from trunkline.adapters.docker.action_builds import HELD, NEWEST, REMOVED, STAYS
from trunkline.adapters.slugs import slug
from trunkline.ports.containers import BuildSpec


@pytest.fixture
def action(engine: Engine) -> Iterator[str]:
    name = f"{ALONE}/{os.urandom(5).hex()}/Dockerfile"
    yield name
    engine.docker("rmi", newest(name))


@pytest.fixture
def one(engine: Engine, tmp_path: Path) -> Iterator[Job]:
    with job(engine, tmp_path / "one", "") as made:
        yield made


@pytest.fixture
def other(engine: Engine, tmp_path: Path) -> Iterator[Job]:
    with job(engine, tmp_path / "other", "") as made:
        yield made


def newest(action: str) -> str:
    return f"{NEWEST}/{slug(action)}:latest"


def build(made: Job, image: str, action: str, version: str) -> str:
    """Build an action's image in a job; return its id."""
    context = f"{made.layout.workspace}/show"
    dockerfile = f"FROM {image}\nENV VERSION={version}-of-{action}\n"
    made.sandbox.put(f"{context}/Dockerfile", dockerfile.encode())
    spec = BuildSpec(context=context, dockerfile=f"{context}/Dockerfile")
    return made.sandbox.containers.images.build(replace(spec, action=action), made.watch).id


def is_there(engine: Engine, image: str) -> bool:
    return image in engine.docker("image", "ls", "--all", "--quiet", "--no-trunc").split()


def names(engine: Engine, image: str) -> list[str]:
    told = engine.docker("inspect", "--format", '{{join .RepoTags "\\n"}}', image)
    return sorted(told.split())


def debug_lines(made: Job) -> list[str]:
    return [line for line in made.told if line.startswith("##[debug]")]


def test_an_action_that_is_built_anew_replaces_its_image(
    one: Job, busybox_image: str, action: str
) -> None:
    engine = one.engine
    first = build(one, busybox_image, action, "1")
    one.sandbox.containers.end(one.watch)
    assert names(engine, first) == [newest(action)]
    assert build(one, busybox_image, action, "1") == first
    one.sandbox.containers.end(one.watch)
    assert not debug_lines(one)
    second = build(one, busybox_image, action, "2")
    assert debug_lines(one) == [REMOVED.format(first, action)]
    one.sandbox.containers.end(one.watch)
    assert names(engine, second) == [newest(action)]
    assert not is_there(engine, first)
    assert len(debug_lines(one)) == 1


def test_podman_builds_actions_too_and_keeps_the_newest(podman: Engine, tmp_path: Path) -> None:
    busybox, name = podman.image("busybox"), "octo/cat/podman/Dockerfile"
    with job(podman, tmp_path, "") as made:
        first = build(made, busybox, name, "1")
        made.sandbox.containers.end(made.watch)
        assert [each.removeprefix("docker.io/") for each in names(podman, first)] == [newest(name)]
        second = build(made, busybox, name, "2")
        made.sandbox.containers.end(made.watch)
        assert [is_there(podman, each) for each in (first, second)] == [False, True]
        assert debug_lines(made) == [REMOVED.format(first, name)]


def test_what_another_job_uses_stays_until_its_end(
    one: Job, other: Job, busybox_image: str, action: str
) -> None:
    engine = one.engine
    first = build(one, busybox_image, action, "1")
    second = build(other, busybox_image, action, "2")
    [held] = names(engine, first)
    assert held.startswith(f"{HELD}:")
    assert newest(action) in names(engine, second)
    assert debug_lines(other) == [STAYS.format(first, action)]
    one.sandbox.containers.end(one.watch)
    assert not is_there(engine, first)
    assert debug_lines(one) == [REMOVED.format(first, action)]
    other.sandbox.containers.end(other.watch)
    assert names(engine, second) == [newest(action)]


@pytest.mark.usefixtures("killed_engines")
def test_what_a_killed_engine_held_goes_with_the_next_sweep(
    one: Job, busybox_image: str, action: str
) -> None:
    engine = one.engine
    image = build(one, busybox_image, action, "1")
    [held] = (name for name in names(engine, image) if name.startswith(f"{HELD}:"))
    place, _, rest = held.partition(":")[2].partition("-")
    started, token = rest.split("-")[1:]
    dead, elsewhere = (f"{HELD}:{each}-2-{started}-{token}" for each in (place, "0" * 8))
    for name in (dead, elsewhere):
        engine.docker("tag", image, name)
    notes = Path(one.system.settings.work, "containers")
    (notes / "killed").write_text("2 1")
    try:
        one.system.sandboxes.sweep()
        assert names(engine, image) == sorted({elsewhere, held, newest(action)})
        assert [each.name for each in notes.iterdir()] != ["killed"]
    finally:
        engine.docker("rmi", elsewhere)
