"""The jobs that may use the services now, and their GITHUB_TOKENs."""

from __future__ import annotations

import threading

import msgspec

from trunkline.ports.artifacts import ArtifactInfo
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.job_services import ServicesJob, StoredListener, Written, ignore

PREFIX = "ghs_"
Key = tuple[str, int]


class _Live(msgspec.Struct):
    """A job that goes on: its token, tokens that its user gave, and who hears of its artifacts."""

    job: ServicesJob
    token: str
    given: tuple[str, ...] = ()
    stored: StoredListener = ignore


class LiveJobs:
    """Tokens are random and known here alone; with their job's end they are forgotten. Thread-safe."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._live: dict[Key, _Live] = {}
        self._by_token: dict[str, list[Key]] = {}

    def token(self, job: ServicesJob) -> str:
        """Return the job's GITHUB_TOKEN, made with the first call."""
        with self._lock:
            return self._entry(job).token

    def tokens(self, job: ServicesJob) -> tuple[str, ...]:
        """Return the job's GITHUB_TOKEN, and those that its user gave."""
        with self._lock:
            live = self._entry(job)
            return live.token, *live.given

    def given(self, job: ServicesJob) -> str:
        """Return a token that the job's user gave, '' when there is none."""
        return next(iter(self.tokens(job)[1:]), "")

    def begin(self, job: ServicesJob, stored: StoredListener = ignore) -> None:
        """Let a job in; `stored` hears of its artifacts, from the threads that answer."""
        with self._lock:
            self._entry(job).stored = stored

    def accept(self, job: ServicesJob, token: str) -> None:
        """Take a GITHUB_TOKEN that the user gave for the job's own; jobs may share it."""
        with self._lock:
            live = self._entry(job)
            if token not in (live.token, *live.given):
                live.given = (*live.given, token)
                self._by_token.setdefault(token, []).append(_key(job))

    def end(self, job: ServicesJob) -> None:
        """Shut a job out."""
        with self._lock:
            live = self._live.pop(_key(job), None)
            for token in (live.token, *live.given) if live else ():
                keys = self._by_token[token]
                keys.remove(_key(job))
                if not keys:
                    del self._by_token[token]

    def find(self, run_id: str, number: int) -> ServicesJob | None:
        """Return a job that goes on, or None."""
        with self._lock:
            return self._found((run_id, number))

    def of_token(self, token: str) -> ServicesJob | None:
        """Return the job that a GITHUB_TOKEN is of (the latest that shares it), or None."""
        with self._lock:
            keys = self._by_token.get(token, [])
            found = (self._found(key) for key in reversed(keys))
            return next((job for job in found if job), None)

    def tell_stored(self, job: ServicesJob, info: ArtifactInfo | Written) -> None:
        """Tell who listens for a job that an artifact is complete, or what it wrote."""
        with self._lock:
            live = self._live.get(_key(job))
        if live:
            live.stored(info)

    def _entry(self, job: ServicesJob) -> _Live:
        key = _key(job)
        if key not in self._live:
            token = PREFIX + (self._ids.token() + self._ids.token())[-36:]
            self._live[key] = _Live(job, token)
            self._by_token.setdefault(token, []).append(key)
        return self._live[key]

    def _found(self, key: Key) -> ServicesJob | None:
        live = self._live.get(key)
        return live.job if live and self._clock.now() < live.job.deadline else None


def _key(job: ServicesJob) -> Key:
    return job.run_id, job.number
