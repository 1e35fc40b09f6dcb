"""Logins of a rehearsal: believed without asking, kept for pulls, never written down."""

from __future__ import annotations

import binascii
import threading
from base64 import b64decode
from collections.abc import Mapping

import msgspec

from trunkline.adapters.docker.publishing import encoded_login
from trunkline.adapters.docker.registry_logins import REHEARSAL_TOKEN

HUB = "docker.io"
HUB_NAMES = frozenset({"", "docker.io", "index.docker.io", "registry-1.docker.io"})


class Logins:
    """What scripts logged in with, by registry. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Mapping[str, str]] = {}

    def remember(self, login: Mapping[str, str]) -> None:
        """Take a login for its registry."""
        with self._lock:
            self._known[host_of(login.get("serveraddress", ""))] = login

    def real(self, login: Mapping[str, str], host: str = "") -> Mapping[str, str]:
        """Return the login that a script meant, {} when it is not known."""
        if _says_something(login):
            return login
        with self._lock:
            return self._known.get(host_of(login.get("serveraddress", "") or host), {})

    def header(self, text: str, host: str) -> str:
        """Return the X-Registry-Auth to send for one that a client sent, '' for none."""
        sent = decoded_login(text)
        found = self.real(sent, host)
        if found is sent:
            return text
        return encoded_login(found) if found else ""

    def table(self, text: str) -> str:
        """Return the X-Registry-Config (logins by registry, for builds) to send."""
        sent = _decoded(text)
        known = {
            host: self.real(login, host) for host, login in sent.items() if isinstance(login, dict)
        }
        return encoded_login({host: login for host, login in known.items() if login})


def _says_something(login: Mapping[str, str]) -> bool:
    """Tell whether a login holds credentials that a registry may know."""
    token = login.get("identitytoken")
    known = (login.get(key) for key in ("password", "registrytoken", "auth"))
    return any(known) or bool(token and token != REHEARSAL_TOKEN)


def decoded_login(text: str) -> dict[str, str]:
    """Return what an X-Registry-Auth says, {} when it says nothing that can be read."""
    return {name: value for name, value in _decoded(text).items() if isinstance(value, str)}


def logins_of(text: str) -> dict[str, dict[str, str]]:
    """Return what an X-Registry-Config says, by the registries' hosts."""
    return {
        host_of(server): {name: value for name, value in login.items() if isinstance(value, str)}
        for server, login in _decoded(text).items()
        if isinstance(login, dict)
    }


def host_of(server: str) -> str:
    """Return a registry's `host[:port]` in lower case, of an address as logins name it."""
    host = server.partition("://")[2] or server
    host = host.partition("/")[0].lower()
    return HUB if host in HUB_NAMES else host


def _decoded(text: str) -> dict[str, object]:
    try:
        plain = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=False)
        found = msgspec.json.decode(plain)
    except (binascii.Error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
