"""Images at a real engine: built by its own builder, named, found."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.commands import Place
from tests.docker_engine import Engine
from tests.ports import reserved_port
from tests.served_registry import registry
from tests.unit.adapters.docker.jobs import Job, job
from trunkline.adapters.docker import images as docker_images
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import BuildSpec, ImageFacts, Login, Watch


@pytest.fixture
def host(engine: Engine, tmp_path: Path) -> Iterator[Job]:
    with job(engine, tmp_path, "") as made:
        yield made


@pytest.fixture
def name(engine: Engine) -> Iterator[str]:
    made = f"trunkline-test/built:{os.urandom(5).hex()}"
    yield made
    for tag in (made, f"{made}-too"):
        if engine.docker("image", "ls", "--quiet", tag):
            engine.docker("rmi", "--force", tag)


def write(made: Job, **files: str) -> BuildSpec:
    """Write a context's files (`_` for `.` in names); return what builds it."""
    for path, text in files.items():
        made.sandbox.put(f"{made.layout.workspace}/app/{path}", text.encode())
    context = f"{made.layout.workspace}/app"
    return BuildSpec(context=context, dockerfile=f"{context}/Dockerfile")


def test_a_build_does_what_it_is_told(host: Job, name: str, busybox_image: str) -> None:
    dockerfile = f"""
FROM {busybox_image} AS first
ARG WHO=nobody
COPY . /app
RUN echo "built for $WHO" | tee /who; grep -c . /proc/net/dev >/dev/null; ls /app
FROM first AS second
RUN exit 1
"""
    spec = write(
        host,
        Dockerfile=dockerfile,
        kept="k",
        **{
            "left.log": "l",
            "sub/deep.log": "d",
            ".dockerignore": "# logs\n**/*.log\n!sub/deep.log\n",
        },
    )
    found = host.sandbox.containers.images.build(
        BuildSpec(
            context=spec.context,
            dockerfile=spec.dockerfile,
            tags=(name, f"{name}-too"),
            args={"WHO": "you"},
            labels={"a": "b"},
            target="first",
            no_cache=True,
            ulimits=("nofile=100:200",),
            add_hosts=("db:10.0.0.1",),
            shm_size=8 << 20,
        ),
        host.watch,
    )
    assert {name, f"{name}-too"} <= set(found.tags)
    assert found.labels == {"a": "b"}
    assert found.id.startswith("sha256:")
    assert (found.os, found.architecture) == ("linux", "amd64")
    assert "built for you" in host.told
    assert {"kept", "sub"} <= set(host.told)
    assert "left.log" not in host.told
    assert any(line.startswith("Step 1/") for line in host.told)
    shown = host.engine.docker("run", "--rm", name, "find", "/app", "-type", "f")
    assert "/app/sub/deep.log" in shown.splitlines()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FROM {image}\nRUN exit 7\n", "returned a non-zero code: 7"),
        ("FROM {image}\nNONSENSE x\n", "unknown instruction: NONSENSE"),
        ("FROM {image}\nCOPY missing /\n", "COPY failed"),
        ("\n", "file with no instructions"),
    ],
)
def test_a_dockerfile_s_error_is_the_builder_s_own(
    host: Job, busybox_image: str, text: str, problem: str
) -> None:
    spec = write(host, Dockerfile=text.format(image=busybox_image))
    with pytest.raises(Unavailable) as raised:
        host.sandbox.containers.images.build(spec, host.watch)
    assert problem in raised.value.message


def test_a_context_or_dockerfile_that_is_not_there_is_told(host: Job) -> None:
    spec = write(host, other="x")
    with pytest.raises(Unavailable, match=r"no such file: .*/app/Dockerfile"):
        host.sandbox.containers.images.build(spec, host.watch)
    missing = BuildSpec(context=f"{spec.context}/nowhere", dockerfile="Dockerfile")
    with pytest.raises(Unavailable, match=r'path ".*/app/nowhere" not found'):
        host.sandbox.containers.images.build(missing, host.watch)


def test_a_dockerfile_may_be_outside_its_context(host: Job, name: str, busybox_image: str) -> None:
    spec = write(
        host, **{"docker/Dockerfile.x": f"FROM {busybox_image}\nCOPY here /\n", "src/here": "h"}
    )
    host.sandbox.containers.images.build(
        BuildSpec(
            context=f"{spec.context}/src",
            dockerfile=f"{spec.context}/docker/Dockerfile.x",
            tags=(name,),
        ),
        host.watch,
    )
    assert host.engine.docker("run", "--rm", name, "cat", "/here") == "h"


