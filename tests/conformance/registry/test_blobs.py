"""Blobs: pushing in every way, pulling whole and in parts, mounting, deleting (end-2, 4 to 6, 10, 11, 13, 14)."""

from __future__ import annotations

import pytest

from tests.conformance.registry.client import (
    OCTETS,
    Client,
    Repository,
    digest_of,
    random_content,
)

ALGORITHMS = ("sha256", "sha512")
CONTENT = random_content(2048)


def check_pull(repo: Repository, digest: str, content: bytes) -> None:
    answer = repo.send("GET", f"blobs/{digest}")
    assert (answer.status, answer.body) == (200, content)
    assert answer.header("Docker-Content-Digest") == digest


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_post_then_put(repo: Repository, algorithm: str) -> None:
    content = random_content()
    digest = digest_of(content, algorithm)
    answer = repo.put(repo.start(), digest, content)
    assert answer.status == 201
    assert answer.header("Location")
    pulled = repo.client.send("GET", answer.header("Location"))
    assert (pulled.status, pulled.body) == (200, content)
    check_pull(repo, digest, content)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_single_post(repo: Repository, algorithm: str) -> None:
    content = random_content()
    digest = digest_of(content, algorithm)
    headers = {"Content-Type": OCTETS}
    answer = repo.send("POST", "blobs/uploads/", content, headers, {"digest": digest})
    assert answer.status in {201, 202}
    if answer.status == 202:
        answer = repo.put(answer.header("Location"), digest, content)
    check_pull(repo, digest, content)


def test_single_post_is_supported(repo: Repository) -> None:
    content = random_content()
    digest = digest_of(content)
    answer = repo.send(
        "POST", "blobs/uploads/", content, {"Content-Type": OCTETS}, {"digest": digest}
    )
    assert answer.status == 201
    assert digest in answer.header("Location")


def test_single_post_with_the_wrong_digest(repo: Repository) -> None:
    digest = digest_of(b"other")
    answer = repo.send(
        "POST", "blobs/uploads/", b"content", {"Content-Type": OCTETS}, {"digest": digest}
    )
    assert answer.status == 400
    assert answer.code() == "DIGEST_INVALID"
    assert repo.send("HEAD", f"blobs/{digest}").status == 404


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_chunks(repo: Repository, algorithm: str) -> None:
    location = repo.start()
    for first in (0, 1000, 2000):
        answer = repo.patch(location, CONTENT[first : first + 1000], first)
        assert answer.status == 202
        assert answer.header("Range") == f"0-{min(first + 1000, 2048) - 1}"
        location = answer.header("Location")
    digest = digest_of(CONTENT, algorithm)
    assert repo.put(location, digest).status == 201
    check_pull(repo, digest, CONTENT)


def test_the_last_chunk_may_come_with_the_put(repo: Repository) -> None:
    answer = repo.patch(repo.start(), CONTENT[:1500], 0)
    digest = digest_of(CONTENT)
    last = repo.put(answer.header("Location"), digest, CONTENT[1500:], Content_Range="1500-2047")
    assert last.status == 201
    check_pull(repo, digest, CONTENT)


def test_a_stream_without_length_type_or_range(repo: Repository) -> None:
    content = random_content(300_000)
    pieces = (content[first : first + 32_768] for first in range(0, len(content), 32_768))
    answer = repo.client.send("PATCH", repo.start(), pieces)
    assert answer.status == 202
    assert answer.header("Range") == "0-299999"
    digest = digest_of(content)
    assert repo.put(answer.header("Location"), digest).status == 201
    check_pull(repo, digest, content)


def test_a_put_may_come_as_a_stream(repo: Repository) -> None:
    content = random_content(100_000)
    digest = digest_of(content)
    answer = repo.client.send(
        "PUT", repo.start(), iter([content[:50_000], content[50_000:]]), (), {"digest": digest}
    )
    assert answer.status == 201
    check_pull(repo, digest, content)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_digest_algorithm_may_be_announced(repo: Repository, algorithm: str) -> None:
    location = repo.start({"digest-algorithm": algorithm})
    digest = digest_of(CONTENT, algorithm)
    assert repo.put(location, digest, CONTENT).status == 201
    check_pull(repo, digest, CONTENT)


def test_an_unknown_algorithm_is_refused(repo: Repository) -> None:
    answer = repo.send("POST", "blobs/uploads/", query={"digest-algorithm": "md5"})
    assert answer.status == 400
    assert answer.code() == "DIGEST_INVALID"


