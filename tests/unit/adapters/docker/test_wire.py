"""Connections to engines: over Unix sockets, TCP and TLS, and what they say when there is none."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trunkline.adapters.docker.wire import EngineRefused, Wire
from trunkline.base.errors import Unavailable

PATIENCE = 60
LARGE = 4 << 20


@contextmanager
def serving(
    server: socket.socket, serve: Callable[[socket.socket], None]
) -> Iterator[threading.Thread]:
    """Serve one connection in a thread."""

    def accept() -> None:
        connection, _ = server.accept()
        with connection:
            serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    with server:
        yield thread
        thread.join(PATIENCE)
        assert not thread.is_alive()


def answering(text: bytes) -> Callable[[socket.socket], None]:
    """Return what answers a request with this."""

    def serve(connection: socket.socket) -> None:
        while b"\r\n\r\n" not in connection.recv(65536, socket.MSG_PEEK):
            pass
        connection.recv(65536)
        connection.sendall(text)

    return serve


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"unix://{tmp_path}/s"


@contextmanager
def engine(address: str, text: bytes) -> Iterator[Wire]:
    server = socket.socket(socket.AF_UNIX)
    server.bind(address.removeprefix("unix://"))
    server.listen()
    with serving(server, answering(text)):
        yield Wire(address, {})


def answer(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def test_an_answer_is_json(address: str) -> None:
    with engine(address, answer("200 OK", b'{"Id": "x"}')) as wire:
        assert wire.call("GET", "/images/x/json") == {"Id": "x"}


def test_an_empty_answer_is_nothing(address: str) -> None:
    with engine(address, answer("201 Created", b"")) as wire:
        assert wire.call("POST", "/images/x/tag", {"repo": "y"}) is None


def test_a_refusal_has_the_engines_words(address: str) -> None:
    with (
        engine(address, answer("404 Not Found", b'{"message": "No such image: x"}')) as wire,
        pytest.raises(EngineRefused, match="No such image: x") as told,
    ):
        wire.call("GET", "/images/x/json")
    assert told.value.status == 404


def test_a_refusal_without_json_is_told_as_it_is(address: str) -> None:
    with (
        engine(address, answer("500 Internal Server Error", b"boom\n")) as wire,
        pytest.raises(EngineRefused, match=r"^boom$"),
    ):
        wire.call("GET", "/x")


def test_progress_comes_message_by_message_and_ends_with_its_error(address: str) -> None:
    lines = b'{"status":"a"}\r\n\r\n[]\r\n{"errorDetail":{"message":"denied"},"error":"denied"}\r\n'
    with engine(address, answer("200 OK", lines)) as wire:
        messages = wire.stream("POST", "/images/x/push", {"tag": "1"}, "e30=")
        assert next(messages) == {"status": "a"}
        with pytest.raises(EngineRefused, match="denied"):
            next(messages)


def test_an_engine_that_stops_in_its_answer_is_told(address: str) -> None:
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    with engine(address, broken) as wire, pytest.raises(Unavailable, match="stopped answering"):
        wire.call("GET", "/x")


@pytest.mark.parametrize(
    "address",
    ["unix:///nowhere/s", "tcp://127.0.0.1:1", "ssh://host", "nonsense", "npipe:////./pipe/x"],
)
def test_an_engine_that_is_not_there_is_told(address: str) -> None:
    with pytest.raises(Unavailable, match=r"Cannot connect|can't be used"):
        Wire(address, {}).call("GET", "/_ping")


# --- TLS --------------------------------------------------------------------------------


def certify(folder: Path) -> Path:
    """Make a certificate that vouches for itself."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl makes the certificates, and is not here")
    folder.mkdir()
    argv = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    files = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")]
    subprocess.run([program, *argv, *files], check=True, capture_output=True)
    return folder


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    return certify(tmp_path / "certificates")


