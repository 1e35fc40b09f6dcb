"""Manifests and tags: pushing, pulling, deleting, and what must be refused (end-3, 7, 9)."""

from __future__ import annotations

import json

import pytest

from tests.conformance.registry.client import (
    CONFIG,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    DOCKER_SCHEMA_1,
    EMPTY,
    FOREIGN,
    INDEX,
    LAYER,
    MANIFEST,
    Repository,
    described,
    digest_of,
    index,
    manifest,
    random_content,
)


def parts(repo: Repository, algorithm: str = "sha256") -> tuple[bytes, bytes]:
    """Push a configuration and a layer."""
    config, layer = b'{"os":"linux"}', random_content()
    repo.push(config, algorithm)
    repo.push(layer, algorithm)
    return config, layer


def check_pull(repo: Repository, reference: str, body: bytes, media_type: str = MANIFEST) -> None:
    answer = repo.send("GET", f"manifests/{reference}", headers={"Accept": media_type})
    assert (answer.status, answer.body) == (200, body)
    assert answer.header("Content-Type") == media_type
    assert answer.header("Content-Length") == str(len(body))


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_put_and_get(repo: Repository, by: str) -> None:
    config, layer = parts(repo)
    body = manifest(described(config, CONFIG), [described(layer, LAYER)])
    digest = digest_of(body)
    reference = digest if by == "digest" else "v1.0-rc.1"
    answer = repo.put_manifest(reference, body)
    assert answer.status == 201
    assert answer.header("Docker-Content-Digest") == digest
    pulled = repo.client.send("GET", answer.header("Location"), headers={"Accept": MANIFEST})
    assert (pulled.status, pulled.body) == (200, body)
    for asked in {reference, digest}:
        check_pull(repo, asked, body)
        answer = repo.send("GET", f"manifests/{asked}", headers={"Accept": MANIFEST})
        assert answer.header("Docker-Content-Digest") == digest


def test_bytes_are_kept_as_they_came(repo: Repository) -> None:
    config, layer = parts(repo)
    body = b"\n " + manifest(described(config, CONFIG), [described(layer, LAYER)]) + b"\n\n"
    assert repo.put_manifest("odd", body).status == 201
    check_pull(repo, digest_of(body), body)


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_head(repo: Repository, by: str) -> None:
    digest, body = repo.push_image("t")
    reference = digest if by == "digest" else "t"
    answer = repo.send("HEAD", f"manifests/{reference}", headers={"Accept": MANIFEST})
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == str(len(body))
    assert answer.header("Content-Type") == MANIFEST
    assert answer.header("Docker-Content-Digest") == digest


def test_accept_may_come_in_several_lines(repo: Repository) -> None:
    _, body = repo.push_image("t")
    lines = [("Accept", kind) for kind in (DOCKER_SCHEMA_1, DOCKER_MANIFEST, MANIFEST, INDEX)]
    answer = repo.send("GET", "manifests/t", headers=lines)
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("reference", ["unknown", digest_of(b"unknown")])
def test_an_unknown_manifest(repo: Repository, method: str, reference: str) -> None:
    repo.push_image("t")
    answer = repo.send(method, f"manifests/{reference}")
    assert answer.status == 404
    if method != "HEAD":
        assert answer.code() == "MANIFEST_UNKNOWN"


def test_an_unknown_repository(repo: Repository) -> None:
    answer = repo.send("GET", "manifests/t")
    assert answer.status == 404
    assert answer.code() in {"NAME_UNKNOWN", "MANIFEST_UNKNOWN"}


def test_the_digest_must_fit(repo: Repository) -> None:
    config, layer = parts(repo)
    body = manifest(described(config, CONFIG), [described(layer, LAYER)])
    wrong = digest_of(b"other")
    answer = repo.put_manifest(wrong, body)
    assert answer.status == 400
    assert answer.code() == "DIGEST_INVALID"
    assert repo.send("HEAD", f"manifests/{wrong}").status == 404


@pytest.mark.parametrize("reference", ["sha256:nonsense", "-a", ".a", "a" * 129])
def test_what_is_neither_tag_nor_digest_is_refused(repo: Repository, reference: str) -> None:
    config, layer = parts(repo)
    body = manifest(described(config, CONFIG), [described(layer, LAYER)])
    assert repo.put_manifest(reference, body).status in {400, 404}