def test_a_build_that_nobody_wants_any_more_ends(host: Job, busybox_image: str) -> None:
    spec = write(host, Dockerfile=f"FROM {busybox_image}\nRUN echo begun; sleep 1000\n")
    cancelled = threading.Event()

    def tell(line: str) -> None:
        host.told.append(line)
        if line == "begun":
            cancelled.set()

    begin = time.monotonic()
    with pytest.raises(Unavailable, match=r"The operation was canceled\."):
        host.sandbox.containers.images.build(spec, Watch(tell, cancelled.is_set))
    assert time.monotonic() - begin < 300


def test_an_image_of_this_machine_alone_is_used_as_it_is(host: Job, busybox_image: str) -> None:
    found = host.sandbox.containers.images.pull(busybox_image, None, host.watch)
    assert host.told == [
        f"The image {busybox_image} is this machine's own; no registry is asked for it."
    ]
    assert found.env["PATH"]
    assert host.sandbox.containers.images.pull(found.id, None, host.watch) == found
    assert host.sandbox.containers.images.inspect("trunkline-test/missing:1") is None


@pytest.fixture
def reserved() -> Iterator[int]:
    """Yield a port where nobody listens but whom a test lets."""
    with reserved_port() as port:
        yield port


def test_a_registry_is_asked_only_for_names_of_its_own(
    host: Job, name: str, busybox_image: str, tmp_path: Path, reserved: int
) -> None:
    spec = write(host, Dockerfile=f"FROM {busybox_image}\nENV MARK={name}\n")
    host.sandbox.containers.images.build(replace(spec, tags=(name,)), host.watch)
    address = f"127.0.0.1:{reserved}"
    with registry(Place(tmp_path / "machine"), "--listen", address):
        there = f"{address}/team/app:1"
        host.engine.docker("tag", name, there)
        host.engine.docker("push", there)
    try:
        host.told.clear()
        found = host.sandbox.containers.images.pull(name, None, host.watch)
        assert [each.partition("@")[0] for each in found.digests] == [there.rpartition(":")[0]]
        assert host.told == [
            f"The image {name} is this machine's own; no registry is asked for it."
        ]
        assert host.sandbox.containers.images.pull(there, None, host.watch).id == found.id
        assert host.told[-1] == f"The image {there} of this machine is used."
        assert "connection refused" in host.told[-2]
    finally:
        host.engine.docker("rmi", there)


@pytest.mark.parametrize(
    ("reference", "digest", "is_from_there"),
    [
        ("busybox:1", "busybox", True),
        ("docker.io/library/busybox", "busybox", True),
        ("octo/cat", "docker.io/octo/cat", True),
        ("octo/cat", "localhost:5000/octo/cat", False),
        ("busybox", "octo/busybox", False),
        ("localhost/cat", "localhost/cat", False),
        ("0" * 64, "busybox", False),
    ],
)
def test_digests_belong_to_repositories(
    reference: str, digest: str, *, is_from_there: bool
) -> None:
    facts = ImageFacts(id="sha256:1", digests=(f"{digest}@sha256:{'a' * 64}",))
    assert docker_images.is_from_registry(reference, facts) is is_from_there


def test_an_image_that_can_not_be_had_is_tried_three_times(
    host: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_images, "SHORTEST_PAUSE", 0.0)
    monkeypatch.setattr(docker_images, "LONGEST_PAUSE", 0.01)
    login = Login(server="localhost:1", username="me", password="secret")  # noqa: S106 - a test's
    with pytest.raises(Unavailable, match=r"localhost:1/x/y:1 can't be pulled: .*refused"):
        host.sandbox.containers.images.pull("localhost:1/x/y:1", login, host.watch)
    assert sum("back off" in line for line in host.told) == 2
    assert not any("secret" in line for line in host.told)


def test_a_name_that_is_none_is_told_at_once(host: Job) -> None:
    with pytest.raises(Unavailable, match="must be lowercase"):
        host.sandbox.containers.images.pull("NotLower", None, host.watch)
    with pytest.raises(Unavailable, match="invalid reference format"):
        host.sandbox.containers.images.tag("x", "no:such:name")
    assert not any("back off" in line for line in host.told)
