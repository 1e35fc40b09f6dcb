"""Tokens of identity: their claims, their subject, their signature as others check it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt
import msgspec
import pytest

from trunkline.adapters.clock import FakeClock, FakeIds
from trunkline.adapters.identity_keys.memory import MemoryKeys
from trunkline.base.errors import UsageError
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.identity import (
    Identity,
    Subject,
    check_subject,
    claims,
    subject,
)
from trunkline.services.actions.refusals import Refused

KEYS = MemoryKeys(FakeClock())  # made once: keys take a while
ISSUER = "http://127.0.0.1:7777/oidc"
GITHUB: Mapping[str, Any] = {
    "actor": "octocat",
    "actor_id": "12",
    "base_ref": "",
    "event_name": "push",
    "head_ref": "",
    "job_workflow_sha": "c0ffee",
    "ref": "refs/heads/main",
    "ref_protected": True,
    "ref_type": "branch",
    "repository": "octo-org/octo-repo",
    "repository_id": "74",
    "repository_owner": "octo-org",
    "repository_owner_id": "65",
    "repository_visibility": "private",
    "run_attempt": "2",
    "run_id": "77",
    "run_number": "10",
    "server_url": "https://github.com",
    "sha": "c0ffee",
    "workflow": "CI",
    "workflow_ref": "octo-org/octo-repo/.github/workflows/ci.yml@refs/heads/main",
    "workflow_sha": "c0ffee",
}


def job(**changes: Any) -> ServicesJob:
    """Return a job; `changes` are fields of it, or values of its `github` context."""
    fields = set(ServicesJob.__struct_fields__)
    github = {**GITHUB, **{k: v for k, v in changes.items() if k not in fields}}
    made = ServicesJob(
        run_id="77",
        key="build",
        number=3,
        repository="octo-org/octo-repo",
        github=github,
        permissions={"id-token": "write"},
        scopes=("refs/heads/main",),
        deadline=FakeClock().now() + 21600,
    )
    return msgspec.structs.replace(made, **{k: v for k, v in changes.items() if k in fields})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def identity(clock: FakeClock) -> Identity:
    return Identity(lambda: ISSUER, KEYS, clock, FakeIds())


def read(identity: Identity, token: str, audience: str = "sts.amazonaws.com") -> dict[str, Any]:
    """Return what a library that is not ours reads, which checks the signature."""
    keys = jwt.PyJWKSet.from_dict(identity.key_set())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    found = jwt.decode(token, key, ["RS256"], audience=audience, issuer=ISSUER, options=options)
    return dict(found)


def test_the_claims_are_githubs(identity: Identity, clock: FakeClock) -> None:
    now = int(clock.now())
    told = read(identity, identity.token(job(), "sts.amazonaws.com"))
    assert told == {
        "actor": "octocat",
        "actor_id": "12",
        "aud": "sts.amazonaws.com",
        "base_ref": "",
        "check_run_id": "3",
        "event_name": "push",
        "exp": now + 300,
        "head_ref": "",
        "iat": now,
        "iss": ISSUER,
        "job_workflow_ref": "octo-org/octo-repo/.github/workflows/ci.yml@refs/heads/main",
        "job_workflow_sha": "c0ffee",
        "jti": "00000000000000000000000000000001",
        "nbf": now - 600,
        "ref": "refs/heads/main",
        "ref_protected": "true",
        "ref_type": "branch",
        "repository": "octo-org/octo-repo",
        "repository_id": "74",
        "repository_owner": "octo-org",
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "run_attempt": "2",
        "run_id": "77",
        "run_number": "10",
        "runner_environment": "self-hosted",
        "sha": "c0ffee",
        "sub": "repo:octo-org/octo-repo:ref:refs/heads/main",
        "workflow": "CI",
        "workflow_ref": "octo-org/octo-repo/.github/workflows/ci.yml@refs/heads/main",
        "workflow_sha": "c0ffee",
    }


def test_the_header_names_the_key(identity: Identity) -> None:
    head = jwt.get_unverified_header(identity.token(job()))
    public = KEYS.current().public
    assert head == {"typ": "JWT", "alg": "RS256", "kid": public.id, "x5t": public.thumbprint}


def test_the_set_of_keys(identity: Identity) -> None:
    public = KEYS.current().public
    assert identity.key_set() == {
        "keys": [
            {
                "kty": "RSA",
                "alg": "RS256",
                "use": "sig",
                "kid": public.id,
                "n": public.modulus,
                "e": "AQAB",
                "x5t": public.thumbprint,
                "x5c": [public.certificate],
            }
        ]
    }


def test_without_an_audience_it_is_the_owners_address(identity: Identity) -> None:
    token = identity.token(job())
    assert read(identity, token, "https://github.com/octo-org")["aud"] == (
        "https://github.com/octo-org"
    )


def test_no_token_outlives_its_job(identity: Identity, clock: FakeClock) -> None:
    token = identity.token(job(deadline=clock.now() + 10), "a")
    assert read(identity, token, "a")["exp"] == int(clock.now()) + 10


@pytest.mark.parametrize("permissions", [{}, {"id-token": "none"}, {"id-token": "read"}])
def test_only_with_permission(identity: Identity, permissions: dict[str, str]) -> None:
    with pytest.raises(Refused, match="id-token: write") as refused:
        identity.token(job(permissions=permissions))
    assert refused.value.code == "permission_denied"


def test_an_audience_has_its_bounds(identity: Identity) -> None:
    assert identity.token(job(), "a" * 1024)
    with pytest.raises(Refused, match="longer than 1024"):
        identity.token(job(), "a" * 1025)


def test_a_token_is_checked_after_its_key_was_replaced(clock: FakeClock) -> None:
    identity = Identity(lambda: ISSUER, MemoryKeys(clock, rotation=100.0), clock, FakeIds())
    old = identity.token(job(), "a")
    clock.advance(100)
    new = identity.token(job(), "a")
    kids = {jwt.get_unverified_header(token)["kid"] for token in (old, new)}
    assert len(kids) == 2
    assert read(identity, old, "a")["run_id"] == read(identity, new, "a")["run_id"]


def test_a_changed_token_is_refused(identity: Identity) -> None:
    head, _, signature = identity.token(job(), "a").split(".")
    other = identity.token(job(ref="refs/heads/release"), "a").split(".")[1]
    with pytest.raises(jwt.InvalidSignatureError):
        read(identity, f"{head}.{other}.{signature}", "a")


def test_discovery(identity: Identity) -> None:
    told = identity.discovery()
    assert told["issuer"] == ISSUER
    assert told["jwks_uri"] == f"{ISSUER}/.well-known/jwks"
    assert told["id_token_signing_alg_values_supported"] == ["RS256"]
    claims_told = read(identity, identity.token(job(environment="e"), "a"), "a")
    assert set(claims_told) == set(told["claims_supported"])  # type: ignore[call-overload]


REPOSITORY = "repo:octo-org/octo-repo"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, f"{REPOSITORY}:ref:refs/heads/main"),
        ({"ref": "refs/tags/v1"}, f"{REPOSITORY}:ref:refs/tags/v1"),
        ({"environment": "prod"}, f"{REPOSITORY}:environment:prod"),
        ({"environment": "prod:eu"}, f"{REPOSITORY}:environment:prod%3Aeu"),
        (
            {"event_name": "pull_request", "ref": "refs/pull/7/merge"},
            f"{REPOSITORY}:pull_request",
        ),
        (
            {"event_name": "pull_request", "ref": "refs/pull/7/merge", "environment": "prod"},
            f"{REPOSITORY}:environment:prod",
        ),
        ({"event_name": "pull_request_target"}, f"{REPOSITORY}:ref:refs/heads/main"),
        ({"event_name": "schedule"}, f"{REPOSITORY}:ref:refs/heads/main"),
    ],
)
def test_subjects(changes: dict[str, Any], expected: str) -> None:
    assert subject(claims(job(**changes)), Subject()) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            Subject(immutable=True),
            "repo:octo-org@65/octo-repo@74:environment:prod",
        ),
        (
            Subject(include=("repo", "context", "job_workflow_ref")),
            f"{REPOSITORY}:environment:prod:job_workflow_ref:{GITHUB['workflow_ref']}",
        ),
        (
            Subject(include=("repository_owner", "repository_visibility")),
            "repository_owner:octo-org:repository_visibility:private",
        ),
        (Subject(include=("repository_id",)), "repository_id:74"),
        (Subject(include=("enterprise",)), "enterprise:"),
        (
            Subject(include=("repo", "environment"), immutable=True),
            "repo:octo-org@65/octo-repo@74:environment:prod",
        ),
    ],
)
def test_subjects_as_a_repository_wants_them(wanted: Subject, expected: str) -> None:
    check_subject(wanted)
    assert subject(claims(job(environment="prod")), wanted) == expected


@pytest.mark.parametrize("name", ["", "a b", "sub", "iss", "a:b", "é"])
def test_claims_that_make_no_subject(name: str) -> None:
    with pytest.raises(UsageError):
        check_subject(Subject(include=(name,)))


def test_a_repository_says_how_its_subject_is_written(clock: FakeClock) -> None:
    wanted = Subject(include=("actor",))
    identity = Identity(lambda: ISSUER, KEYS, clock, FakeIds(), lambda _job: wanted)
    assert read(identity, identity.token(job(), "a"), "a")["sub"] == "actor:octocat"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", GITHUB["workflow_ref"]),
        (
            ".github/workflows/called.yml",
            "octo-org/octo-repo/.github/workflows/called.yml@refs/heads/main",
        ),
        ("o/shared/.github/workflows/x.yml@v1", "o/shared/.github/workflows/x.yml@v1"),
    ],
)
def test_the_file_that_the_job_is_written_in(path: str, expected: str) -> None:
    assert claims(job(workflow_path=path))["job_workflow_ref"] == expected
