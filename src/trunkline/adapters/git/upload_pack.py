"""Fetches from a local repository, answered by `git upload-pack`."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import IO

from trunkline.adapters.git.command import NO_GIT, environment
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.job_services import ServicesJob

PIECE = 1 << 16
# A commit by its id is what actions/checkout asks for; the owner of the folder may be another.
SETTINGS = {"uploadpack.allowAnySHA1InWant": "true", "safe.directory": "*"}
PROTOCOL = re.compile(r"version=[0-2]", re.ASCII)
# How long git may take over what it says first (seconds).
PATIENCE = 60


class LocalRepositories:
    """Serves the folders of repositories; the job's own lies at `own`, others at `others`.

    `others` are folders by `owner/name`, as the user gave them.
    """

    def __init__(self, own: str, others: Mapping[str, str] | None = None) -> None:
        self._own = own
        self._others = {
            name.partition("@")[0].lower(): path for name, path in (others or {}).items()
        }

    def advertise(self, job: ServicesJob, repository: str, protocol: str) -> bytes:
        """Return what `git upload-pack` says first. Raises NotFound, Unavailable."""
        folder = self._folder(job, repository)
        process = _start(folder, protocol, "--http-backend-info-refs")
        try:
            found, told = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            _stop(process)
            raise Unavailable("git upload-pack gave no answer") from None
        if process.returncode:
            raise Unavailable(f"git upload-pack: {told.decode(errors='replace').strip()}")
        return found

    def upload_pack(
        self, job: ServicesJob, repository: str, protocol: str, request: Iterator[bytes]
    ) -> Iterator[bytes]:
        """Yield the answer to one request. Raises NotFound, Unavailable."""
        process = _start(self._folder(job, repository), protocol)
        return _answers(process, request)

    def _folder(self, job: ServicesJob, repository: str) -> str:
        name = repository.lower()
        if name == job.repository.lower():
            return self._own
        if name not in self._others:
            raise NotFound(f"the repository {repository} is not here")
        return self._others[name]


def _start(folder: str, protocol: str, *flags: str) -> subprocess.Popen[bytes]:
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    known = {"GIT_PROTOCOL": protocol} if PROTOCOL.fullmatch(protocol) else {}
    try:
        return subprocess.Popen(
            ["git", *settings, "upload-pack", "--stateless-rpc", *flags, "--", folder],
            env=environment(known),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if flags else subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise Unavailable(NO_GIT) from error


def _answers(process: subprocess.Popen[bytes], request: Iterator[bytes]) -> Iterator[bytes]:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise TypeError(process)
    feeder = threading.Thread(target=_feed, args=(stdin, request), daemon=True)
    feeder.start()
    try:
        while piece := os.read(stdout.fileno(), PIECE):
            yield piece
        process.wait()
    finally:
        _stop(process)
        feeder.join(PATIENCE)


def _feed(stdin: IO[bytes], request: Iterator[bytes]) -> None:
    """Hand a request to git; when one of both goes away, the other ends too."""
    with contextlib.suppress(OSError, ValueError), stdin:
        for piece in request:
            stdin.write(piece)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
