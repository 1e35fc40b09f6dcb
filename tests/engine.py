"""The fixtures of tests with containers: an engine, its images, and proof that nothing is left on it.

Where no engine answers, tests are skipped with the reason; with TRUNKLINE_REQUIRE_CONTAINERS set,
as in continuous integration, they fail instead.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests import docker_engine
from tests.docker_engine import Engine, locked
from tests.images import Lacking
from tests.podman import own_podman


@contextmanager
def needed() -> Iterator[None]:
    """Skip the test that asked for what this machine lacks, or fail it where it is required."""
    try:
        yield
    except Lacking as lack:
        if os.environ.get("TRUNKLINE_REQUIRE_CONTAINERS"):
            pytest.fail(f"containers are required here, but {lack}", pytrace=False)
        pytest.skip(f"no containers here: {lack}")


def image(engine: Engine, name: str) -> str:
    """Return the tag of one of the images of `tests.images`."""
    with needed():
        return engine.image(name)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Return a Docker Engine that answers."""
    with needed():
        return docker_engine.found()


@pytest.fixture(scope="session")
def docker_host(engine: Engine) -> str:
    """Return the address of a Docker Engine that answers."""
    return engine.host


@pytest.fixture(scope="session")
def busybox_image(engine: Engine) -> str:
    """Return a small image: busybox with all its applets, a root user, /tmp. It has no bash."""
    return image(engine, "busybox")


@pytest.fixture(scope="session")
def debian_image(engine: Engine) -> str:
    """Return an image of Debian's smallest system with bash and what node needs to run."""
    return image(engine, "debian")


@pytest.fixture(scope="session")
def redis_image(engine: Engine) -> str:
    """Return an image of Debian's Redis: it serves on 6379 and has `redis-cli`."""
    return image(engine, "redis")


@pytest.fixture(scope="session")
def postgres_image(engine: Engine) -> str:
    """Return an image of Debian's PostgreSQL on 5432, told by the variables of Docker Hub's.

    POSTGRES_PASSWORD is needed; POSTGRES_USER and POSTGRES_DB are honoured; it has `pg_isready`
    and `psql`.
    """
    return image(engine, "postgres")


@pytest.fixture(scope="session")
def podman_served() -> Iterator[Engine]:
    """Yield a Podman of its own, spoken to as a Docker Engine."""
    with ExitStack() as stack:
        with needed():
            engine = stack.enter_context(own_podman())
        yield engine


@pytest.fixture
def podman(podman_served: Engine) -> Iterator[Engine]:
    """Lend a Podman of its own; no other one of a test has networks meanwhile.

    They number the machine's bridges from what is there: two would take the same one.
    """
    with locked("podman"):
        yield podman_served


@pytest.fixture
def podman_busybox(podman: Engine) -> str:
    """Return the tag of the busybox image on Podman."""
    return image(podman, "busybox")


class EmptyRegistry(BaseHTTPRequestHandler):
    """A registry that has no image."""

    def do_GET(self) -> None:
        body = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
        is_here = self.path == "/v2/"
        self.send_response(HTTPStatus.OK if is_here else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def absent_image() -> Iterator[str]:
    """Yield the name of an image whose registry answers that it does not have it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyRegistry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}/no/such:1"
        server.shutdown()


@pytest.fixture
def killed_engines() -> Iterator[None]:
    """Let no other test kill engines or sweep meanwhile: a sweep takes what any of them left."""
    with locked("killed-engines"):
        yield
