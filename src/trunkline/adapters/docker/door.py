"""A job's own Engine API socket: listening at once, its proxy loaded with the first connection."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable, Mapping

from trunkline.adapters.process_table import identity, is_alive
from trunkline.base.errors import Unavailable

# Serves one connection until it ends.
Serve = Callable[[socket.socket], None]

# A path of a Unix socket has at most 107 bytes (unix(7)); macOS allows 103.
LONGEST_PATH = 103
SUFFIX = ".sock"


class Door:
    """Listens on a Unix socket; every connection is served in a thread of its own. Thread-safe."""

    def __init__(self, environ: Mapping[str, str], token: str, load: Callable[[], Serve]) -> None:
        """Take the caller's environment, a name that no other job has, and what makes the proxy.

        `load` is called with the first connection, once, in a thread of its own.
        """
        self._environ = environ
        self._token = token
        self._load = load
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._serve: Serve | None = None
        self._listener: socket.socket | None = None
        self._path = ""
        self._was_used = False
        self._connections: set[socket.socket] = set()

    @property
    def was_used(self) -> bool:
        """Tell whether anybody has come through it."""
        return self._was_used

    def open(self) -> str:
        """Return the socket's path, listening from now on. Raises Unavailable."""
        with self._lock:
            if self._listener is None:
                self._path = os.path.join(_folder(self._environ), _name(self._token))
                self._listener = _listen(self._path)
                accepting = threading.Thread(
                    target=self._accept, args=(self._listener,), name="engine-door", daemon=True
                )
                accepting.start()
            return self._path

    def close(self) -> None:
        """Stop listening, end every connection and remove the socket's file. Idempotent."""
        with self._lock:
            listener, self._listener = self._listener, None
            open_ones, self._connections = self._connections, set()
        if listener is None:
            return
        _unlink(self._path)
        for each in (listener, *open_ones):
            _shut(each)
        listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            with self._lock:
                if self._listener is not listener:
                    connection.close()
                    return
                self._connections.add(connection)
                self._was_used = True
            threading.Thread(
                target=self._attend, args=(connection,), name="engine-proxy", daemon=True
            ).start()

    def _attend(self, connection: socket.socket) -> None:
        try:
            self._proxy()(connection)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _proxy(self) -> Serve:
        with self._loading:
            if self._serve is None:
                self._serve = self._load()
            return self._serve


def sweep(environ: Mapping[str, str]) -> None:
    """Remove the sockets of engine processes that were killed."""
    for base in _bases(environ):
        try:
            names = os.listdir(base)
        except OSError:
            continue
        for name in names:
            owner = " ".join(name.removesuffix(SUFFIX).split("-")[1:])
            if name.endswith(SUFFIX) and not is_alive(owner):
                _unlink(os.path.join(base, name))


def _name(token: str) -> str:
    """Return a file name that tells whose it is: `<token>-<pid>-<start time>.sock`."""
    return f"{token[:12]}-{identity(os.getpid()).replace(' ', '-')}{SUFFIX}"


def _folder(environ: Mapping[str, str]) -> str:
    """Return a folder for sockets that only this user can enter. Raises Unavailable."""
    for base in _bases(environ):
        if len(os.fsencode(base)) + len(_name("x" * 12)) + 1 <= LONGEST_PATH and _own(base):
            return base
    tried = " or ".join(_bases(environ))
    raise Unavailable(f"The job's Engine API socket has no place: {tried} can't be used.")


def _bases(environ: Mapping[str, str]) -> tuple[str, ...]:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    shared = f"/tmp/trunkline-sockets-{os.geteuid()}"  # noqa: S108 - its owner is checked
    return (f"{runtime}/trunkline", shared) if os.path.isabs(runtime) else (shared,)


def _own(folder: str) -> bool:
    """Make a folder for its owner alone; False when it can't be, or is somebody else's."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    found = os.lstat(folder)
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return is_ours and stat.S_IMODE(found.st_mode) & 0o077 == 0


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        # The folder keeps others out; users inside a container see the socket alone.
        os.chmod(path, 0o666)  # noqa: S103 - see above
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"The job's Engine API socket {path} can't be made: {error.strerror}"
        ) from error
    return listener


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
