"""TLS to an engine that listens on TCP: one thread owns the connection, which two must not use at once."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import suppress

# What may wait in one direction, and what is read at once.
MOST, PIECE = 256 << 10, 64 << 10


def plain_end(outer: socket.socket, context: ssl.SSLContext, host: str) -> socket.socket:
    """Return a socket without TLS that leads to the other side of `outer`, a connection to `host`.

    It may be read and written by two threads at once, and be half closed: what the other side
    sends is read to its end, whenever ours comes (RFC 8446, section 6.1). `outer` is owned from
    now on. Raises OSError when the handshake fails.
    """
    session = _Session(context, host)
    try:
        _shake_hands(outer, session)
    except OSError:
        outer.close()
        raise
    near, far = socket.socketpair()
    bridge = _Bridge(outer, session, far)
    threading.Thread(target=bridge.carry, name="engine-tls", daemon=True).start()
    return near


class _Session:
    """One side of a TLS connection, which keeps apart what is read, written and on its way."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._received = ssl.MemoryBIO()
        self._to_send = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._to_send, server_hostname=host)
        self.is_over = False

    def shake_hands(self) -> bool:
        """Go on with the handshake; tell whether it is done. Raises ssl.SSLError."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypted(self) -> bytes:
        """Return what is to be sent now."""
        return self._to_send.read()

    def encrypt(self, data: bytes) -> None:
        """Say something to the other side."""
        self._tls.write(data)

    def end(self) -> None:
        """Say that no more will come.

        OpenSSL looks for the other side's end at once and takes nothing else for it: all that
        was received has been decrypted by now.
        """
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()

    def received(self, data: bytes) -> None:
        """Take what came over the connection, b'' at its end."""
        if data:
            self._received.write(data)
        else:
            self._received.write_eof()

    def decrypted(self) -> bytes:
        """Return all that the other side has said by now. Raises ssl.SSLError."""
        parts: list[bytes] = []
        with suppress(ssl.SSLWantReadError):
            while not self.is_over:
                try:
                    parts.append(self._tls.read(PIECE))
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    self.is_over = True
                else:
                    self.is_over = not parts[-1]
        return b"".join(parts)


def _shake_hands(outer: socket.socket, session: _Session) -> None:
    while True:
        try:
            is_done = session.shake_hands()
        finally:  # the other side is told what is wrong with it
            outer.sendall(session.encrypted())
        if is_done:
            return
        session.received(outer.recv(PIECE))


class _Bridge:
    """Carries bytes between a connection with TLS and a plain socket."""

    def __init__(self, outer: socket.socket, session: _Session, plain: socket.socket) -> None:
        self._outer = outer
        self._session = session
        self._plain = plain
        self._outward = bytearray()
        self._inward = bytearray(session.decrypted())
        self._is_outward_over = False
        self._is_left = False

    def carry(self) -> None:
        """Carry until the other side has said all, or nobody is here who would hear it."""
        for each in (self._outer, self._plain):
            each.settimeout(0)
        with self._outer, self._plain, suppress(OSError):
            while self._is_wanted():
                self._wait()
                for step in (self._take_plain, self._send, self._receive, self._give_plain):
                    with suppress(BlockingIOError):
                        step()
            self._stop_listening()

    def _is_wanted(self) -> bool:
        if self._is_left:
            return bool(self._outward) or not self._is_outward_over
        return bool(self._inward) or not self._session.is_over

    def _wait(self) -> None:
        outer = 0 if self._session.is_over or len(self._inward) >= MOST else select.POLLIN
        plain = 0 if self._is_outward_over or len(self._outward) >= MOST else select.POLLIN
        waiting = select.poll()
        if outer or self._outward:
            waiting.register(self._outer, outer | (select.POLLOUT if self._outward else 0))
        if plain or not self._is_left:
            waiting.register(self._plain, plain | (select.POLLOUT if self._inward else 0))
        for ready, events in waiting.poll():
            if ready == self._plain.fileno() and events & select.POLLHUP:
                self._is_left = True

    def _take_plain(self) -> None:
        if self._is_outward_over or len(self._outward) >= MOST:
            return
        data = self._plain.recv(PIECE)
        if data:
            self._session.encrypt(data)
        else:
            self._is_outward_over = True
            self._session.end()
        self._outward += self._session.encrypted()

    def _send(self) -> None:
        try:
            if self._outward:
                del self._outward[: self._outer.send(self._outward)]
        except (BrokenPipeError, ConnectionResetError):
            self._stop_listening()  # what it said is still read

    def _stop_listening(self) -> None:
        """Take no more input: whoever writes notices it, and can still read to the end."""
        self._outward.clear()
        self._is_outward_over = True
        self._plain.shutdown(socket.SHUT_RD)
        while self._plain.recv(PIECE):
            continue

    def _receive(self) -> None:
        if self._session.is_over or len(self._inward) >= MOST:
            return
        try:
            self._session.received(self._outer.recv(PIECE))
        except ConnectionResetError:
            self._session.received(b"")
        self._inward += self._session.decrypted()
        self._outward += self._session.encrypted()  # answers of TLS itself

    def _give_plain(self) -> None:
        if self._inward:
            del self._inward[: self._plain.send(self._inward)]
