"""The web server on real sockets: honest clients, broken ones, and hostile ones."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from tests.certificates import Certificate, trusting
from tests.web_clients import GET, HEAD, Echo, answer_of, connect, everything, exchange
from trunkline.base.errors import NotFound, Unavailable, UsageError
from trunkline.web.server import Server, Tls, serve

CONTRADICTORY = (
    b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)


def test_a_body_of_known_length(server: Server) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for size in (0, 5, 3_000_000):
        client.request("PUT", "/", body=b"x" * size)
        assert client.getresponse().read() == str(size).encode()
    client.close()


def test_a_body_in_chunks(server: Server) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(2):
        client.request("PATCH", "/", body=iter([b"x" * 100_000] * 11), encode_chunked=True)
        assert client.getresponse().read() == b"1100000"
    client.close()


def test_requests_one_after_the_other_on_one_connection(server: Server) -> None:
    chunked = b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    first = chunked + b"3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"
    second = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n" + HEAD + b"\r\nab"
    last = b"GET / HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n"
    answer = exchange(server, first + second + last)
    assert [part[-1:] for part in answer.split(b"HTTP/1.1 200 OK")] == [b"", b"3", b"2", b"0"]


def test_a_response_of_unknown_length(server: Server) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(2):
        client.request("GET", "/stream")
        assert client.getresponse().read() == b"onetwo"
    client.close()


def test_head_has_no_body(server: Server) -> None:
    answer = exchange(server, b"HEAD /refuse HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"Content-Length: 2\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_accept_lines_arrive_joined(server: Server) -> None:
    lines = b"Accept: a/b\r\nAccept: c/d, e/f\r\n"
    answer = exchange(server, b"GET /accept HTTP/1.1\r\n" + HEAD + lines + b"\r\n")
    assert answer.endswith(b"a/b, c/d, e/f")


@pytest.mark.parametrize("raw", ["ü".encode(), b"\xff"])
def test_bytes_beyond_ascii_in_a_url_are_as_if_percent_encoded(server: Server, raw: bytes) -> None:
    for given in (raw, quote_from_bytes(raw).encode()):
        target = b"/told/" + given + b"?a=" + given
        answer = exchange(server, b"GET " + target + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
        quoted = quote_from_bytes(raw)
        told = (f"/told/{raw.decode('latin-1')}", f"a={quoted}", f"/told/{quoted}?a={quoted}")
        assert answer.endswith(ascii(told).encode())


# --- clients that are not what they should be ---------------------------------------------


def test_a_tls_client_on_a_plain_port_is_answered_in_http(server: Server) -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 506
    assert b"\n" not in hello
    with connect(server) as sock:
        sock.sendall(hello)  # and waits, as a client does
        assert everything(sock).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/2.0\r\n\r\n", b"505"),
        (b"GET //[ HTTP/1.1\r\nHost: here\r\n\r\n", b"400"),
        (b"get / HTTP/1.1\r\nHost: here\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: here\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: here\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", b"413"),
        (CONTRADICTORY, b"400"),
    ],
)
def test_what_is_no_request_is_refused(server: Server, request_: bytes, status: bytes) -> None:
    answer = exchange(server, request_)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n12345",
        b"PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
        b"PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n123",
    ],
)
def test_a_body_that_ends_early_is_an_error_to_the_application(
    server: Server, echo: Echo, sent: bytes
) -> None:
    assert not exchange(server, sent).startswith(b"HTTP/1.1 2")
    assert len(echo.errors) == 1


def test_a_refused_client_hears_why_while_it_still_sends(server: Server) -> None:
    with connect(server) as sock:
        sock.sendall(b"PUT /refuse HTTP/1.1\r\nHost: here\r\nContent-Length: 8000000\r\n\r\n")
        sent = threading.Thread(target=lambda: sock.sendall(b"x" * 8_000_000))
        sent.start()
        answer = everything(sock)
        sent.join(10)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"Connection: close" in answer


def test_a_small_body_that_nobody_reads_keeps_the_connection(server: Server) -> None:
    refused = b"PUT /refuse HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n12345"
    answer = exchange(server, refused + refused)
    assert answer.count(b"HTTP/1.1 401 ") == 2


def test_a_body_that_is_held_back_is_asked_for_when_it_is_read(server: Server) -> None:
    head = b"Host: here\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    with connect(server) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\n" + head)
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"12345")
        sock.shutdown(socket.SHUT_WR)
        assert everything(sock).endswith(b"\r\n5")
    with connect(server) as sock:
        sock.sendall(b"PUT /refuse HTTP/1.1\r\n" + head)
        assert everything(sock).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("size", [65_279, 65_280, 65_281, 65_535, 65_536, 65_537])
def test_a_head_as_long_as_what_is_kept_of_it_waits_for_nothing(server: Server, size: int) -> None:
    for begin in (b"GET /", GET[:-2] + b"A: "):
        with connect(server) as sock:
            sock.sendall(begin + b"a" * (size - len(begin) - 4) + b"\r\n\r\n")
            assert answer_of(sock).startswith(b"HTTP/1.1 ")


def test_lines_that_end_otherwise_are_refused_at_once(server: Server) -> None:
    with connect(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\n")
        assert everything(sock).startswith(b"HTTP/1.1 400 ")


def test_a_fault_of_the_application_is_500_and_told(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    get = b"GET /fault HTTP/1.1\r\n" + HEAD + b"\r\n"
    assert exchange(server, get).startswith(b"HTTP/1.1 500 ")
    assert "a fault of the application" in capfd.readouterr().err
    assert exchange(server, get).startswith(b"HTTP/1.1 500 ")


def test_a_response_that_breaks_off_is_seen_to_break(server: Server) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    client.request("GET", "/break")
    with pytest.raises(http.client.IncompleteRead):
        client.getresponse().read()
    client.close()


# --- the server itself --------------------------------------------------------------------


def test_requests_are_told_one_a_line(echo: Echo) -> None:
    lines: list[str] = []
    with serve(echo, log=lines.append) as server:
        exchange(server, b"GET /accept?a=b HTTP/1.1\r\nAccept: x\r\n" + HEAD + b"\r\n")
    assert [line.rpartition(" ")[0] for line in lines] == ['127.0.0.1 "GET /accept?a=b" 200 1']


def test_a_port_that_is_taken_is_told(server: Server, echo: Echo) -> None:
    with pytest.raises(Unavailable, match=f"127.0.0.1:{server.port} .*already in use"):
        serve(echo, port=server.port)


def test_an_address_that_is_not_here_is_told(echo: Echo) -> None:
    with pytest.raises(Unavailable, match=r"192\.0\.2\.1"):
        serve(echo, "192.0.2.1", 5000)


def test_a_request_that_goes_on_is_answered_before_the_end(echo: Echo) -> None:
    server = serve(echo)
    with connect(server) as sock:
        sock.sendall(b"GET /wait HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert echo.entered.wait(10)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        echo.leave.set()
        assert everything(sock).startswith(b"HTTP/1.1 200 ")
        stopping.join(10)
        assert not stopping.is_alive()
    with pytest.raises(OSError, match="refused"):
        connect(server)


def test_it_listens_on_ipv6(echo: Echo) -> None:
    try:
        server = serve(echo, "::1")
    except Unavailable as error:
        pytest.skip(f"no IPv6 here: {error}")
    with server:
        assert server.url == f"http://[::1]:{server.port}"
        with socket.create_connection(("::1", server.port), timeout=10) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert everything(sock).endswith(b"0")


def test_a_socket_that_systemd_gave_to_somebody_else_is_not_taken(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    with serve(echo) as server:
        assert exchange(server, b"GET / HTTP/1.0\r\n\r\n").endswith(b"0")


# --- TLS ----------------------------------------------------------------------------------


@pytest.fixture
def secure(echo: Echo, certificate: Certificate) -> Iterator[Server]:
    with serve(echo, tls=Tls(str(certificate.certificate), str(certificate.key))) as running:
        yield running


def test_https(secure: Server, certificate: Certificate) -> None:
    assert secure.url.startswith("https://")
    context = trusting(certificate)
    client = http.client.HTTPSConnection("127.0.0.1", secure.port, timeout=10, context=context)
    for _ in range(2):
        client.request("PUT", "/", body=iter([b"x" * 50_000] * 40), encode_chunked=True)
        assert client.getresponse().read() == b"2000000"
    client.close()


def test_a_plain_client_on_a_tls_port_is_told(secure: Server) -> None:
    answer = exchange(secure, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"This port speaks HTTPS.")


def test_old_tls_is_refused(secure: Server) -> None:
    # A hello of TLS 1.0 with one of its ciphers; today's libraries do not send such.
    hello = b"\x03\x01" + b"r" * 32 + b"\x00\x00\x02\x00\x2f\x01\x00"
    message = b"\x01" + len(hello).to_bytes(3) + hello
    record = b"\x16\x03\x01" + len(message).to_bytes(2) + message
    answer = exchange(secure, record)
    assert answer[:1] == b"\x15"  # an alert
    assert answer[6] == 70  # protocol_version


def test_a_certificate_that_is_not_there_or_none_is_told(echo: Echo, tmp_path: Any) -> None:
    with pytest.raises(NotFound, match="is not there"):
        serve(echo, tls=Tls(str(tmp_path / "no"), str(tmp_path / "no")))
    (tmp_path / "text").write_text("no certificate")
    with pytest.raises(UsageError, match="no certificate"):
        serve(echo, tls=Tls(str(tmp_path / "text"), str(tmp_path / "text")))