@pytest.mark.parametrize("content", [b"", b"{}"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_contents_that_every_registry_meets(
    repo: Repository, content: bytes, algorithm: str
) -> None:
    check_pull(repo, repo.push(content, algorithm), content)


@pytest.mark.parametrize("first", [0, 999, 1001, 5000])
def test_a_chunk_out_of_order_is_refused(repo: Repository, first: int) -> None:
    location = repo.patch(repo.start(), CONTENT[:1000], 0).header("Location")
    assert repo.patch(location, b"x" * 100, first).status == 416


def test_the_first_chunk_begins_at_zero(repo: Repository) -> None:
    assert repo.patch(repo.start(), b"x" * 100, 100).status == 416


def test_a_last_chunk_out_of_order_is_refused(repo: Repository) -> None:
    location = repo.patch(repo.start(), CONTENT[:1000], 0).header("Location")
    answer = repo.put(location, digest_of(CONTENT), CONTENT[1100:], Content_Range="1100-2047")
    assert answer.status == 416


def test_an_upload_goes_on_after_a_refused_chunk(repo: Repository) -> None:
    location = repo.patch(repo.start(), CONTENT[:1000], 0).header("Location")
    repo.patch(location, b"wrong", 1500)
    state = repo.client.send("GET", location)
    assert state.status == 204
    assert state.header("Range") == "0-999"
    answer = repo.patch(state.header("Location"), CONTENT[1000:], 1000)
    assert answer.status == 202
    assert repo.put(answer.header("Location"), digest_of(CONTENT)).status == 201


@pytest.mark.parametrize("given", ["5", "5-4", "a-b", "-5"])
def test_a_range_that_makes_no_sense_is_refused(repo: Repository, given: str) -> None:
    headers = {"Content-Type": OCTETS, "Content-Range": given}
    answer = repo.client.send("PATCH", repo.start(), b"12345", headers)
    assert answer.status in {400, 416}


def test_a_chunk_that_is_not_as_long_as_its_range_is_refused(repo: Repository) -> None:
    location = repo.start()
    headers = {"Content-Type": OCTETS, "Content-Range": "0-99"}
    answer = repo.client.send("PATCH", location, b"12345", headers)
    assert answer.status in {400, 416}


def test_the_state_of_an_upload(repo: Repository) -> None:
    location = repo.start()
    state = repo.client.send("GET", location)
    assert state.status == 204
    assert state.header("Location")
    location = repo.patch(location, b"12345", 0).header("Location")
    state = repo.client.send("GET", location)
    assert (state.status, state.header("Range")) == (204, "0-4")


def test_a_client_that_leaves_in_the_middle_can_resume(repo: Repository) -> None:
    location = repo.start()
    connection = repo.client.connect()
    connection.putrequest("PATCH", location)
    connection.putheader("Content-Type", OCTETS)
    connection.putheader("Content-Length", str(len(CONTENT)))
    connection.endheaders(CONTENT[:1500])
    connection.close()
    state = repo.client.send("GET", location)
    assert state.status == 204
    # What was received so far is the registry's choice: its Range tells, "0-0" is nothing or a byte.
    end = int(state.header("Range").removeprefix("0-"))
    come = end + 1 if end else 0
    assert come <= 1500
    answer = repo.patch(state.header("Location") or location, CONTENT[come:], come)
    assert answer.status == 202
    assert repo.put(answer.header("Location"), digest_of(CONTENT)).status == 201


def test_the_wrong_digest_leaves_nothing(repo: Repository) -> None:
    digest = digest_of(b"other")
    location = repo.start()
    answer = repo.put(location, digest, b"content")
    assert answer.status == 400
    assert answer.code() == "DIGEST_INVALID"
    assert repo.send("HEAD", f"blobs/{digest}").status == 404
    assert repo.send("HEAD", f"blobs/{digest_of(b'content')}").status == 404


@pytest.mark.parametrize(
    "wrong", ["", "sha256:abc", "sha256", "md5:" + "0" * 32, "nonsense", "sha256:" + "G" * 64]
)
def test_what_is_no_digest_is_refused(repo: Repository, wrong: str) -> None:
    answer = repo.put(repo.start(), wrong, b"content")
    assert answer.status == 400
    assert answer.code() == "DIGEST_INVALID"


def test_a_put_without_digest_is_refused(repo: Repository) -> None:
    answer = repo.client.send("PUT", repo.start(), b"x", {"Content-Type": OCTETS})
    assert answer.status == 400
    assert answer.code() == "DIGEST_INVALID"


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_an_unknown_upload(repo: Repository, method: str) -> None:
    path = "blobs/uploads/00000000-0000-4000-8000-000000000000"
    query = {"digest": digest_of(b"x")} if method == "PUT" else {}
    answer = repo.send(method, path, b"x" if method[0] == "P" else b"", query=query)
    assert answer.status == 404
    assert answer.code() == "BLOB_UPLOAD_UNKNOWN"


def test_a_cancelled_upload_is_gone(repo: Repository) -> None:
    location = repo.start()
    assert repo.client.send("DELETE", location).status == 204
    assert repo.client.send("GET", location).status == 404
    assert repo.put(location, digest_of(b"x"), b"x").status == 404


def test_a_finished_upload_is_gone(repo: Repository) -> None:
    location = repo.start()
    repo.put(location, digest_of(b"x"), b"x")
    assert repo.client.send("GET", location).status == 404


def test_an_upload_belongs_to_its_repository(repo: Repository, other: Repository) -> None:
    location = repo.start().replace(repo.name, other.name)
    answer = other.patch(location, b"content")
    assert answer.status in {400, 404}


def test_mount(repo: Repository, other: Repository) -> None:
    content = random_content()
    digest = other.push(content)
    answer = repo.send("POST", "blobs/uploads/", query={"mount": digest, "from": other.name})
    assert answer.status == 201
    assert digest in answer.header("Location")
    assert answer.header("Docker-Content-Digest") == digest
    check_pull(repo, digest, content)


def test_mount_without_a_source(repo: Repository, other: Repository) -> None:
    content = random_content()
    digest = other.push(content)
    answer = repo.send("POST", "blobs/uploads/", query={"mount": digest})
    assert answer.status in {201, 202}
    if answer.status == 202:
        assert repo.put(answer.header("Location"), digest, content).status == 201
    check_pull(repo, digest, content)


def test_mount_as_crane_asks_for_it(repo: Repository, other: Repository) -> None:
    digest = other.push(random_content())
    query = {"mount": digest, "from": other.name, "origin": "127.0.0.1:5000"}
    answer = repo.send(
        "POST", "blobs/uploads/", headers={"Content-Type": "application/json"}, query=query
    )
    assert answer.status == 201


def test_mount_of_what_is_not_there_begins_an_upload(repo: Repository, other: Repository) -> None:
    content = random_content()
    digest = digest_of(content)
    answer = repo.send("POST", "blobs/uploads/", query={"mount": digest, "from": other.name})
    assert answer.status == 202
    assert repo.put(answer.header("Location"), digest, content).status == 201


def test_a_blob_of_another_repository_is_not_served(repo: Repository, other: Repository) -> None:
    digest = other.push(random_content())
    assert repo.send("HEAD", f"blobs/{digest}").status == 404


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_head(repo: Repository, algorithm: str) -> None:
    digest = repo.push(CONTENT, algorithm)
    answer = repo.send("HEAD", f"blobs/{digest}")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == "2048"
    assert answer.header("Docker-Content-Digest") == digest


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_unknown_blob(repo: Repository, method: str) -> None:
    answer = repo.send(method, f"blobs/{digest_of(random_content())}")
    assert answer.status == 404
    if method != "HEAD":
        assert answer.code() in {"BLOB_UNKNOWN", "NAME_UNKNOWN"}


def test_a_digest_that_is_none(client: Client, repo: Repository) -> None:
    repo.push(b"x")
    answer = client.send("GET", f"/v2/{repo.name}/blobs/sha256:nonsense")
    assert answer.status in {400, 404}


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=500-1499", 500, 1499),
        ("bytes=500-", 500, 2047),
        ("bytes=-500", 1548, 2047),
        ("bytes=2000-5000", 2000, 2047),
        ("bytes=0-0", 0, 0),
        ("bytes=-5000", 0, 2047),
    ],
)
def test_ranges(repo: Repository, asked: str, first: int, last: int) -> None:
    digest = repo.push(CONTENT)
    answer = repo.send("GET", f"blobs/{digest}", headers={"Range": asked})
    assert answer.status == 206
    assert answer.body == CONTENT[first : last + 1]
    assert answer.header("Content-Range") == f"bytes {first}-{last}/2048"
    assert answer.header("Content-Length") == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=2048-", "bytes=5000-10000"])
