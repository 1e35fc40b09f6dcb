"""A job's own Engine API socket: its folder, its connections, its end."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trunkline.adapters.docker.door import LONGEST_PATH, Door, sweep
from trunkline.adapters.process_table import identity
from trunkline.base.errors import Unavailable

PATIENCE = 60


def connect(path: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    try:
        client.connect(path)
    except OSError:
        client.close()
        raise
    return client


def echo(connection: socket.socket) -> None:
    while data := connection.recv(1024):
        connection.sendall(data)


@pytest.fixture
def runtime() -> Iterator[dict[str, str]]:
    # Test folders have long paths.
    with tempfile.TemporaryDirectory(prefix="tl-", dir="/tmp") as folder:
        yield {"XDG_RUNTIME_DIR": folder}


def test_what_serves_is_loaded_with_the_first_connection_and_once(runtime: dict[str, str]) -> None:
    loaded: list[int] = []

    def load() -> Callable[[socket.socket], None]:
        loaded.append(1)
        return echo

    door = Door(runtime, "a" * 32, load)
    path = door.open()
    assert (door.open(), door.was_used, loaded) == (path, False, [])
    with connect(path) as first, connect(path) as second:
        for client, text in ((first, b"one"), (second, b"two")):
            client.sendall(text)
            assert client.recv(10) == text
    assert (door.was_used, loaded) == (True, [1])
    door.close()


def test_the_folder_is_its_owners_and_the_socket_everybodys(runtime: dict[str, str]) -> None:
    door = Door(runtime, "a" * 32, lambda: echo)
    path = Path(door.open())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    assert len(str(path)) <= LONGEST_PATH
    door.close()


def test_closing_ends_connections_and_removes_the_file(runtime: dict[str, str]) -> None:
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        echo(connection)
        ended.set()

    door = Door(runtime, "a" * 32, lambda: serve)
    path = door.open()
    with connect(path) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        door.close()
        assert client.recv(1) == b""
    assert ended.wait(PATIENCE)
    assert not Path(path).exists()
    with pytest.raises(FileNotFoundError):
        connect(path)
    door.close()


def test_a_long_runtime_folder_is_not_used(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    door = Door({"XDG_RUNTIME_DIR": str(long)}, "b" * 32, lambda: echo)
    assert not door.open().startswith(str(long))
    door.close()


def test_a_folder_that_others_can_enter_is_not_used(runtime: dict[str, str]) -> None:
    (Path(runtime["XDG_RUNTIME_DIR"]) / "trunkline").mkdir(mode=0o777)
    (Path(runtime["XDG_RUNTIME_DIR"]) / "trunkline").chmod(0o777)
    door = Door(runtime, "c" * 32, lambda: echo)
    assert not door.open().startswith(runtime["XDG_RUNTIME_DIR"])
    door.close()


def test_a_socket_that_is_there_already_is_told(runtime: dict[str, str]) -> None:
    first, second = (Door(runtime, "d" * 32, lambda: echo) for _ in range(2))
    first.open()
    with pytest.raises(Unavailable, match="can't be made"):
        second.open()
    first.close()


def test_sockets_of_dead_engines_are_swept_and_others_stay(runtime: dict[str, str]) -> None:
    door = Door(runtime, "e" * 32, lambda: echo)
    path = Path(door.open())
    dead = path.parent / "ffffffffffff-4194399-17.sock"
    other = path.parent / "notes"
    for each in (dead, other):
        each.write_text("")
    sweep(runtime)
    assert not dead.exists()
    assert other.exists()
    assert path.exists()
    assert identity(os.getpid()).replace(" ", "-") in path.name
    door.close()
