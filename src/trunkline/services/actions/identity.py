"""Who a job is, told to the world outside: OpenID Connect tokens (GitHub: OpenID Connect reference)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from trunkline.base.errors import UsageError
from trunkline.ports.clock import Clock, Ids
from trunkline.ports.identity_keys import IdentityKeys, PublicKey
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.refusals import Refused

DISCOVERY_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/.well-known/jwks"
# Seconds that a token lives, and that clocks of others may be behind (as GitHub's tokens have it).
LIFETIME = 5 * 60
BEFORE = 10 * 60
LONGEST_AUDIENCE = 1024
# Claims that are values of the `github` context under the same name.
FROM_CONTEXT = (
    *("actor", "actor_id", "base_ref", "event_name", "head_ref", "job_workflow_sha", "ref"),
    *("ref_protected", "ref_type", "repository", "repository_id", "repository_owner"),
    *("repository_owner_id", "repository_visibility", "run_attempt", "run_id", "run_number", "sha"),
    *("workflow", "workflow_ref", "workflow_sha"),
)
ALWAYS = ("aud", "exp", "iat", "iss", "jti", "nbf", "sub")
CLAIM = re.compile(r"[A-Za-z0-9_]+")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """How `sub` is written: GitHub's default, or with these claims (`include_claim_keys`).

    `immutable` adds the ids of owner and repository, which stay when names change hands.
    """

    include: tuple[str, ...] = ()
    immutable: bool = False


class Identity:
    """Signs tokens of jobs. `issuer` returns the address that answers for them, without a slash."""

    def __init__(
        self,
        issuer: Callable[[], str],
        keys: IdentityKeys,
        clock: Clock,
        ids: Ids,
        subject: Callable[[ServicesJob], Subject] = lambda _: Subject(),
    ) -> None:
        """Sign with `keys`; `subject` tells how a job's repository wants its `sub`."""
        self._issuer = issuer
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._subject = subject

    def token(self, job: ServicesJob, audience: str = "") -> str:
        """Return a signed token for `audience` ('': the owner's address at the server).

        Raises Refused without `id-token: write`, or for an audience that is too long.
        """
        if job.permissions.get("id-token") != "write":
            raise Refused("permission_denied", "the job has no permission 'id-token: write'")
        if len(audience) > LONGEST_AUDIENCE:
            raise Refused(
                "invalid_argument", f"the audience is longer than {LONGEST_AUDIENCE} characters"
            )
        now = int(self._clock.now())
        told = claims(job)
        body = {
            **told,
            "sub": subject(told, self._subject(job)),
            "aud": audience or f"{job.github.get('server_url', '')}/{told['repository_owner']}",
            "iss": self._issuer(),
            "jti": self._ids.token(),
            "iat": now,
            "nbf": now - BEFORE,
            "exp": int(min(now + LIFETIME, job.deadline)),
        }
        key = self._keys.current()
        public = key.public
        head = {"typ": "JWT", "alg": "RS256", "x5t": public.thumbprint, "kid": public.id}
        signed = b".".join(_base64url(msgspec.json.encode(part)) for part in (head, body))
        return (signed + b"." + _base64url(key.sign(signed))).decode("ascii")

    def discovery(self) -> dict[str, object]:
        """Return what is known of the issuer (OpenID Connect Discovery 1.0, section 3)."""
        issuer = self._issuer()
        supported = {*ALWAYS, *FROM_CONTEXT, "check_run_id", "environment"}
        return {
            "issuer": issuer,
            "jwks_uri": f"{issuer}{KEYS_PATH}",
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "claims_supported": sorted({*supported, "job_workflow_ref", "runner_environment"}),
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }

    def key_set(self) -> dict[str, object]:
        """Return the keys that tokens are checked with (RFC 7517, section 5)."""
        return {"keys": [_key(public) for public in self._keys.published()]}


def claims(job: ServicesJob) -> dict[str, str]:
    """Return what a token says of a job: all strings, as GitHub's."""
    github = job.github
    found = {name: _text(github.get(name)) for name in FROM_CONTEXT}
    found["repository"] = found["repository"] or job.repository
    found["repository_owner"] = found["repository_owner"] or job.repository.partition("/")[0]
    found["run_id"] = job.run_id
    found["check_run_id"] = _text(github.get("check_run_id")) or str(job.number)
    found["job_workflow_ref"] = _workflow(job, found)
    found["runner_environment"] = "self-hosted"
    if job.environment:
        found["environment"] = job.environment
    return found


def subject(told: Mapping[str, str], wanted: Subject) -> str:
    """Return `sub`: what policies outside compare (GitHub: example subject claims).

    `:` inside values is `%3A`: no value can pretend to be two.
    """
    parts = wanted.include or ("repo", "context")
    return ":".join(_part(name, told, immutable=wanted.immutable) for name in parts)


def check_subject(wanted: Subject) -> None:
    """Raise UsageError for claims that `sub` can't be made of."""
    for name in wanted.include:
        if not CLAIM.fullmatch(name) or name in ALWAYS:
            raise UsageError(f"'{name}' is no claim that a subject can be made of.")


def _part(name: str, told: Mapping[str, str], *, immutable: bool) -> str:
    if name == "repo":
        return f"repo:{_repository(told, immutable=immutable)}"
    if name != "context":
        return f"{name}:{_escaped(told.get(name, ''))}"
    if "environment" in told:
        return f"environment:{_escaped(told['environment'])}"
    if told["event_name"] == "pull_request" or told["ref"].startswith("refs/pull/"):
        return "pull_request"
    return f"ref:{_escaped(told['ref'])}"


def _repository(told: Mapping[str, str], *, immutable: bool) -> str:
    owner, _, name = told["repository"].partition("/")
    if immutable:
        owner += f"@{told['repository_owner_id']}"
        name += f"@{told['repository_id']}"
    return f"{_escaped(owner)}/{_escaped(name)}"


def _workflow(job: ServicesJob, told: Mapping[str, str]) -> str:
    """Return the file that the job is written in: a called workflow's own."""
    path = job.workflow_path
    if not path:
        return told["workflow_ref"]
    return path if "@" in path else f"{told['repository']}/{path}@{told['ref']}"


def _key(public: PublicKey) -> dict[str, object]:
    return {
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": public.id,
        "n": public.modulus,
        "e": public.exponent,
        "x5t": public.thumbprint,
        "x5c": [public.certificate],
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _escaped(value: str) -> str:
    return value.replace(":", "%3A")


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
