"""Building an image by the engine's own builder."""

from __future__ import annotations

import http.client
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import msgspec
from docker.api.build import process_dockerfile
from docker.utils import build as contexts

from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.docker.option_values import InvalidValue, ulimit
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import BuildSpec, Watch

IGNORE_FILE = ".dockerignore"
CANCELLED = "The operation was canceled."
POLL_SECONDS = 0.2


class Builder:
    """Builds images; the contexts are folders of the job."""

    def __init__(self, engine: Engine, outside: Callable[[str], str | None]) -> None:
        self._engine = engine
        self._outside = outside

    def build(self, spec: BuildSpec, watch: Watch) -> str:
        """Build an image and return its id. Raises Unavailable with the builder's own error."""
        context = self._outside(spec.context) or spec.context
        dockerfile = self._outside(spec.dockerfile) or spec.dockerfile
        if not os.path.isdir(context):
            raise Unavailable(f'unable to prepare context: path "{spec.context}" not found')
        if not os.path.isfile(os.path.join(context, dockerfile)):
            raise Unavailable(
                "unable to prepare context: unable to evaluate symlinks in Dockerfile path: "
                f"no such file: {spec.dockerfile}"
            )
        with _context(context, dockerfile) as (name, content):
            return self._send(_query(spec, name), content, watch)

    def _send(self, query: str, content: IO[bytes], watch: Watch) -> str:
        connection = http.client.HTTPConnection("docker")
        connection.sock = connected = self._engine.socket()
        image = ""
        try:
            with _ended_when_unwanted(connected, watch):
                connection.request(
                    "POST",
                    f"/v{self._engine.version()}/build?{query}",
                    content,
                    {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"},
                    encode_chunked=True,
                )
                for message in _messages(connection.getresponse()):
                    image = _told(message, watch) or image
        except (OSError, http.client.HTTPException) as error:
            if watch.unwanted():
                raise Unavailable(CANCELLED) from error
            raise Unavailable(f"The container engine stopped answering: {error}") from error
        finally:
            connection.close()
        if watch.unwanted():
            raise Unavailable(CANCELLED)
        if not image:
            raise Unavailable("The container engine built nothing.")
        return image


@contextmanager
def _context(folder: str, dockerfile: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Give the Dockerfile's name in the context, and the context as a tar."""
    ignored: list[str] = []
    for place in (f"{os.path.join(folder, dockerfile)}{IGNORE_FILE}", f"{folder}/{IGNORE_FILE}"):
        if os.path.isfile(place):
            with open(place, encoding="utf-8", errors="surrogateescape") as stream:
                ignored = [line.strip() for line in stream]
            break
    patterns = [line for line in ignored if line and not line.startswith("#")]
    with tempfile.TemporaryFile() as content:
        with refusals():
            name, text = process_dockerfile(os.path.join(folder, dockerfile), folder)
            contexts.tar(Path(folder), exclude=patterns, dockerfile=(name, text), fileobj=content)
        yield name or "Dockerfile", content


def _query(spec: BuildSpec, dockerfile: str) -> str:
    fields: dict[str, object] = {
        "dockerfile": dockerfile,
        "t": spec.tags[0] if spec.tags else "",
        "buildargs": dict(spec.args),
        "labels": dict(spec.labels),
        "target": spec.target,
        "platform": spec.platform,
        "networkmode": spec.network,
        "nocache": "1" if spec.no_cache else "",
        "pull": "1" if spec.pull else "",
        "cachefrom": list(spec.cache_from),
        "extrahosts": "\n".join(spec.add_hosts),
        "ulimits": _ulimits(spec.ulimits),
        "shmsize": spec.shm_size,
        "cgroupparent": spec.cgroup_parent,
        "rm": "1",
        "forcerm": "1",
    }
    return urlencode({name: _text(value) for name, value in fields.items() if value})


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _ulimits(written: tuple[str, ...]) -> list[object]:
    try:
        return [ulimit(each) for each in written]
    except InvalidValue as error:
        raise Unavailable(f'invalid argument for "--ulimit" flag: {error}') from error


def _messages(response: http.client.HTTPResponse) -> Iterator[dict[str, object]]:
    if response.status >= 400:
        text = response.read()
        try:
            words = str(msgspec.json.decode(text)["message"])
        except (msgspec.DecodeError, KeyError, TypeError):
            words = text.decode("utf-8", "replace").strip() or response.reason
        raise Unavailable(f"Error response from daemon: {words}")
    for line in response:
        if line.strip():
            message = msgspec.json.decode(line)
            if isinstance(message, dict):
                yield message


def _told(message: dict[str, object], watch: Watch) -> str:
    """Tell a message of the builder; return the image's id when it says it."""
    if message.get("error"):
        raise Unavailable(str(message["error"]))
    text = message.get("stream")
    if isinstance(text, str):
        for line in text.splitlines():
            if line.strip():
                watch.tell(line.rstrip())
    elif isinstance(message.get("status"), str) and "progressDetail" not in message:
        watch.tell(str(message["status"]))
    aux = message.get("aux")
    return str(aux.get("ID", "")) if isinstance(aux, dict) else ""


@contextmanager
def _ended_when_unwanted(connected: socket.socket, watch: Watch) -> Iterator[None]:
    """End the connection when nobody wants the image any more: the builder stops then."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(POLL_SECONDS):
            if watch.unwanted():
                connected.shutdown(socket.SHUT_RDWR)
                return

    looking = threading.Thread(target=look, daemon=True, name="build-watch")
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()