@contextmanager
def secret_engine(certificates: Path, serve: Callable[[socket.socket], None]) -> Iterator[Wire]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "ca.pem", certificates / "key.pem")
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]

    def serve_secret(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secret:
            serve(secret)

    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
    with serving(server, serve_secret):
        yield Wire(f"tcp://127.0.0.1:{port}", environ)


def read_all(connection: socket.socket) -> bytes:
    found = bytearray()
    while data := connection.recv(1 << 16):
        found += data
    return bytes(found)


def test_an_engine_behind_tls_is_spoken_to(certificates: Path) -> None:
    def serve(connection: socket.socket) -> None:
        assert b"/_ping" in connection.recv(65536)
        connection.sendall(answer("200 OK", b"{}"))

    with secret_engine(certificates, serve) as wire:
        assert wire.call("GET", "/_ping") == {}


def test_both_ways_are_used_at_once_and_half_closed(certificates: Path) -> None:
    def serve(connection: socket.socket) -> None:
        sending = threading.Thread(target=connection.sendall, args=(b"a" * 1000,))
        sending.start()
        sending.join(PATIENCE)
        total = 0
        while total < LARGE:
            total += len(connection.recv(1 << 16))
        connection.sendall(b"b" * LARGE)

    with secret_engine(certificates, serve) as wire, wire.connect() as connection:
        connection.settimeout(PATIENCE)
        sending = threading.Thread(target=connection.sendall, args=(b"x" * LARGE,))
        sending.start()
        found = read_all(connection)
        sending.join(PATIENCE)
        assert found == b"a" * 1000 + b"b" * LARGE


def test_the_input_s_end_reaches_the_engine(certificates: Path) -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        heard.append(connection.recv(100))
        heard.append(connection.recv(100))
        connection.sendall(b"output after it")

    with secret_engine(certificates, serve) as wire, wire.connect() as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(b"input")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b"output after it"
    assert heard == [b"input", b""]


def test_output_that_is_on_its_way_when_the_input_ends_is_read(certificates: Path) -> None:
    has_ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        assert connection.recv(100) == b"input"
        connection.sendall(b"a" * LARGE)  # more than may wait anywhere: it is read during the end
        assert has_ended.wait(PATIENCE)
        connection.sendall(b"b" * LARGE)
        assert connection.recv(100) == b""
        connection.sendall(b"c" * LARGE)

    with secret_engine(certificates, serve) as wire, wire.connect() as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(b"input")
        assert connection.recv(1) == b"a"
        connection.shutdown(socket.SHUT_WR)
        has_ended.set()
        assert read_all(connection) == b"a" * (LARGE - 1) + b"b" * LARGE + b"c" * LARGE


def test_what_an_engine_said_before_it_broke_off_is_read(certificates: Path) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"refused" * 1000)
        connection.shutdown(socket.SHUT_RDWR)  # without TLS's own end

    with secret_engine(certificates, serve) as wire, wire.connect() as connection:
        connection.settimeout(PATIENCE)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):  # it is not heard any more
            connection.sendall(b"x" * 16 * LARGE)
        assert read_all(connection) == b"refused" * 1000


def test_a_connection_that_is_left_here_ends_at_the_engine(certificates: Path) -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        heard.append(read_all(connection))

    with secret_engine(certificates, serve) as wire:
        connection = wire.connect()
        connection.sendall(b"x" * LARGE)
        connection.close()
    assert heard == [b"x" * LARGE]


def test_a_certificate_that_nobody_vouches_for_is_refused(certificates: Path) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "ca.pem", certificates / "key.pem")
    other = certify(certificates / "other")

    def serve(connection: socket.socket) -> None:
        with pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(connection, server_side=True)

    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(other)}
    with serving(server, serve):
        wire = Wire(f"tcp://127.0.0.1:{server.getsockname()[1]}", environ)
        with pytest.raises(Unavailable, match="Cannot connect"):
            wire.call("GET", "/_ping")