def test_ranges_behind_the_end(repo: Repository, asked: str) -> None:
    digest = repo.push(CONTENT)
    answer = repo.send("GET", f"blobs/{digest}", headers={"Range": asked})
    assert answer.status == 416
    assert answer.header("Content-Range") == "bytes */2048"


@pytest.mark.parametrize("asked", ["bytes=a-b", "lines=0-1"])
def test_ranges_that_are_none_are_ignored(repo: Repository, asked: str) -> None:
    digest = repo.push(CONTENT)
    answer = repo.send("GET", f"blobs/{digest}", headers={"Range": asked})
    assert (answer.status, answer.body) == (200, CONTENT)


def test_delete(repo: Repository) -> None:
    digest = repo.push(random_content())
    assert repo.send("DELETE", f"blobs/{digest}").status == 202
    assert repo.send("HEAD", f"blobs/{digest}").status == 404
    assert repo.send("DELETE", f"blobs/{digest}").status == 404


def test_a_deleted_blob_can_be_pushed_again(repo: Repository) -> None:
    content = random_content()
    digest = repo.push(content)
    repo.send("DELETE", f"blobs/{digest}")
    repo.push(content)
    check_pull(repo, digest, content)


def test_a_pushed_blob_can_be_pushed_again(repo: Repository) -> None:
    content = random_content()
    repo.push(content)
    check_pull(repo, repo.push(content), content)
