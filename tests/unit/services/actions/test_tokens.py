"""Tokens of jobs: who is let in, until when, and what the clients of actions read in them."""

from __future__ import annotations

import string

import msgspec
import pytest

from tests.actions_services import job_of
from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.base import tokens as signing
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.jobs import LiveJobs
from trunkline.services.actions.refusals import Refused
from trunkline.services.actions.tokens import JobTokens

KEY = b"k" * 32


class Made:
    """Tokens of jobs that are let in."""

    def __init__(self, *jobs: ServicesJob, key: bytes = KEY) -> None:
        self.clock = FakeClock()
        self.jobs = LiveJobs(self.clock, SystemIds())
        self.tokens = JobTokens(self.jobs, self.clock, SystemIds(), key)
        for job in jobs:
            self.jobs.begin(job)


def claims(token: str) -> dict[str, object]:
    return msgspec.json.decode(signing.signed_claims(token, KEY), type=dict[str, object])


def test_the_runtime_token_says_what_clients_read():
    made = Made(job := job_of("1001", 3, deadline=1_700_000_600.5))
    told = claims(made.tokens.runtime(job))
    assert told["scp"] == "Actions.Results:1001:3"
    assert (told["nbf"], told["iat"], told["exp"]) == (1_700_000_000, 1_700_000_000, 1_700_000_601)
    assert told["sub"] == "run:1001:job:3"
    scopes = told["ac"]
    assert isinstance(scopes, str)
    assert msgspec.json.decode(scopes) == [{"Scope": "refs/heads/main", "Permission": 3}]


@pytest.mark.parametrize(
    ("mode", "own", "others"),
    [("write", 3, 1), ("read", 1, 1), ("write-only", 2, 0), ("none", 0, 0)],
)
def test_caches_of_other_refs_are_read_only(mode, own, others):
    job = msgspec.structs.replace(
        job_of(), scopes=("refs/pull/1/merge", "refs/heads/main"), cache_mode=mode
    )
    scopes = claims(Made(job).tokens.runtime(job))["ac"]
    assert isinstance(scopes, str)
    levels = {"refs/pull/1/merge": own, "refs/heads/main": others}
    assert msgspec.json.decode(scopes) == [
        {"Scope": scope, "Permission": level} for scope, level in levels.items() if level
    ]


def test_every_token_is_another():
    made = Made(job := job_of())
    assert made.tokens.runtime(job) != made.tokens.runtime(job)


def test_a_token_names_its_job():
    made = Made(first := job_of(number=1), second := job_of(number=2))
    assert made.tokens.runtime_job(f"Bearer {made.tokens.runtime(second)}") is second
    assert made.tokens.runtime_job(f"bearer {made.tokens.runtime(first)}") is first
    assert made.tokens.identity_job(f"Bearer {made.tokens.identity(first)}") is first


def refusal(made: Made, authorization: str) -> str:
    with pytest.raises(Refused) as caught:
        made.tokens.runtime_job(authorization)
    assert caught.value.code == "unauthenticated"
    return caught.value.message


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic abc", "token abc"])
def test_without_a_token(authorization: str):
    assert refusal(Made(job_of()), authorization) == "a bearer token is needed"


def alike(last: str) -> str:
    """Return another last letter of the same 32 bytes in base64: two bits of it are for nothing."""
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    return letters[letters.index(last) ^ 1]


def test_forged_and_changed_tokens():
    made = Made(job := job_of())
    token = made.tokens.runtime(job)
    head, payload, signature = token.split(".")
    other = Made(job, key=b"x" * 32).tokens.runtime(job)
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    for forged in (
        *("abc", "a.b.c", f"{head}.{payload}.", f"{head}.{payload}", f"{token}x"),
        *(f"{token}=", f"{token}!", f"{token[:-1]}{alike(token[-1])}"),
        *(other, f"{unsigned}.{payload}.", f"{unsigned}.{payload}.{signature}"),
        f"{head}.{other.split('.')[1]}.{signature}",
        signing.sign(b"{}", KEY),
        signing.sign(b"no json", KEY),
    ):
        assert refusal(made, f"Bearer {forged}") == "the token is not valid"


def test_a_token_for_something_else():
    made = Made(job := job_of())
    told = refusal(made, f"Bearer {made.tokens.identity(job)}")
    assert told == "the token is meant for something else"


def test_a_token_dies_with_its_time():
    made = Made(job := job_of(deadline=1_700_000_060.0))
    authorization = f"Bearer {made.tokens.runtime(job)}"
    made.clock.advance(59)
    assert made.tokens.runtime_job(authorization) is job
    made.clock.advance(1)
    assert refusal(made, authorization) == "the token has expired"


def test_a_token_dies_with_its_job():
    made = Made(job := job_of())
    authorization = f"Bearer {made.tokens.runtime(job)}"
    made.jobs.end(job)
    assert refusal(made, authorization) == "the job of this token has ended"


def test_github_tokens_are_of_one_job():
    made = Made()
    first, second = job_of(number=1), job_of(number=2)
    tokens = {made.jobs.token(first), made.jobs.token(second)}
    assert len(tokens) == 2
    assert all(token.startswith("ghs_") and len(token) == 40 for token in tokens)
    assert made.jobs.token(first) in tokens
    assert made.jobs.of_token(made.jobs.token(second)) is second
    assert made.jobs.of_token("ghs_") is None
    assert made.jobs.of_token("") is None


def test_a_github_token_dies_with_its_job():
    made = Made(job := job_of(deadline=1_700_000_060.0))
    token = made.jobs.token(job)
    made.clock.advance(60)
    assert made.jobs.of_token(token) is None
    made.jobs.end(job)
    made.jobs.end(job)
    assert made.jobs.token(job) != token


def test_a_token_that_the_user_gave_is_shared():
    made = Made(first := job_of(number=1), second := job_of(number=2))
    for job in (first, second, second):
        made.jobs.accept(job, "ghp_given")
    assert made.jobs.of_token("ghp_given") is second
    made.jobs.end(second)
    assert made.jobs.of_token("ghp_given") is first
    made.jobs.end(first)
    assert made.jobs.of_token("ghp_given") is None
