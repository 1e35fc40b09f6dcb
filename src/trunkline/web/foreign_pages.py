"""Keeps the web pages of other sites away from services that trust this machine."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
from werkzeug.wrappers import Response

from trunkline.run.api_host import HOSTS

# What containers call the machine that they run on: nobody can have these in the DNS.
HOST_NAMES = frozenset(
    {"host.docker.internal", "gateway.docker.internal", "host.containers.internal"}
)
LOCAL = "localhost"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
# A page's own requests, and those that a person makes by typing an address.
OWN_SITES = frozenset({"", "same-origin", "none"})
HOST = re.compile(r"(?:\[(?P<ipv6>[^]]*)\]|(?P<name>[^:]*))(?::[0-9]*)?")


class NoForeignPages:
    """Answers for an application whatever a page of another site may have sent.

    A page can give its own name an address of this machine (DNS rebinding), and then reads and
    writes as the services' own page would: the Host header tells. And it can send what a form can
    send, without reading the answer: `Sec-Fetch-Site` and `Origin` tell (Fetch standard), which
    only browsers send. Hosts of GitHub, from which actions are led here, show nobody's pages. `names`
    are more names that the services have; None: any will do.
    """

    def __init__(self, application: WSGIApplication, names: Iterable[str] | None = ()) -> None:
        self._application = application
        own = {LOCAL, socket.gethostname().lower(), *HOST_NAMES, *HOSTS}
        self._names = None if names is None else own.union(name.lower() for name in names)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        host = environ.get("HTTP_HOST", "")
        if not self._is_ours(host):
            told = (
                f"'{host}' is not a name of this machine: use localhost or its address"
                " (a registry gets other names with --url)"
            )
            return _refusal(421, told)(environ, start)
        if environ["REQUEST_METHOD"] not in READING and _is_of_another_site(environ, host):
            return _refusal(403, "a page of another site asks for this")(environ, start)
        return self._application(environ, start)

    def _is_ours(self, host: str) -> bool:
        """Tell whether a Host header names this machine; only HTTP/1.0 may leave it out."""
        if self._names is None or not host:
            return True
        found = HOST.fullmatch(host)
        if found is None:
            return False
        name = (found["ipv6"] or found["name"] or "").lower().removesuffix(".")
        return name in self._names or name.endswith(f".{LOCAL}") or _is_address(name)


def _is_address(name: str) -> bool:
    """Tell whether a host is an IP address: a page can't give it to its own site."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_of_another_site(environ: WSGIEnvironment, host: str) -> bool:
    if environ.get("HTTP_SEC_FETCH_SITE", "") not in OWN_SITES:
        return True
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and origin.partition("://")[2].lower() != host.lower()


def _refusal(status: int, message: str) -> Response:
    """Return an error as registries tell it, with GitHub's `message` beside it."""
    told = {"code": "DENIED", "message": message, "detail": {}}
    body = msgspec.json.encode({"message": message, "errors": [told]})
    line = f"{status} {HTTPStatus(status).phrase}"
    return Response(body, line, content_type="application/json")
