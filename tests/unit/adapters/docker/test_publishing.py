"""Pushes of jobs that share names at one engine: each sends what it means."""

from __future__ import annotations

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Place
from tests.docker_engine import Engine
from tests.served_registry import registry
from trunkline.adapters.docker.publishing import Publisher
from trunkline.adapters.docker.wire import Message, Wire

PATIENCE = 60
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Kept:
    """A registry on loopback, as a rehearsal's."""

    def __init__(self, address: str) -> None:
        self._address = address

    def address(self) -> str:
        return self._address

    def find(self, repository: str, reference: str) -> str:
        try:
            with self._manifest(repository, reference) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            error.close()
            return ""

    def size(self, repository: str, digest: str) -> int:
        return len(self.image(repository, digest))

    def image(self, repository: str, digest: str) -> str:
        """Return the id of the image that a manifest is of."""
        with self._manifest(repository, digest) as answer:
            return str(json.load(answer)["config"]["digest"])

    def _manifest(self, repository: str, reference: str):
        url = f"http://{self._address}/v2/{repository}/manifests/{reference}"
        request = urllib.request.Request(url, headers={"Accept": MANIFEST})
        return urllib.request.urlopen(request, timeout=PATIENCE)  # noqa: S310


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with registry(Place(tmp_path / "machine")) as served:
        yield Kept(served.address)


@pytest.fixture
def name(engine: Engine) -> Iterator[str]:
    made = f"ghcr.io/trunkline-test/shared:{os.urandom(5).hex()}"
    yield made
    if engine.docker("image", "ls", "--quiet", made):
        engine.docker("rmi", "--force", made)


@pytest.fixture
def two(engine: Engine, busybox_image: str) -> Iterator[list[str]]:
    """Yield the ids of two images."""
    made = [_committed(engine, busybox_image, text) for text in ("first", "second")]
    yield made
    for image in made:
        engine.docker("rmi", "--force", image)


def _committed(engine: Engine, base: str, text: str) -> str:
    container = engine.docker("create", base)
    try:
        return engine.docker("commit", "--change", f"LABEL is={text}", container)
    finally:
        engine.docker("rm", container)


def publisher(engine: Engine, kept: Kept) -> Publisher:
    """Return what one job pushes by."""
    return Publisher(Wire(engine.host, dict(os.environ)), kept)


def hear_nothing(_: Message) -> None:
    """Take what an engine tells."""


def test_the_image_that_is_meant_is_pushed_whatever_has_its_name_by_now(
    engine: Engine, kept: Kept, name: str, two: list[str]
) -> None:
    mine, others = two
    engine.docker("tag", others, name)
    done = publisher(engine, kept).push(name, {}, hear_nothing, mine)
    repository = done.kept_as.rpartition(":")[0]
    assert (done.image_id, kept.image(repository, done.digest)) == (mine, mine)
    done = publisher(engine, kept).push(name, {}, hear_nothing)
    assert (done.image_id, kept.image(repository, done.digest)) == (others, others)


def test_a_push_to_a_registry_of_this_machine_sends_what_is_meant(
    engine: Engine, kept: Kept, two: list[str]
) -> None:
    mine, others = two
    there = f"{kept.address()}/team/shared:1"
    engine.docker("tag", others, there)
    try:
        done = publisher(engine, kept).push(there, {}, hear_nothing, mine)
        assert kept.image("team/shared", done.digest) == mine
    finally:
        engine.docker("rmi", there)


def test_a_digest_is_that_of_the_push_whatever_has_its_tag_by_now(
    engine: Engine, kept: Kept, name: str, two: list[str]
) -> None:
    mine, others = two
    asked: list[str] = []

    class Moved(Kept):
        """A registry in which another push comes right behind each."""

        def find(self, repository: str, reference: str) -> str:
            if not asked:
                asked.append(reference)
                publisher(engine, kept).push(name, {}, hear_nothing, others)
            return super().find(repository, reference)

    engine.docker("tag", mine, name)
    done = publisher(engine, Moved(kept.address())).push(name, {}, hear_nothing)
    repository, _, tag = done.kept_as.rpartition(":")
    assert asked
    assert kept.image(repository, done.digest) == mine
    assert kept.image(repository, kept.find(repository, tag)) == others


def test_two_jobs_push_one_name_at_once(
    engine: Engine, kept: Kept, name: str, two: list[str]
) -> None:
    mine, others = two
    second_is_there = threading.Event()
    digests: dict[str, str] = {}

    def push_others() -> None:
        def tell(_: Message) -> None:  # the first message comes before its turn
            second_is_there.set()

        digests[others] = publisher(engine, kept).push(name, {}, tell, others).digest

    second = threading.Thread(target=push_others)

    def tell(message: Message) -> None:
        if message.get("progressDetail") is not None and not second.is_alive():
            if not second_is_there.is_set():
                second.start()
            assert second_is_there.wait(PATIENCE)

    done = publisher(engine, kept).push(name, {}, tell, mine)
    second.join(PATIENCE)
    repository = done.kept_as.rpartition(":")[0]
    assert second_is_there.is_set()
    assert kept.image(repository, done.digest) == mine
    assert kept.image(repository, digests[others]) == others