def test_a_missing_blob_is_told(repo: Repository) -> None:
    config, _ = parts(repo)
    body = manifest(described(config, CONFIG), [described(b"missing", LAYER)])
    answer = repo.put_manifest("t", body)
    assert answer.status in {400, 404}
    assert answer.code() == "MANIFEST_BLOB_UNKNOWN"
    assert repo.send("HEAD", "manifests/t").status == 404


def test_a_missing_manifest_of_an_index_is_told(repo: Repository) -> None:
    repo.push(b"x")
    answer = repo.put_manifest("t", index(described(b"missing", MANIFEST)), INDEX)
    assert answer.status in {400, 404}
    assert answer.code() == "MANIFEST_BLOB_UNKNOWN"


def test_a_blob_of_another_repository_is_missing(repo: Repository, other: Repository) -> None:
    config, layer = parts(other)
    body = manifest(described(config, CONFIG), [described(layer, LAYER)])
    assert repo.put_manifest("t", body).status in {400, 404}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"schemaVersion":2}'])
def test_what_is_no_manifest_is_refused(repo: Repository, body: bytes) -> None:
    answer = repo.put_manifest("t", body)
    assert answer.status == 400
    assert answer.code() == "MANIFEST_INVALID"


def test_schema_1_is_refused(repo: Repository) -> None:
    body = json.dumps({"schemaVersion": 1, "name": repo.name, "tag": "t", "fsLayers": []}).encode()
    answer = repo.put_manifest("t", body, DOCKER_SCHEMA_1)
    assert answer.status in {400, 404, 405, 415}
    assert answer.code() in {"MANIFEST_INVALID", "UNSUPPORTED"}


def test_a_type_that_the_manifest_denies_is_refused(repo: Repository) -> None:
    config, layer = parts(repo)
    body = manifest(described(config, CONFIG), [described(layer, LAYER)])
    answer = repo.put_manifest("t", body, DOCKER_MANIFEST)
    assert answer.status == 400


def test_a_manifest_that_is_an_index_too_is_refused(repo: Repository) -> None:
    config, layer = parts(repo)
    body = manifest(described(config, CONFIG), [described(layer, LAYER)], manifests=[])
    digest, _ = repo.push_image()
    record = json.loads(body) | {
        "manifests": [{"mediaType": MANIFEST, "digest": digest, "size": 1}]
    }
    answer = repo.put_manifest("t", json.dumps(record).encode())
    assert answer.status == 400


@pytest.mark.parametrize("sent", [f"{MANIFEST}; charset=utf-8", f"{MANIFEST};x=y"])
def test_parameters_of_the_type_are_ignored(repo: Repository, sent: str) -> None:
    config, layer = parts(repo)
    body = manifest(described(config, CONFIG), [described(layer, LAYER)])
    assert repo.put_manifest("t", body, sent).status == 201
    check_pull(repo, "t", body)


def test_dockers_manifest_and_list(repo: Repository) -> None:
    config, layer = parts(repo)
    record = json.loads(manifest(described(config, CONFIG), [described(layer, LAYER)]))
    body = json.dumps(record | {"mediaType": DOCKER_MANIFEST}).encode()
    assert repo.put_manifest("image", body, DOCKER_MANIFEST).status == 201
    check_pull(repo, "image", body, DOCKER_MANIFEST)
    platform = {"os": "linux", "architecture": "amd64"}
    named = described(body, DOCKER_MANIFEST) | {"platform": platform}
    listed = json.dumps(
        {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [named]}
    ).encode()
    assert repo.put_manifest("list", listed, DOCKER_LIST).status == 201
    check_pull(repo, "list", listed, DOCKER_LIST)


def test_an_index_and_one_of_indexes(repo: Repository) -> None:
    _, image = repo.push_image()
    inner = index(described(image, MANIFEST))
    assert repo.put_manifest(digest_of(inner), inner, INDEX).status == 201
    outer = index(described(inner, INDEX))
    assert repo.put_manifest("outer", outer, INDEX).status == 201
    check_pull(repo, "outer", outer, INDEX)
    check_pull(repo, digest_of(inner), inner, INDEX)


def test_an_empty_index(repo: Repository) -> None:
    repo.push(b"x")
    body = index()
    assert repo.put_manifest("t", body, INDEX).status == 201
    check_pull(repo, "t", body, INDEX)


def test_an_image_without_layers(repo: Repository) -> None:
    config, _ = parts(repo)
    body = manifest(described(config, CONFIG), [])
    assert repo.put_manifest("t", body).status == 201
    check_pull(repo, "t", body)


