"""Serves a WSGI application on a socket, with threads: in a process of its own, or beside a run."""

from __future__ import annotations

import errno
import logging
import os
import re
import ssl
import sys
import threading
import time
import traceback as tracebacks
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from wsgiref.types import WSGIApplication

import msgspec
from cheroot import ssl as cheroot_ssl
from cheroot import wsgi

from trunkline.base.errors import NotFound, Unavailable, UsageError
from trunkline.web.body import BodyError
from trunkline.web.connection import LONGEST_HEAD, Connection, Gateway, Request

THREADS = 32
# Seconds without a byte after which a connection ends.
IDLE = 60
# Connections that wait for their next request; more are closed.
MOST_WAITING = 512
# How long requests may go on when the server stops.
LAST_REQUESTS = 5
IN_USE = "Stop the program that uses it, or choose another port (0: any free one)."
NOT_OURS = "Choose an address of this machine, and a port that this user may listen on."
ERRNO = re.compile(r"\[Errno [^]]*\] ([^)]*)")


class Tls(msgspec.Struct, frozen=True):
    """Paths of a certificate (with its chain) and of its key, in PEM."""

    certificate: str
    key: str


class Server:
    """A server that answers until it is stopped. `url` is where."""

    def __init__(self, inner: _Cheroot, host: str) -> None:
        self._inner = inner
        self._host = host
        self._failed: OSError | None = None
        self._listens = threading.Event()
        # cheroot's threads are daemons as this one is: whoever forgets to stop can still end.
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """Return the port, which was chosen by the system when 0 was asked for."""
        return int(self._inner.bind_addr[1])

    @property
    def url(self) -> str:
        """Return the address without a slash at its end."""
        scheme = "https" if self._inner.ssl_adapter is not None else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self.port}"

    def start(self) -> Self:
        """Listen, and answer in threads of our own. Raises Unavailable."""
        self._thread.start()
        self._listens.wait()
        if self._failed is not None:
            told = (ERRNO.findall(str(self._failed)) or [str(self._failed)])[-1]
            where = f"{self._host}:{self._inner.bind_addr[1]}"
            raise Unavailable(
                f"The address {where} can't be listened on: {told}.",
                hint=IN_USE if told == os.strerror(errno.EADDRINUSE) else NOT_OURS,
            ) from self._failed
        return self

    def stop(self) -> None:
        """Stop listening, and end what goes on: soon by itself, else by force. Never raises twice."""
        self._inner.stop()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._inner.prepare()
        except OSError as error:
            self._failed = error
            return
        finally:
            self._listens.set()
        self._inner.serve()


def serve(
    application: WSGIApplication,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls: Tls | None = None,
    threads: int = THREADS,
    log: Callable[[str], None] | None = None,
) -> Server:
    """Start to serve an application; `port` 0 takes a free one.

    `log` hears one line a request. Applications read bodies from `wsgi.input`, which raises
    `web.body.BodyError` (an OSError) for one that ends before its end. Raises Unavailable when the
    address can't be had, NotFound and UsageError for a certificate that can't be used.
    """
    # Meant for a parent that systemd started: cheroot would take file descriptor 3 for its socket.
    os.environ.pop("LISTEN_PID", None)
    inner = _Cheroot((host, port), application, numthreads=threads, max=threads)
    inner.log = log
    if tls is not None:
        inner.ssl_adapter = _TlsAdapter(tls)
    return Server(inner, host).start()


class _Cheroot(wsgi.Server):
    """cheroot's server, with our connections, bounds and log."""

    ConnectionClass = Connection
    max_request_header_size = LONGEST_HEAD
    keep_alive_conn_limit = MOST_WAITING
    expiration_interval = 0.1  # also how long a stop takes
    request_queue_size = 128
    log: Callable[[str], None] | None = None

    def __init__(
        self,
        address: tuple[str, int],
        application: WSGIApplication,
        *,
        numthreads: int,
        max: int,  # noqa: A002
    ) -> None:
        super().__init__(
            address,
            application,
            numthreads=numthreads,
            max=max,
            server_name="trunkline",
            request_queue_size=128,
            timeout=IDLE,
            shutdown_timeout=LAST_REQUESTS,
        )
        self.gateway = Gateway

    @staticmethod
    def bind_socket(socket_: Any, bind_addr: tuple[str, int]) -> Any:
        """Bind a socket; close it when that fails."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_

    def process_conn(self, conn: Connection) -> None:
        """Let a connection wait for its first byte without a thread; then answer it."""
        if conn.last_used is not None:
            super().process_conn(conn)
        elif self.can_add_keepalive_connection:
            self.put_conn(conn)
        else:
            conn.close()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002
        """Tell a fault of ours; that clients go away or break TLS is none."""
        theirs = isinstance(
            sys.exc_info()[1], ConnectionError | TimeoutError | ssl.SSLError | BodyError
        )
        if level >= logging.WARNING and not theirs:
            told = tracebacks.format_exc() if traceback else ""
            sys.stderr.write(f"trunkline: the web server: {msg}\n{told}")

    def tell_request(self, request: Request) -> None:
        """Tell one line of a request that was answered."""
        if self.log is not None:
            spent = (time.monotonic() - request.started) * 1000
            line = f"{request.method.decode('latin-1')} {request.uri.decode('latin-1')}"
            self.log(
                f'{request.conn.remote_addr} "{line}" {request.code} {request.sent} {spent:.0f}ms'
            )


class _TlsAdapter(cheroot_ssl.Adapter):
    """TLS 1.2 and newer. The handshake is left to the thread that answers."""

    def __init__(self, tls: Tls) -> None:
        super().__init__(tls.certificate, tls.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(tls.certificate, tls.key, password="")
        except FileNotFoundError as error:
            raise NotFound(f"{tls.certificate} or {tls.key} is not there.") from error
        except ssl.SSLError as error:
            mixed = error.reason == "KEY_VALUES_MISMATCH"
            raise UsageError(
                f"{tls.certificate} and {tls.key} are no certificate with its key.",
                hint="The key is another's."
                if mixed
                else "Both are PEM; the key has no passphrase.",
            ) from error
        except OSError as error:
            told = f"{tls.certificate} or {tls.key} can't be read: {error.strerror}"
            raise UsageError(told) from error
        self.context = context

    def bind(self, sock: Any) -> Any:
        """Return the listening socket as it is."""
        return sock

    def wrap(self, sock: Any) -> tuple[Any, dict[str, str]]:
        """Return a client's socket with TLS to come."""
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {}

    def get_environ(self) -> dict[str, str]:
        """Return nothing: applications are told the scheme alone."""
        return {}

    def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> None:
        """Make nothing: connections make their own streams."""
