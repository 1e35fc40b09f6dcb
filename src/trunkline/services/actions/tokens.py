"""A job's signed tokens: for the runtime (results, caches) and for asking who it is."""

from __future__ import annotations

from math import ceil

import msgspec

from trunkline.base.tokens import InvalidToken, sign, signed_claims
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.job_services import ServicesJob
from trunkline.run.cache_access import may_read, may_write
from trunkline.services.actions.jobs import LiveJobs
from trunkline.services.actions.refusals import Refused

ISSUER = "trunkline"
RUNTIME = "runtime"
IDENTITY = "identity"
READ, WRITE = 1, 2
BEARER = "bearer"


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a job's token says. `nbf`, `iat` and `exp` are seconds since the epoch.

    `scp` holds `Actions.Results:<run>:<job>`, which @actions/artifact reads; `ac` is a JSON string
    of cache scopes with their permissions (1 read, 2 write), which BuildKit reads.
    """

    iss: str
    aud: str
    sub: str
    run: str
    job: int
    nbf: int
    iat: int
    exp: int
    jti: str
    scp: str = ""
    ac: str = ""


class JobTokens:
    """Makes and checks tokens; `key` are 32 secret bytes. A token dies with its job."""

    def __init__(self, jobs: LiveJobs, clock: Clock, ids: Ids, key: bytes) -> None:
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._key = key

    def runtime(self, job: ServicesJob) -> str:
        """Return ACTIONS_RUNTIME_TOKEN."""
        scope = f"Actions.Results:{job.run_id}:{backend_id(job)}"
        return self._sign(job, RUNTIME, scope, _cache_scopes(job))

    def identity(self, job: ServicesJob) -> str:
        """Return ACTIONS_ID_TOKEN_REQUEST_TOKEN."""
        return self._sign(job, IDENTITY, "", "")

    def runtime_job(self, authorization: str) -> ServicesJob:
        """Return whose runtime token stands in an Authorization header. Raises Refused."""
        return self._job(authorization, RUNTIME)

    def identity_job(self, authorization: str) -> ServicesJob:
        """Return whose identity token stands in an Authorization header. Raises Refused."""
        return self._job(authorization, IDENTITY)

    def _sign(self, job: ServicesJob, audience: str, scope: str, caches: str) -> str:
        now = int(self._clock.now())
        claims = Claims(
            iss=ISSUER,
            aud=audience,
            sub=f"run:{job.run_id}:job:{job.number}",
            run=job.run_id,
            job=job.number,
            nbf=now,
            iat=now,
            exp=ceil(job.deadline),
            jti=self._ids.token(),
            scp=scope,
            ac=caches,
        )
        return sign(msgspec.json.encode(claims), self._key)

    def _job(self, authorization: str, audience: str) -> ServicesJob:
        kind, _, token = authorization.partition(" ")
        if kind.lower() != BEARER or not token:
            raise Refused("unauthenticated", "a bearer token is needed")
        try:
            claims = msgspec.json.decode(signed_claims(token.strip(), self._key), type=Claims)
        except (InvalidToken, msgspec.DecodeError):
            raise Refused("unauthenticated", "the token is not valid") from None
        if claims.aud != audience or claims.iss != ISSUER:
            raise Refused("unauthenticated", "the token is meant for something else")
        if not claims.nbf <= self._clock.now() < claims.exp:
            raise Refused("unauthenticated", "the token has expired")
        job = self._jobs.find(claims.run, claims.job)
        if job is None:
            raise Refused("unauthenticated", "the job of this token has ended")
        return job


def backend_id(job: ServicesJob) -> str:
    """Return what stands for a job in requests of the results service."""
    return str(job.number)


def _cache_scopes(job: ServicesJob) -> str:
    """Return what the job may do with which caches; it writes those of its own ref alone."""
    reads = READ if may_read(job.cache_mode) else 0
    writes = WRITE if may_write(job.cache_mode) else 0
    allowed = [(scope, reads | (0 if index else writes)) for index, scope in enumerate(job.scopes)]
    scopes = [{"Scope": scope, "Permission": level} for scope, level in allowed if level]
    return msgspec.json.encode(scopes).decode()
