"""The container engine: one connection for all jobs, and its words when it refuses."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import RemoteDisconnected
from typing import Any
from urllib.parse import quote

from docker import APIClient
from docker.errors import APIError, BuildError, DockerException
from docker.tls import TLSConfig
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import RequestException, Timeout

from trunkline.adapters.docker.address import HOW_TO_GET_ONE
from trunkline.adapters.docker.streams import Connection
from trunkline.adapters.docker.wire import Wire, certificates, is_secret
from trunkline.base.errors import Unavailable

# Starting and removing take long on a busy machine; pulls, builds and waits have no limit.
PATIENCE = 300
# The body of a request that starts a command and becomes its output.
START_EXEC = b'{"Detach":false,"Tty":false}'
ADDRESSES = "DOCKER_HOST is unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST."
GONE = "The container engine does not answer any more"
WHAT_IS_LEFT = "What it still has of this job, the next `trunkline run` that reaches it removes."
NO_ENGINE_ANSWERS = "What listens at {} is no container engine."


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
        raise Unavailable(f"{GONE}: {_reason(error)}", hint=WHAT_IS_LEFT) from error
    except DockerException as error:
        raise Unavailable(str(error), hint=HOW_TO_GET_ONE) from error


def _reason(error: BaseException) -> str:
    """Return why there is no answer, in the system's words: libraries wrap them twice."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        if isinstance(inner, RemoteDisconnected):
            return str(inner)
        inner = inner.__cause__ or inner.__context__
    return str(error)


def words(error: DockerException) -> str:
    """Return what the engine said, as Docker's client tells it."""
    if isinstance(error, APIError):
        return f"Error response from daemon: {error.explanation or error.response}"
    return str(error)


class Engine:
    """A connection to the engine. Thread-safe. `client` raises the library's own errors.

    `left_volumes` are those of jobs that have ended, which other jobs used then.
    """

    def __init__(self, client: APIClient, wire: Wire) -> None:
        self.client = client
        self.wire = wire
        self.left_volumes: set[str] = set()

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
        raise Unavailable(f"unable to parse docker host `{address}`", hint=ADDRESSES)
    wire = Wire(address, environ)
    # The library would ask itself, and with the settings of the proxy that images come through.
    try:
        version = str(wire.call("GET", "/version")["ApiVersion"])
    except (KeyError, TypeError) as error:
        raise Unavailable(NO_ENGINE_ANSWERS.format(address), hint=HOW_TO_GET_ONE) from error
    except Unavailable as error:
        error.hint = error.hint or HOW_TO_GET_ONE
        raise
    with refusals():
        client = APIClient(address, version, PATIENCE, tls=_tls(address, environ) or False)
    client.trust_env = False
    return Engine(client, wire)


def _tls(address: str, environ: Mapping[str, str]) -> TLSConfig | None:
    if not is_secret(address, environ):
        return None
    folder = certificates(environ)
    own = (f"{folder}/cert.pem", f"{folder}/key.pem")
    authority = f"{folder}/ca.pem"
    return TLSConfig(own if os.path.exists(own[0]) else None, authority, verify=True)


def escaped(text: str) -> str:
    """Return a name as a part of a request's path."""
    return quote(text, safe="")
