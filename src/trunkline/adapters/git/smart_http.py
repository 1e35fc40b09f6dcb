"""Fetches and pushes over HTTP, answered by `git upload-pack` and `git receive-pack`."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import IO

from trunkline.adapters.git.command import NO_GIT, GitFailed, environment, git
from trunkline.adapters.git.push_commands import PushCommands
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.git_service import RECEIVE_PACK, GitRequest
from trunkline.ports.job_services import ServicesJob, Written

PIECE = 1 << 16
# A commit by its id is what actions/checkout asks for; the owner of the folder may be another.
# What is pushed is checked as GitHub does, and runs no hooks.
SETTINGS = {
    "uploadpack.allowAnySHA1InWant": "true",
    "safe.directory": "*",
    "core.hooksPath": os.devnull,
    "receive.fsckObjects": "true",
    "receive.autogc": "false",
    "receive.hideRefs": "refs/pull",
    "receive.maxInputSize": "2g",
}
# The user's own settings say nothing about what this machine serves.
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
PROTOCOL = re.compile(r"version=[0-2]", re.ASCII)
# How long git may take over what it says first (seconds).
PATIENCE = 60
ZEROS = frozenset("0")


class ServedRepositories:
    """Serves repositories: a job's own lies where `own` says, others at `others`.

    `others` are folders by `owner/name`, as the user gave them; they are for reading. `tell`
    hears of every ref that a push has changed. See the port `GitService`.
    """

    def __init__(
        self,
        own: Callable[[ServicesJob], str],
        others: Mapping[str, str],
        tell: Callable[[ServicesJob, Written], None],
    ) -> None:
        self._own = own
        self._others = {name.partition("@")[0].lower(): path for name, path in others.items()}
        self._tell = tell

    def advertise(self, asked: GitRequest) -> bytes:
        """Return what git says first. Raises NotFound, Unavailable."""
        process = _start(self._folder(asked), asked, "--http-backend-info-refs")
        try:
            found, told = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            _stop(process)
            raise Unavailable(f"{asked.service} gave no answer") from None
        if process.returncode:
            raise Unavailable(f"{asked.service}: {told.decode(errors='replace').strip()}")
        return found

    def answer(self, asked: GitRequest, body: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the answer to one request. Raises NotFound, Unavailable."""
        folder = self._folder(asked)
        if asked.service != RECEIVE_PACK:
            return _answers(_start(folder, asked), body)
        commands = PushCommands()
        answers = _answers(_start(folder, asked), commands.watch(body))
        return self._told(answers, asked.job, folder, commands.refs)

    def _told(
        self, answers: Iterator[bytes], job: ServicesJob, folder: str, refs: Mapping[str, str]
    ) -> Iterator[bytes]:
        """Yield the answers; then tell of the refs that are as the push wanted them."""
        try:
            yield from answers
        finally:
            for name, sha in refs.items():
                wanted = "" if set(sha) <= ZEROS else sha
                if _points_to(folder, name) == wanted:
                    state = f"at {sha[:7]}" if wanted else "removed"
                    self._tell(job, Written("push", f"{name}, {state}"))

    def _folder(self, asked: GitRequest) -> str:
        name = asked.repository.lower()
        if name == asked.job.repository.lower():
            return self._own(asked.job)
        if name not in self._others or asked.service == RECEIVE_PACK:
            raise NotFound(f"the repository {asked.repository} is not here")
        return self._others[name]


def _points_to(folder: str, name: str) -> str:
    """Return what a ref points to, '' when it is not there."""
    try:
        return git(folder, "show-ref", "--verify", "--hash", "--", name).decode("ascii").strip()
    except GitFailed:
        return ""


def _start(folder: str, asked: GitRequest, *flags: str) -> subprocess.Popen[bytes]:
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    known = {"GIT_PROTOCOL": asked.protocol} if PROTOCOL.fullmatch(asked.protocol) else {}
    program = asked.service.removeprefix("git-")
    try:
        return subprocess.Popen(
            ["git", *settings, program, "--stateless-rpc", *flags, "--", folder],
            env=environment({**ALONE, **known}),
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
