"""TLS to an engine that listens on TCP: one thread owns the connection, which two must not use at once."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import suppress

# What may wait in one direction, and what is read at once.
MOST, PIECE = 256 << 10, 64 << 10
WAITS = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)


def plain_end(secret: ssl.SSLSocket) -> socket.socket:
    """Return a socket without TLS that leads to the other side of `secret`.

    It may be read and written by two threads at once, and be half closed.
    """
    near, far = socket.socketpair()
    bridge = _Bridge(secret, far)
    threading.Thread(target=bridge.carry, name="engine-tls", daemon=True).start()
    return near


class _Bridge:
    """Carries bytes between a TLS connection and a plain socket."""

    def __init__(self, secret: ssl.SSLSocket, plain: socket.socket) -> None:
        self._secret = secret
        self._plain = plain
        self._outward = bytearray()
        self._inward = bytearray()
        self._is_outward_over = False
        self._is_inward_over = False
        self._has_told_end = False

    def carry(self) -> None:
        """Carry until the other side has sent all, or one of both is gone."""
        for each in (self._secret, self._plain):
            each.settimeout(0)
        with self._secret, self._plain, suppress(OSError):
            while self._inward or not self._is_inward_over:
                self._wait()
                for step in (self._take_plain, self._give_secret, self._take_secret):
                    with suppress(*WAITS):
                        step()
                with suppress(*WAITS):
                    if self._inward:
                        del self._inward[: self._plain.send(self._inward)]

    def _wait(self) -> None:
        if self._secret.pending() and len(self._inward) < MOST:
            return
        waiting = select.poll()
        secret = 0 if self._is_inward_over or len(self._inward) >= MOST else select.POLLIN
        plain = 0 if self._is_outward_over or len(self._outward) >= MOST else select.POLLIN
        for end, events in (
            (self._secret, secret | (select.POLLOUT if self._outward else 0)),
            (self._plain, plain | (select.POLLOUT if self._inward else 0)),
        ):
            if events:
                waiting.register(end, events)
        waiting.poll()

    def _take_plain(self) -> None:
        if not self._is_outward_over and len(self._outward) < MOST:
            data = self._plain.recv(PIECE)
            self._outward += data
            self._is_outward_over = not data

    def _give_secret(self) -> None:
        if self._outward:
            del self._outward[: self._secret.send(self._outward)]
        if self._is_outward_over and not self._outward and not self._has_told_end:
            self._has_told_end = True
            self._secret.unwrap()  # says that no more will come; what comes is still read

    def _take_secret(self) -> None:
        if not self._is_inward_over and len(self._inward) < MOST:
            data = self._secret.recv(PIECE)
            self._inward += data
            self._is_inward_over = not data
