"""HTTP with a container engine over its socket, without a library: what the proxy needs of it."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from trunkline.adapters.docker.tls import plain_end
from trunkline.base.errors import Unavailable

# One progress message of the Engine API: {"status": ...}, {"aux": ...}, {"errorDetail": ...}.
Message = Mapping[str, Any]
# A request's method, target, body and headers.
Ask = tuple[str, str, bytes | None, dict[str, str]]

TLS_PORT, PLAIN_PORT = 2376, 2375
# Seconds for a connection to be made; the engine may think about an answer as long as it likes.
PATIENCE = 20
# With TLS 1.3 a client that is not known has been let in before it is turned away.
STRANGER = "Engines behind TLS may know clients by certificates: cert.pem and key.pem in {}."


class EngineRefused(Unavailable):
    """The engine answered with an error; `status` is HTTP's, 200 for one that came in a stream."""

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.status = status


class Wire:
    """Connections to one engine. Thread-safe."""

    def __init__(self, address: str, environ: Mapping[str, str]) -> None:
        """Take the engine's address as in DOCKER_HOST, and the caller's environment.

        DOCKER_TLS_VERIFY and DOCKER_CERT_PATH count for tcp:// as they do for Docker's client.
        """
        self.address = address
        self._environ = environ

    def connect(self) -> socket.socket:
        """Return a new connection. Raises Unavailable."""
        try:
            if self.address.startswith("unix://"):
                return _connect_unix(self.address.removeprefix("unix://"))
            return self._connect_tcp()
        except OSError as error:
            raise Unavailable(
                f"Cannot connect to the Docker daemon at {self.address}. "
                f"Is the docker daemon running? ({error.strerror or error})"
            ) from error

    def _connect_tcp(self) -> socket.socket:
        parts = urlsplit(self.address)
        if parts.scheme not in {"tcp", "http", "https"} or not parts.hostname:
            raise Unavailable(
                f"The container engine at '{self.address}' can't be used.",
                hint="DOCKER_HOST may be unix:///path or tcp://host:port.",
            )
        context = self._tls() if is_secret(self.address, self._environ) else None
        port = parts.port or (TLS_PORT if context else PLAIN_PORT)
        connection = socket.create_connection((parts.hostname, port), PATIENCE)
        if context is not None:
            connection = plain_end(connection, context, parts.hostname)
        connection.settimeout(None)
        return connection

    def _tls(self) -> ssl.SSLContext:
        folder = certificates(self._environ)
        context = ssl.create_default_context(cafile=os.path.join(folder, "ca.pem"))
        certificate = os.path.join(folder, "cert.pem")
        if os.path.exists(certificate):
            context.load_cert_chain(certificate, os.path.join(folder, "key.pem"))
        return context

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Any:
        """Return the JSON answer of a request, None when it is empty; `body` becomes JSON.

        Raises EngineRefused with the engine's words, or Unavailable.
        """
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        target = f"{path}?{urlencode(query)}" if query else path
        with self._exchange((method, target, content, headers)) as answer:
            text = answer.read()
        return _decoded(text) if text.strip() else None

    def stream(
        self, method: str, path: str, query: Mapping[str, str], login: str = ""
    ) -> Iterator[Message]:
        """Yield the progress messages of a push or a pull; `login` is its X-Registry-Auth.

        Raises EngineRefused with the engine's words: at once, or when a message says so.
        """
        headers = {"X-Registry-Auth": login} if login else {}
        target = f"{path}?{urlencode(query)}"
        with self._exchange((method, target, None, headers)) as answer:
            for line in answer:
                if not line.strip():
                    continue
                message = _decoded(line)
                if not isinstance(message, dict):
                    continue
                if message.get("error") or message.get("errorDetail"):
                    raise EngineRefused(_words(message))
                yield message

    def _exchange(self, request: Ask) -> _Exchange:
        is_tls = is_secret(self.address, self._environ)
        hint = STRANGER.format(certificates(self._environ)) if is_tls else ""
        return _Exchange(self.connect(), request, hint)


class _Exchange:
    """One request and its answer; errors of the connection become Unavailable."""

    def __init__(self, connection: socket.socket, request: Ask, hint: str) -> None:
        """Take the connection, and what may help where it ends without an answer."""
        self._hint = hint
        self._client = http.client.HTTPConnection("docker")
        self._client.sock = connection
        self._request = request

    def __enter__(self) -> http.client.HTTPResponse:
        try:
            self._client.request(*self._request)
            answer = self._client.getresponse()
            if answer.status >= 400:
                words = _words(_decoded(answer.read() or b"{}"))
                raise EngineRefused(words or answer.reason, answer.status)
        except (OSError, http.client.HTTPException) as error:
            self._client.close()
            told = f"The container engine does not answer: {error}"
            raise Unavailable(told, hint=self._hint) from error
        except Unavailable:
            self._client.close()
            raise
        return answer

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        self._client.close()
        if isinstance(error, OSError | http.client.HTTPException):
            raise Unavailable(f"The container engine stopped answering: {error}") from error


def is_secret(address: str, environ: Mapping[str, str]) -> bool:
    """Tell whether an engine is spoken to with TLS, as Docker's client decides it."""
    is_tcp = address.startswith(("tcp://", "http://"))
    return address.startswith("https://") or (is_tcp and bool(environ.get("DOCKER_TLS_VERIFY")))


def certificates(environ: Mapping[str, str]) -> str:
    """Return the folder of ca.pem, and perhaps of cert.pem and key.pem."""
    return environ.get("DOCKER_CERT_PATH") or f"{environ.get('HOME', '')}/.docker"


def _connect_unix(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {"message": text.decode("utf-8", "replace").strip()}


def _words(answer: Any) -> str:
    """Return the text of an error: `message` of an answer, `errorDetail` or `error` in a stream."""
    if not isinstance(answer, dict):
        return ""
    detail = answer.get("errorDetail")
    inner = detail.get("message") if isinstance(detail, dict) else ""
    return str(answer.get("message") or inner or answer.get("error") or "")
