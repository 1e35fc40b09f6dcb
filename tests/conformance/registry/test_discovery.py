"""Listings: tags, referrers, repositories; and what every answer has (end-1, 8, 12)."""

from __future__ import annotations

import re

import pytest

from tests.conformance.registry.client import (
    CONFIG,
    EMPTY,
    INDEX,
    MANIFEST,
    Answer,
    Client,
    Repository,
    described,
    digest_of,
    index,
    manifest,
)

TAGS = ["1", "A", "a", "b", "v1.0"]


def next_page(answer: Answer) -> str:
    """Return where the Link header leads, '' without one."""
    if not answer.header("Link"):
        return ""
    found = re.fullmatch(r'<([^>]+)>; *rel="?next"?', answer.header("Link"))
    assert found
    return found[1]


def attach(repo: Repository, subject: bytes, kind: str = "", **more: object) -> bytes:
    """Push an artifact with a subject; return it."""
    repo.push(b"{}")
    named = {"subject": described(subject, MANIFEST), **more}
    if kind:
        named["artifactType"] = kind
    config = EMPTY if kind else CONFIG
    body = manifest(described(b"{}", config), [described(b"{}", EMPTY)], **named)
    answer = repo.put_manifest(digest_of(body), body)
    assert answer.status == 201
    assert answer.header("OCI-Subject") == digest_of(subject)
    return body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_this_is_a_registry(client: Client, method: str) -> None:
    answer = client.send(method, "/v2/")
    assert answer.status == 200
    assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"


def test_tags_are_listed_in_order(repo: Repository) -> None:
    repo.push_image(*reversed(TAGS))
    answer = repo.send("GET", "tags/list")
    assert answer.status == 200
    assert answer.header("Content-Type").startswith("application/json")
    record = answer.json()
    assert record["name"] == repo.name
    assert record["tags"] in (TAGS, sorted(TAGS, key=str.lower))


def test_tags_come_in_pages(repo: Repository) -> None:
    repo.push_image(*TAGS)
    seen: list[str] = []
    answer = repo.send("GET", "tags/list", query={"n": 2})
    for _ in TAGS:
        assert answer.status == 200
        seen += answer.json()["tags"]
        if not (following := next_page(answer)):
            break
        answer = repo.client.send("GET", following)
    assert seen == repo.send("GET", "tags/list").json()["tags"]


def test_tags_after_a_tag(repo: Repository) -> None:
    repo.push_image(*TAGS)
    everything = repo.send("GET", "tags/list").json()["tags"]
    assert (
        repo.send("GET", "tags/list", query={"last": everything[2]}).json()["tags"]
        == everything[3:]
    )
    page = repo.send("GET", "tags/list", query={"last": everything[0], "n": 2})
    assert page.json()["tags"] == everything[1:3]


def test_tags_after_one_that_is_not_there(repo: Repository) -> None:
    repo.push_image(*TAGS)
    assert repo.send("GET", "tags/list", query={"last": "aa"}).json()["tags"] == ["b", "v1.0"]


def test_no_tags_are_asked_for(repo: Repository) -> None:
    repo.push_image(*TAGS)
    answer = repo.send("GET", "tags/list", query={"n": 0})
    assert answer.status == 200
    assert not answer.json()["tags"]
    assert not answer.header("Link")


def test_as_many_tags_as_there_are(repo: Repository) -> None:
    repo.push_image(*TAGS)
    answer = repo.send("GET", "tags/list", query={"n": len(TAGS)})
    assert len(answer.json()["tags"]) == len(TAGS)
    assert not next_page(answer)


@pytest.mark.parametrize("n", ["x", "-1"])
def test_a_number_that_is_none_is_refused(repo: Repository, n: str) -> None:
    repo.push_image("t")
    assert repo.send("GET", "tags/list", query={"n": n}).status == 400


def test_a_repository_without_tags(repo: Repository) -> None:
    repo.push_image()
    answer = repo.send("GET", "tags/list")
    assert answer.status == 200
    assert not answer.json()["tags"]


def test_tags_of_an_unknown_repository(repo: Repository) -> None:
    answer = repo.send("GET", "tags/list")
    assert answer.status == 404
    assert answer.code() == "NAME_UNKNOWN"


def test_referrers(repo: Repository) -> None:
    _, subject = repo.push_image("t")
    kinds = ["application/x.signature", "application/x.sbom", ""]
    note = {"org.example.note": "here"}
    bodies = {kind: attach(repo, subject, kind, annotations=note) for kind in kinds}
    answer = repo.send("GET", f"referrers/{digest_of(subject)}")
    assert answer.status == 200
    assert answer.header("Content-Type") == INDEX
    record = answer.json()
    assert (record["schemaVersion"], record["mediaType"]) == (2, INDEX)
    found = {one["digest"]: one for one in record["manifests"]}
    assert set(found) == {digest_of(body) for body in bodies.values()}
    for kind, body in bodies.items():
        one = found[digest_of(body)]
        assert (one["mediaType"], one["size"]) == (MANIFEST, len(body))
        assert one["artifactType"] == (kind or CONFIG)
        assert one["annotations"] == note


def test_referrers_are_filtered(repo: Repository) -> None:
    _, subject = repo.push_image("t")
    wanted = attach(repo, subject, "application/x.signature+json")
    attach(repo, subject, "application/x.sbom")
    path = f"referrers/{digest_of(subject)}"
    answer = repo.send("GET", path, query={"artifactType": "application/x.signature+json"})
    assert answer.status == 200
    assert answer.header("OCI-Filters-Applied") == "artifactType"
    assert [one["digest"] for one in answer.json()["manifests"]] == [digest_of(wanted)]