def test_an_artifact(repo: Repository) -> None:
    repo.push(b"{}")
    body = manifest(described(b"{}", EMPTY), [described(b"{}", EMPTY)], artifactType="a/b")
    assert repo.put_manifest("t", body).status == 201
    check_pull(repo, "t", body)


def test_unknown_fields_and_data_are_kept(repo: Repository) -> None:
    config, layer = parts(repo)
    more = {"x.example": {"deep": [1, 2]}, "annotations": {"a": "b"}}
    inline = described(config, CONFIG) | {"data": "eyJvcyI6ImxpbnV4In0="}
    body = manifest(inline, [described(layer, LAYER)], **more)
    assert repo.put_manifest("t", body).status == 201
    check_pull(repo, "t", body)


def test_layers_that_may_not_be_handed_out_need_not_be_there(repo: Repository) -> None:
    config, layer = parts(repo)
    foreign = described(b"foreign", FOREIGN) | {"urls": ["https://vendor.example/f"]}
    body = manifest(described(config, CONFIG), [foreign, described(layer, LAYER)])
    assert repo.put_manifest("t", body).status == 201


def test_four_megabytes_are_accepted(repo: Repository) -> None:
    config, layer = parts(repo)
    note = {"padding": "x" * (4 * 1000 * 1000 - 2000)}
    body = manifest(described(config, CONFIG), [described(layer, LAYER)], annotations=note)
    assert repo.put_manifest("t", body).status == 201
    check_pull(repo, "t", body)


def test_too_much_is_refused(repo: Repository) -> None:
    config, layer = parts(repo)
    note = {"padding": "x" * (12 << 20)}
    body = manifest(described(config, CONFIG), [described(layer, LAYER)], annotations=note)
    assert repo.put_manifest("t", body).status == 413


def test_sha512(repo: Repository) -> None:
    config, layer = parts(repo, "sha512")
    named = [described(layer, LAYER, "sha512")]
    body = manifest(described(config, CONFIG, "sha512"), named)
    digest = digest_of(body, "sha512")
    answer = repo.put_manifest(digest, body)
    assert answer.status == 201
    assert answer.header("Docker-Content-Digest") == digest
    check_pull(repo, digest, body)


def test_tags_beside_a_digest(repo: Repository) -> None:
    config, layer = parts(repo)
    body = manifest(described(config, CONFIG), [described(layer, LAYER)])
    tags = [f"t{number}" for number in range(10)]
    path = f"manifests/{digest_of(body)}?" + "&".join(f"tag={tag}" for tag in tags)
    answer = repo.send("PUT", path, body, {"Content-Type": MANIFEST})
    assert answer.status == 201
    told = ",".join(answer.headers.get_all("OCI-Tag", []))
    assert sorted(tag.strip() for tag in told.split(",")) == tags
    for tag in tags:
        check_pull(repo, tag, body)


def test_a_tag_moves(repo: Repository) -> None:
    first, _ = repo.push_image("t")
    second, body = repo.push_image("t")
    assert first != second
    check_pull(repo, "t", body)
    assert repo.send("HEAD", f"manifests/{first}", headers={"Accept": MANIFEST}).status == 200


def test_delete_a_tag(repo: Repository) -> None:
    digest, body = repo.push_image("gone", "kept")
    assert repo.send("DELETE", "manifests/gone").status == 202
    assert repo.send("HEAD", "manifests/gone").status == 404
    check_pull(repo, "kept", body)
    check_pull(repo, digest, body)


def test_delete_a_manifest(repo: Repository) -> None:
    digest, _ = repo.push_image("a", "b")
    assert repo.send("DELETE", f"manifests/{digest}").status == 202
    for reference in (digest, "a", "b"):
        assert repo.send("GET", f"manifests/{reference}").status == 404
    assert repo.send("DELETE", f"manifests/{digest}").status == 404


def test_delete_in_a_repository_that_is_not_there(repo: Repository) -> None:
    answer = repo.send("DELETE", f"manifests/{digest_of(b'x')}")
    assert answer.status == 404


def test_a_deleted_manifest_can_be_pushed_again(repo: Repository) -> None:
    digest, body = repo.push_image("t")
    repo.send("DELETE", f"manifests/{digest}")
    assert repo.put_manifest("t", body).status == 201
    check_pull(repo, "t", body)
