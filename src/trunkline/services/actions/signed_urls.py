"""Addresses that let whoever has them read or write one thing, for a while."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

from trunkline.ports.clock import Clock
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.jobs import LiveJobs
from trunkline.services.actions.refusals import Refused

READ, WRITE = "read", "write"
PURPOSE = "trunkline blob address 1"
# As long as the client of artifacts may take over an upload or a download.
LIFETIME = 6 * 60 * 60
NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
NUMBER = re.compile(r"[0-9]{1,15}")


class SignedUrls:
    """Makes and checks `<base>/blobs/<kind>/<place>?run=&job=&expires=&sig=`.

    The signature covers what may be done with what, for which job, until when; each value goes in
    with its length before it, so that no two addresses sign the same. `key` are 32 secret bytes.
    An address dies with the job it was made for.
    """

    def __init__(self, jobs: LiveJobs, clock: Clock, key: bytes) -> None:
        self._jobs = jobs
        self._clock = clock
        self._key = key

    def url(self, base: str, job: ServicesJob, action: str, kind: str, place: str) -> str:
        """Return an address; `action` is `read` or `write`, `base` the origin that the client uses.

        Raises ValueError for a kind or place with other characters than letters, digits, `.`, `_`
        and `-`.
        """
        if not NAME.fullmatch(kind) or not NAME.fullmatch(place):
            raise ValueError(f"{kind}/{place} can't be an address")
        expires = str(int(min(self._clock.now() + LIFETIME, job.deadline)))
        number = str(job.number)
        signature = self._sign(action, kind, place, job.run_id, number, expires)
        query = f"run={job.run_id}&job={number}&expires={expires}&sig={signature}"
        return f"{base}/blobs/{kind}/{place}?{query}"

    def check(self, action: str, kind: str, place: str, query: Mapping[str, str]) -> ServicesJob:
        """Return the job that an address was made for. Raises Refused."""
        run_id, number, expires = (query.get(name, "") for name in ("run", "job", "expires"))
        expected = self._sign(action, kind, place, run_id, number, expires)
        if not hmac.compare_digest(query.get("sig", "").encode(), expected.encode()):
            raise Refused("permission_denied", "the address was not made for this")
        if not (NUMBER.fullmatch(expires) and NUMBER.fullmatch(number)):
            raise Refused("permission_denied", "the address was not made for this")
        if self._clock.now() >= int(expires):
            raise Refused("permission_denied", "the address has expired")
        job = self._jobs.find(run_id, int(number))
        if job is None:
            raise Refused("permission_denied", "the job of this address has ended")
        return job

    def _sign(self, *fields: str) -> str:
        encoded = (field.encode("utf-8", "surrogatepass") for field in (PURPOSE, *fields))
        message = b"".join(b"%d:%b," % (len(field), field) for field in encoded)
        return hmac.digest(self._key, message, hashlib.sha256).hex()