def test_referrers_of_a_type_that_is_not_there(repo: Repository) -> None:
    _, subject = repo.push_image("t")
    attach(repo, subject, "application/x.sbom")
    answer = repo.send("GET", f"referrers/{digest_of(subject)}", query={"artifactType": "x/y"})
    assert (answer.status, answer.json()["manifests"]) == (200, [])


def test_referrers_of_a_subject_that_is_not_there(repo: Repository) -> None:
    body = attach(repo, b"missing", "application/x.sbom")
    answer = repo.send("GET", f"referrers/{digest_of(b'missing')}")
    assert [one["digest"] for one in answer.json()["manifests"]] == [digest_of(body)]


def test_an_index_may_have_a_subject(repo: Repository) -> None:
    _, subject = repo.push_image("t")
    body = index(described(subject, MANIFEST), subject=described(subject, MANIFEST))
    answer = repo.put_manifest("i", body, INDEX)
    assert answer.status == 201
    assert answer.header("OCI-Subject") == digest_of(subject)
    (one,) = repo.send("GET", f"referrers/{digest_of(subject)}").json()["manifests"]
    assert one["mediaType"] == INDEX
    assert "artifactType" not in one


def test_a_manifest_without_subject_has_no_such_header(repo: Repository) -> None:
    _, body = repo.push_image()
    assert not repo.put_manifest("t", body).header("OCI-Subject")


@pytest.mark.parametrize("known", [True, False])
def test_no_referrers_are_an_empty_listing(repo: Repository, known: bool) -> None:  # noqa: FBT001
    if known:
        repo.push_image("t")
    answer = repo.send("GET", f"referrers/{digest_of(b'x')}")
    assert answer.status == 200
    assert answer.header("Content-Type") == INDEX
    assert answer.json()["manifests"] == []


@pytest.mark.parametrize("wrong", ["sha256:nonsense", "latest", "md5:" + "0" * 32])
def test_referrers_of_what_is_no_digest(repo: Repository, wrong: str) -> None:
    assert repo.send("GET", f"referrers/{wrong}").status == 400


def test_a_deleted_referrer_is_no_longer_listed(repo: Repository) -> None:
    _, subject = repo.push_image("t")
    body = attach(repo, subject, "application/x.sbom")
    assert repo.send("DELETE", f"manifests/{digest_of(body)}").status == 202
    assert repo.send("GET", f"referrers/{digest_of(subject)}").json()["manifests"] == []


def test_repositories_come_in_pages(client: Client, repo: Repository, other: Repository) -> None:
    for one in (repo, other):
        one.push_image("t")
    seen: list[str] = []
    following = "/v2/_catalog?n=3"
    while following:
        answer = client.send("GET", following)
        assert answer.status == 200
        page = answer.json()["repositories"]
        assert len(page) <= 3
        seen += page
        following = next_page(answer)
    assert {repo.name, other.name} <= set(seen)
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("name", ["UPPER", "a//b", "-a", "a_-b", "a/", "a/B/c", "%2e%2e/a", "a..b"])
def test_a_name_outside_of_the_grammar(client: Client, name: str) -> None:
    answer = client.send("GET", f"/v2/{name}/tags/list")
    assert 300 <= answer.status < 500
    if answer.status == 400:
        assert answer.code() == "NAME_INVALID"


@pytest.mark.parametrize("name", ["../../etc", "a/../../b", "..%2f..%2fetc", "a/%2e%2e/%2e%2e/b"])
def test_tricks_with_names_reach_nothing(client: Client, name: str) -> None:
    answer = client.send("PUT", f"/v2/{name}/manifests/t", b"{}", {"Content-Type": MANIFEST})
    assert 300 <= answer.status < 500


@pytest.mark.parametrize(
    "name", ["a/manifests", "blobs/uploads", "a/tags/list", "v2/v2", "a/blobs"]
)
def test_names_that_look_like_end_points(client: Client, name: str) -> None:
    repo = Repository(client, f"{name}/x")
    _, body = repo.push_image("t")
    answer = repo.send("GET", "manifests/t", headers={"Accept": MANIFEST})
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "tags/list"),
        ("PUT", "blobs/" + digest_of(b"x")),
        ("POST", "manifests/t"),
        ("PATCH", "manifests/t"),
        ("DELETE", "referrers/" + digest_of(b"x")),
    ],
)
def test_methods_that_an_end_point_does_not_have(repo: Repository, method: str, path: str) -> None:
    repo.push_image("t")
    answer = repo.send(method, path)
    assert answer.status == 405
    assert "GET" in answer.header("Allow")


@pytest.mark.parametrize("path", ["/v2/a/unknown/x", "/v2/a", "/v1/", "/v2/a/manifests/"])
def test_there_is_nothing_at_other_paths(client: Client, path: str) -> None:
    assert client.send("GET", path).status == 404


def test_errors_are_json(repo: Repository) -> None:
    answer = repo.send("GET", f"blobs/{digest_of(b'unknown')}")
    assert answer.header("Content-Type").startswith("application/json")
    (error,) = answer.json()["errors"]
    assert re.fullmatch("[A-Z_]+", error["code"])
    assert isinstance(error["message"], str)
