"""What of a real engine's things is a job's, and what is somebody else's."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.docker_engine import Engine
from trunkline.adapters.docker.proxy.belongings import Belongings
from trunkline.adapters.docker.wire import Wire

NAME = f"trunkline-test-{os.urandom(5).hex()}"
LABELS = {"mine": NAME, "job": "build"}


@pytest.fixture
def belongings(engine: Engine) -> Belongings:
    return Belongings(Wire(engine.host, {}), LABELS)


@pytest.fixture(params=["job's", "other job's", "user's"])
def labels(request: pytest.FixtureRequest) -> list[str]:
    """Return the client's options for labels."""
    other = {**LABELS, "job": "test"}
    chosen = {"job's": {**LABELS, "more": "1"}, "other job's": other, "user's": {}}[request.param]
    return [word for name, value in chosen.items() for word in ("--label", f"{name}={value}")]


@pytest.fixture
def is_ours(labels: list[str]) -> bool:
    return "more=1" in labels


def test_containers(
    engine: Engine, belongings: Belongings, busybox_image: str, labels: list[str], *, is_ours: bool
) -> None:
    made = engine.docker("create", "--name", NAME, *labels, busybox_image, "true")
    try:
        found = [belongings.has_container(name) for name in (NAME, made, made[:12])]
    finally:
        engine.docker("rm", NAME)
    assert found == [is_ours] * 3


def test_networks(
    engine: Engine, belongings: Belongings, labels: list[str], *, is_ours: bool
) -> None:
    engine.docker("network", "create", *labels, NAME)
    try:
        assert belongings.has_network(NAME) is is_ours
    finally:
        engine.docker("network", "rm", NAME)
    assert not belongings.has_network("bridge")


def test_volumes(
    engine: Engine, belongings: Belongings, labels: list[str], *, is_ours: bool
) -> None:
    engine.docker("volume", "create", *labels, NAME)
    try:
        assert belongings.has_volume(NAME) is is_ours
    finally:
        engine.docker("volume", "rm", NAME)


@pytest.mark.parametrize("name", ["none-of-this-name", "../info", "a b", ""])
def test_what_is_not_there_is_nobody_s(belongings: Belongings, name: str) -> None:
    assert not belongings.has_container(name)
    assert not belongings.has_network(name)
    assert not belongings.has_volume(name)


@pytest.fixture
def names(engine: Engine) -> Iterator[tuple[str, str]]:
    """Yield two names for images; those that are there go."""
    both = (f"{NAME}:1", f"{NAME}:2")
    yield both
    for name in both:
        if engine.docker("image", "ls", "--quiet", name):
            engine.docker("rmi", name)


def test_images_that_were_here_before_stay(
    engine: Engine, belongings: Belongings, busybox_image: str, names: tuple[str, str]
) -> None:
    users, jobs = names
    engine.docker("tag", busybox_image, users)
    belongings.look_at_images()
    assert not belongings.may_remove_image(users)
    assert belongings.may_remove_image(jobs)  # it is not here: the engine says so
    # A name that a script gave may be taken away again, the image and its other names not.
    engine.docker("tag", busybox_image, jobs)
    belongings.name_images([jobs])
    assert belongings.may_remove_image(jobs)
    assert belongings.may_remove_image(f"docker.io/library/{jobs}")
    assert not belongings.may_remove_image(users)
    image = engine.docker("image", "ls", "--quiet", "--no-trunc", jobs)
    assert not belongings.may_remove_image(image)


def test_images_that_came_with_the_job_may_go(
    engine: Engine, belongings: Belongings, busybox_image: str, names: tuple[str, str]
) -> None:
    belongings.look_at_images()
    engine.docker("create", "--name", NAME, busybox_image, "true")
    try:
        image = engine.docker("commit", "--change", f"ENV A={NAME}", NAME, names[0])
    finally:
        engine.docker("rm", NAME)
    belongings.look_at_images()  # only the first look counts
    assert belongings.may_remove_image(image)
    assert belongings.may_remove_image(names[0])
