"""Pushes sent to the real server; what is fetched comes from this machine, which keeps them too."""

from __future__ import annotations

import contextlib
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import IO

from trunkline.adapters.git.push_commands import PushCommands
from trunkline.base.errors import NotFound, Unavailable, UsageError
from trunkline.ports.git_service import RECEIVE_PACK, GitRequest, GitService
from trunkline.ports.job_services import ServicesJob, Written
from trunkline.ports.upstream import Received, Sending, Upstream

PIECE = 1 << 16
# What a server says before the refs.
FIRST_LINE = b"# service=git-receive-pack\n"
LONGEST_ANSWER = 16 << 20
OK = 200


class ForwardedPushes:
    """Answers fetches from `local`, and sends pushes on with the token that `given` returns.

    What the server took is pushed to `local` too, for later fetches: as far as it has the commits
    that it builds on. Pushes go to the job's own repository at its server (`github.server_url`). `tell` hears of every
    ref that the server has taken. See the port `GitService`.
    """

    def __init__(
        self,
        local: GitService,
        upstream: Upstream,
        given: Callable[[ServicesJob], str],
        tell: Callable[[ServicesJob, Written], None],
    ) -> None:
        self._local = local
        self._upstream = upstream
        self._given = given
        self._tell = tell

    def advertise(self, asked: GitRequest) -> bytes:
        """Return what git says first. Raises UsageError in the server's words when it refuses."""
        if asked.service != RECEIVE_PACK:
            return self._local.advertise(asked)
        answer = self._upstream.send(self._sending(asked, "info/refs?service=git-receive-pack"))
        said = _whole(answer)
        if said[4 : 4 + len(FIRST_LINE)] == FIRST_LINE:
            said = said[4 + len(FIRST_LINE) + 4 :]
        return said

    def answer(self, asked: GitRequest, body: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the answer to one request."""
        if asked.service != RECEIVE_PACK:
            return self._local.answer(asked, body)
        commands = PushCommands()
        with tempfile.TemporaryFile(prefix="trunkline-") as copy:
            content = _Pieces(_copied(commands.watch(body), copy))
            said = _whole(self._upstream.send(self._sending(asked, RECEIVE_PACK, content)))
            taken = self._told(asked.job, commands.refs, said)
            if taken == len(commands.refs):
                copy.seek(0)
                self._keep(asked, iter(partial(copy.read, PIECE), b""))
        return iter((said,))

    def _keep(self, asked: GitRequest, body: Iterator[bytes]) -> None:
        """Push to `local` what the server has taken; that is done, whatever comes of this."""
        with contextlib.suppress(NotFound, Unavailable):
            for _ in self._local.answer(asked, body):
                pass

    def _told(self, job: ServicesJob, refs: Mapping[str, str], said: bytes) -> int:
        """Tell of the refs that the server's report says are as they should be; return how many."""
        server = _server(job).partition("://")[2]
        taken = [name for name in refs if f"ok {name}\n".encode() in said]
        for name in taken:
            sha = refs[name]
            state = f"at {sha[:7]}" if set(sha) != {"0"} else "removed"
            self._tell(job, Written("push", f"{name}, {state}", server))
        return len(taken)

    def _sending(self, asked: GitRequest, what: str, content: _Pieces | None = None) -> Sending:
        token = self._given(asked.job)
        if not token:
            raise UsageError(
                "--publish sends pushes with a token of yours, and there is none: "
                "give it with -s GITHUB_TOKEN."
            )
        if asked.repository.lower() != asked.job.repository.lower():
            raise UsageError(f"A push goes to {asked.job.repository} alone.")
        basic = b64encode(f"x-access-token:{token}".encode()).decode("ascii")
        headers = {"Authorization": f"Basic {basic}", "User-Agent": "git/trunkline"}
        if content is not None:
            headers["Content-Type"] = f"application/x-{RECEIVE_PACK}-request"
        return Sending(
            method="POST" if content is not None else "GET",
            url=f"{_server(asked.job)}/{asked.job.repository}.git/{what}",
            headers=headers,
            content=content,
        )


def _copied(pieces: Iterator[bytes], copy: IO[bytes]) -> Iterator[bytes]:
    """Yield pieces, and keep them in a file."""
    for piece in pieces:
        copy.write(piece)
        yield piece


class _Pieces:
    """Pieces read as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, b'' at the end."""
        while not self._held:
            following = next(self._pieces, None)
            if following is None:
                return b""
            self._held = following
        data, self._held = self._held[:size], self._held[size:]
        return data


def _server(job: ServicesJob) -> str:
    return str(job.github.get("server_url") or "https://github.com").rstrip("/")


def _whole(answer: Received) -> bytes:
    """Return an answer's body. Raises UsageError for a refusal."""
    parts: list[bytes] = []
    size = 0
    try:
        while size < LONGEST_ANSWER and (data := answer.read(PIECE)):
            parts.append(data)
            size += len(data)
    finally:
        answer.close()
    body = b"".join(parts)
    if answer.status != OK:
        told = body[:1000].decode(errors="replace").strip()
        raise UsageError(told or f"The server answered {answer.status}.")
    return body
