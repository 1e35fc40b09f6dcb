"""The container engine: one connection for all jobs, and its words when it refuses."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from docker import APIClient
from docker.errors import APIError, BuildError, DockerException
from docker.tls import TLSConfig
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import RequestException, Timeout

from trunkline.adapters.docker.address import HOW_TO_GET_ONE
from trunkline.adapters.docker.streams import Connection
from trunkline.adapters.docker.wire import Wire
from trunkline.base.errors import Unavailable

# Starting and removing take long on a busy machine; pulls, builds and waits have no limit.
PATIENCE = 300
# The body of a request that starts a command and becomes its output.
START_EXEC = b'{"Detach":false,"Tty":false}'
NO_ANSWER = "Cannot connect to the container engine at {}: {}."


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the library raises into Unavailable, with the engine's own words."""
    try:
        yield
    except (BuildError, APIError) as error:
        raise Unavailable(words(error)) from error
    except Timeout as error:
        raise Unavailable(f"The container engine gave no answer in {PATIENCE} s.") from error
    except (NoConnection, RequestException, OSError) as error:
        raise Unavailable(
            f"Cannot connect to the container engine: {error}", hint=HOW_TO_GET_ONE
        ) from error
    except DockerException as error:
        raise Unavailable(str(error), hint=HOW_TO_GET_ONE) from error


def words(error: DockerException) -> str:
    """Return what the engine said, as Docker's client tells it."""
    if isinstance(error, APIError):
        return f"Error response from daemon: {error.explanation or error.response}"
    return str(error)


class Engine:
    """A connection to the engine. Thread-safe. `client` raises the library's own errors."""

    def __init__(self, client: APIClient, wire: Wire) -> None:
        self.client = client
        self.wire = wire

    def version(self) -> str:
        """Return the newest version of the API that both sides know."""
        return self.client.api_version

    def hijack(self, path: str, body: bytes) -> Connection:
        """POST to a path that answers with a raw stream. Raises Unavailable, OSError.

        The library's own way loses what the engine sends in one packet with its headers.
        """
        connection = Connection(self.socket())
        try:
            connection.upgrade(f"/v{self.version()}{path}", body)
        except BaseException:
            connection.close()
            raise
        return connection

    def create(self, body: dict[str, Any], name: str, platform: str = "") -> dict[str, Any]:
        """Create a container; return its `Id` and `Warnings`. Raises the library's errors."""
        make = self.client.create_container_from_config
        found: dict[str, Any] = make(body, name, platform or None)  # type: ignore[no-untyped-call]
        return found

    def image(self, reference: str) -> dict[str, Any]:
        """Return what the engine says of an image. Raises the library's ImageNotFound."""
        found: dict[str, Any] = self.client.inspect_image(reference)  # type: ignore[no-untyped-call]
        return found

    def stat(self, container: str, path: str) -> str:
        """Return the engine's description of a path in a container (base64), '' if it is absent."""
        url = f"{self.client.base_url}/v{self.version()}/containers/{container}/archive"
        response = self.client.head(url, params={"path": path}, timeout=PATIENCE)
        if response.status_code == 404:
            return ""
        response.raise_for_status()
        return response.headers.get("X-Docker-Container-Path-Stat", "")

    def socket(self) -> socket.socket:
        """Return a new connection to the engine. Raises Unavailable."""
        return self.wire.connect()


def connect(address: str, environ: Mapping[str, str]) -> Engine:
    """Connect to the engine at an address, in the caller's environment. Raises Unavailable."""
    if not address.startswith(("unix://", "tcp://", "http://", "https://")):
        raise Unavailable(f"unable to parse docker host `{address}`")
    tls = _tls(environ) if address.startswith(("tcp://", "https://")) else None
    try:
        client = APIClient(base_url=address, version="auto", timeout=PATIENCE, tls=tls or False)
    except DockerException as error:
        raise Unavailable(NO_ANSWER.format(address, _cause(error)), hint=HOW_TO_GET_ONE) from error
    client.trust_env = False  # the engine is never behind the proxy that images come through
    return Engine(client, Wire(address, environ))


def _cause(error: BaseException) -> str:
    """Return what the machine said at the bottom of the library's error."""
    while error.__context__ is not None:
        error = error.__context__
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _tls(environ: Mapping[str, str]) -> TLSConfig | None:
    """Return Docker's TLS settings (DOCKER_TLS_VERIFY, DOCKER_CERT_PATH)."""
    verify, folder = bool(environ.get("DOCKER_TLS_VERIFY")), environ.get("DOCKER_CERT_PATH", "")
    if not verify and not folder:
        return None
    folder = folder or f"{environ.get('HOME', '')}/.docker"
    with refusals():
        return TLSConfig(
            client_cert=(f"{folder}/cert.pem", f"{folder}/key.pem"),
            ca_cert=f"{folder}/ca.pem",
            verify=verify,
        )


def escaped(text: str) -> str:
    """Return a name as a part of a request's path."""
    return quote(text, safe="")
