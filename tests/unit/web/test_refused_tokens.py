"""Tokens that are forged, expired, of others, or of jobs that ended: refused everywhere alike."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import jwt
import msgspec
import pytest

from tests.actions_services import ARTIFACTS, Answer, Served, ask, job_of, served
from trunkline.ports.job_services import ServicesAccess, ServicesJob

RUNTIME, IDENTITY, GITHUB = "runtime", "identity", "github"
PERMISSIONS = {"contents": "write", "id-token": "write"}
IDS = b'{"workflow_run_backend_id": "77", "workflow_job_run_backend_id": "1"}'
CACHES = "/twirp/github.actions.results.api.v1.CacheService"


class Door(NamedTuple):
    """A service: the token that opens it, its request, and where its error's text is."""

    token: str
    method: str
    path: str
    text: str
    body: bytes = b""


DOORS = {
    "artifacts": Door(RUNTIME, "POST", f"{ARTIFACTS}/ListArtifacts", "msg", IDS),
    "caches": Door(RUNTIME, "POST", f"{CACHES}/GetCacheEntryDownloadURL", "msg", b"{}"),
    "caches v1": Door(RUNTIME, "GET", "/_apis/artifactcache/cache?keys=k&version=v", "message"),
    "identity": Door(IDENTITY, "GET", "/oidc/token?audience=a", "message"),
    "rest": Door(GITHUB, "GET", "/api/v3/repos/octo/demo", "message"),
    "git": Door(GITHUB, "GET", "/octo/demo/info/refs?service=git-upload-pack", ""),
    "push": Door(GITHUB, "GET", "/octo/demo/info/refs?service=git-receive-pack", ""),
}


def tokens(services: Served, job: ServicesJob) -> dict[str, str]:
    """Return the tokens of a job that is let in."""
    access: ServicesAccess = services.open(job)
    return {
        RUNTIME: access.actions["ACTIONS_RUNTIME_TOKEN"],
        IDENTITY: access.actions["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
        GITHUB: services.services.token(job),
    }


def job(number: int = 1, run_id: str = "77", **changes: object) -> ServicesJob:
    made = job_of(run_id, number, permissions=PERMISSIONS)
    return msgspec.structs.replace(made, **changes)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("services")) as found:
        yield found


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("elsewhere")) as found:
        yield found


def knock(services: Served, door: Door, token: str) -> Answer:
    """Send the request of a service with a token."""
    url = services.open(job()).actions["ACTIONS_RESULTS_URL"].rstrip("/")
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    if not door.text:
        basic = b64encode(f"x-access-token:{token}".encode()).decode()
        headers["authorization"] = f"Basic {basic}"
    return ask(door.method, url + door.path, door.body, headers)


def ended(services: Served) -> Mapping[str, str]:
    late = job(2)
    found = tokens(services, late)
    services.services.close(late)
    return found


def expired(services: Served) -> Mapping[str, str]:
    return tokens(services, job(3, deadline=time.time() - 1))


def of_another_kind(services: Served) -> Mapping[str, str]:
    found = tokens(services, job(4))
    return {RUNTIME: found[IDENTITY], IDENTITY: found[GITHUB], GITHUB: found[RUNTIME]}


def signed_by_others(services: Served) -> Mapping[str, str]:
    claims = jwt.decode(tokens(services, job(5))[RUNTIME], options={"verify_signature": False})
    forged = jwt.encode(claims, "k" * 32, algorithm="HS256")
    return {RUNTIME: forged, IDENTITY: forged, GITHUB: forged}


def unsigned(services: Served) -> Mapping[str, str]:
    found = tokens(services, job(6))
    claims = jwt.decode(found[RUNTIME], options={"verify_signature": False})
    plain = jwt.encode(claims, "", algorithm="none")
    return {RUNTIME: plain, IDENTITY: plain, GITHUB: found[GITHUB][:-1]}


def changed(services: Served) -> Mapping[str, str]:
    found = tokens(services, job(7))
    # A signature's last character may say nothing; the one before does.
    return {
        name: token[:-2] + ("B" if token[-2] == "A" else "A") + token[-1]
        for name, token in found.items()
    }


def none_at_all(_services: Served) -> Mapping[str, str]:
    return {RUNTIME: "", IDENTITY: "", GITHUB: ""}


WRONG = [ended, expired, of_another_kind, signed_by_others, unsigned, changed, none_at_all]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_wrong_tokens(services: Served, wrong: Callable[[Served], Mapping[str, str]], door: str):
    check(knock(services, DOORS[door], wrong(services)[DOORS[door].token]), DOORS[door])


@pytest.mark.parametrize("door", DOORS)
def test_tokens_of_another_machine(services: Served, elsewhere: Served, door: str):
    foreign = tokens(elsewhere, job())[DOORS[door].token]
    check(knock(services, DOORS[door], foreign), DOORS[door])


def check(answer: Answer, door: Door) -> None:
    """Check that a request was refused, in the form that its clients read."""
    assert answer.status == 401
    if not door.text:
        assert answer.headers["www-authenticate"].startswith("Basic ")
        return
    assert answer.headers["content-type"].startswith("application/json")
    assert msgspec.json.decode(answer.body)[door.text]


@pytest.mark.parametrize("door", [name for name in DOORS if not name.startswith("cache")])
def test_the_right_token(services: Served, door: str):
    wanted = DOORS[door]
    answer = knock(services, wanted, tokens(services, job())[wanted.token])
    assert answer.status not in {401, 403}


def test_nothing_is_left_of_refused_uploads(services: Served):
    folder = Path(services.system.settings.state) / "uploads"
    body = msgspec.json.encode({"name": "x", "version": 7})
    create = Door(RUNTIME, "POST", f"{ARTIFACTS}/CreateArtifact", "msg", body)
    for wrong in WRONG:
        check(knock(services, create, wrong(services)[RUNTIME]), create)
    assert not folder.exists() or list(folder.iterdir()) == []
