"""Sends requests to real servers over HTTPS, through the user's proxy where there is one."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from base64 import b64encode
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from trunkline.base.errors import Unavailable, UsageError
from trunkline.ports.image_store import Stream
from trunkline.ports.upstream import Sending

PIECE = 1 << 16
# Seconds without a byte.
PATIENCE = 60


class HttpUpstream:
    """See the port `Upstream`. Every request has a connection of its own."""

    def send(self, request: Sending) -> HttpAnswer:
        """Return the answer to a request."""
        parts = urlsplit(request.url)
        connection = _connection(parts)
        headers, body = dict(request.headers), None
        if request.content is not None:
            body = _pieces(request.content)
            known = request.length is not None
            headers |= (
                {"Content-Length": str(request.length)}
                if known
                else {"Transfer-Encoding": "chunked"}
            )
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        try:
            chunked = "Transfer-Encoding" in headers
            connection.request(request.method, target, body, headers, encode_chunked=chunked)
            return HttpAnswer(connection, parts.netloc)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Unavailable(f"{parts.hostname} can't be asked: {error}") from error
        except BaseException:
            connection.close()
            raise


class HttpAnswer:
    """See the port `Received`."""

    def __init__(self, connection: http.client.HTTPConnection, host: str) -> None:
        self._connection = connection
        self._host = host
        self._response = connection.getresponse()

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Return the headers."""
        return self._response.getheaders()

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes of the body."""
        try:
            return self._response.read(size)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{self._host} broke off: {error}") from error

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()
        self._connection.close()


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http" and _is_this_machine(host):
        return http.client.HTTPConnection(host, parts.port, timeout=PATIENCE, blocksize=PIECE)
    if parts.scheme != "https" or not host:
        raise UsageError(
            f"Nothing is sent to {parts.scheme}://{parts.netloc}: tokens go by HTTPS alone."
        )
    context = ssl.create_default_context()
    proxy = "" if proxy_bypass(host) else getproxies().get("https", "")
    place = urlsplit(proxy if "://" in proxy or not proxy else f"http://{proxy}")
    first, port = (place.hostname, place.port) if place.hostname else (host, parts.port)
    connection = http.client.HTTPSConnection(
        first, port, timeout=PATIENCE, context=context, blocksize=PIECE
    )
    if place.hostname:
        connection.set_tunnel(host, parts.port or 443, _login(place))
    return connection


def _login(place: SplitResult) -> dict[str, str]:
    """Return the header by which a proxy lets its users through."""
    if place.username is None:
        return {}
    pair = f"{unquote(place.username)}:{unquote(place.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode('ascii')}"}


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pieces(content: Stream) -> Iterator[bytes]:
    while data := content.read(PIECE):
        yield data
