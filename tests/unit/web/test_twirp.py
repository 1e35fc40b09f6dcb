"""Twirp services on a port: names in both spellings, numbers as text, and errors that are JSON always."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.actions_services import ARTIFACTS, RUN, Answer, Served, ask, call, job_of, served
from trunkline.app import System
from trunkline.ports.job_services import ServicesAccess

IDS = {"workflow_run_backend_id": RUN, "workflow_job_run_backend_id": "1"}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("services")) as found:
        found.run(RUN)
        yield found


@pytest.fixture
def access(services: Served) -> Iterator[ServicesAccess]:
    job = job_of()
    yield services.open(job)
    services.services.close(job)


def error(answer: Answer) -> tuple[int, object]:
    """Return an error's status and code."""
    assert answer.record.keys() == {"code", "msg"}
    return answer.status, answer.record["code"]


def raw(access: ServicesAccess, body: bytes, **headers: str) -> Answer:
    """Send a body to ListArtifacts as it is."""
    found = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {access.actions['ACTIONS_RUNTIME_TOKEN']}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    url = access.actions["ACTIONS_RESULTS_URL"].rstrip("/")
    return ask("POST", f"{url}{ARTIFACTS}/ListArtifacts", body, found)


def test_names_in_both_spellings(access: ServicesAccess):
    for record in (
        IDS,
        {"workflowRunBackendId": RUN, "workflowJobRunBackendId": "1"},
        {**IDS, "nameFilter": None, "id_filter": None},
        {**IDS, "id_filter": "104"},
        {**IDS, "idFilter": 104},
        {**IDS, "something_new": {"deep": [1]}},
    ):
        answer = call(access, f"{ARTIFACTS}/ListArtifacts", record)
        assert (answer.status, answer.record) == (200, {"artifacts": []}), record


def test_the_path_of_the_results_url_does_not_matter(access: ServicesAccess):
    parts = urlsplit(access.actions["ACTIONS_RESULTS_URL"])
    assert (parts.scheme, parts.path) == ("http", "/")
    assert parts.hostname == "127.0.0.1"


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"[]", b"1", b'"x"', b"\xff", b"\0", b'{"name_filter": 1}'),
        *(b'{"id_filter": "x"}', b'{"id_filter": []}', b'{"workflow_run_backend_id": {}}'),
        b"{" + b" " * (1 << 20) + b"}",
        b'{"name_filter": "\xff"}',
        b'{"name_filter": ' * 10_000,
    ],
)
def test_bodies_that_make_no_sense(access: ServicesAccess, body: bytes):
    assert error(raw(access, body)) == (400, "malformed")


def test_an_empty_body_is_an_empty_message(access: ServicesAccess):
    assert error(raw(access, b"")) == (403, "permission_denied")


@pytest.mark.parametrize(
    "path",
    [
        *("/twirp/", "/twirp/x/y", f"{ARTIFACTS}/", f"{ARTIFACTS}/Nothing", f"{ARTIFACTS}/a/b"),
        *("/twirp/github.actions.results.api.v1.Other/List", f"{ARTIFACTS}/%00"),
    ],
)
def test_there_is_no_such_method(access: ServicesAccess, path: str):
    assert error(call(access, path, {})) == (404, "bad_route")


def test_other_ways_to_ask(access: ServicesAccess):
    assert error(raw(access, b"{}", Content_Type="application/protobuf")) == (404, "bad_route")
    assert raw(access, msgspec.json.encode(IDS), Content_Type="application/json; v=1").status == 200
    url = access.actions["ACTIONS_RESULTS_URL"].rstrip("/") + f"{ARTIFACTS}/ListArtifacts"
    headers = {"Authorization": f"Bearer {access.actions['ACTIONS_RUNTIME_TOKEN']}"}
    assert error(ask("GET", url, headers=headers)) == (404, "bad_route")


def test_without_the_right_token(services: Served, access: ServicesAccess):
    good = access.actions["ACTIONS_RUNTIME_TOKEN"]
    foreign = services.open(job_of("78"))
    changed = good[:-3] + ("AAA" if good[-3:] != "AAA" else "BBB")
    for token in ("", "x", changed, services.services.token(job_of())):
        answer = raw(access, b"{}", Authorization=f"Bearer {token}")
        assert error(answer) == (401, "unauthenticated"), token
    assert error(raw(access, b"{}", Authorization=f"Basic {good}")) == (401, "unauthenticated")
    answer = call(foreign, f"{ARTIFACTS}/ListArtifacts", IDS)
    assert error(answer) == (403, "permission_denied")
    assert raw(access, msgspec.json.encode(IDS), Authorization=f"bearer {good}").status == 200


def test_a_token_of_another_process(access: ServicesAccess, tmp_path_factory):
    with served(tmp_path_factory.mktemp("other")) as other:
        token = other.open(job_of()).actions["ACTIONS_RUNTIME_TOKEN"]
        answer = raw(access, b"{}", Authorization=f"Bearer {token}")
        assert error(answer) == (401, "unauthenticated")


def test_a_token_of_a_job_that_ended(services: Served):
    job = job_of(number=9)
    access = services.open(job)
    services.services.close(job)
    assert error(call(access, f"{ARTIFACTS}/ListArtifacts", IDS)) == (401, "unauthenticated")


def test_opening_twice_and_closing_unopened(services: Served):
    job = job_of(number=8)
    first, second = services.open(job), services.open(job)
    for access in (first, second):
        record = {"workflow_run_backend_id": RUN}
        assert call(access, f"{ARTIFACTS}/ListArtifacts", record).status == 200
    services.services.close(job)
    services.services.close(job)
    services.services.close(job_of(number=10))


def test_actions_of_version_3_are_told(access: ServicesAccess):
    url = access.actions["ACTIONS_RUNTIME_URL"]
    path = f"_apis/pipelines/workflows/{RUN}/artifacts?api-version=6.0-preview"
    answer = ask("POST", f"{url}{path}", b'{"Type":"actions_storage","Name":"old"}')
    assert answer.status == 410
    assert "actions/upload-artifact@v4" in str(answer.record["message"])


def test_what_a_job_is_given(services: Served):
    job = job_of(number=3)
    access = services.open(job)
    assert access.actions.keys() == {
        *("ACTIONS_RUNTIME_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL"),
        *("ACTIONS_CACHE_URL", "ACTIONS_CACHE_SERVICE_V2", "ACTIONS_CACHE_MODE"),
    }
    assert access.scripts == {}
    assert access.actions["ACTIONS_RUNTIME_TOKEN"] in access.secrets
    assert access.actions["ACTIONS_CACHE_URL"].endswith("/")
    assert access.github["api_url"].endswith("/api/v3")
    allowed = services.open(job_of(number=4, permissions={"id-token": "write"}))
    assert allowed.scripts.keys() == {
        *("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    }
    assert allowed.scripts.items() <= allowed.actions.items()
    assert "?" in allowed.scripts["ACTIONS_ID_TOKEN_REQUEST_URL"]
    assert allowed.scripts["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] in allowed.secrets


def test_nothing_listens_before_a_job_opens(tmp_path):
    with served(tmp_path) as found:
        token = found.services.token(job_of())
        assert token.startswith("ghs_")
        found.services.close(job_of())
        assert isinstance(found.system, System)
        assert not (tmp_path / ".local").exists()
