"""Reading manifests: what they name, and which are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.oci.digests import digest_of
from trunkline.oci.errors import CODES, RegistryError
from trunkline.oci.manifests import LARGEST_MANIFEST, Manifest, read_manifest
from trunkline.oci.media_types import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    DOCKER_SCHEMA_1,
    NON_DISTRIBUTABLE,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
)


def descriptor(content: str, media_type: str = OCI_LAYER_GZIP, **more: Any) -> dict[str, Any]:
    data = content.encode()
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}


CONFIG = descriptor("config", OCI_CONFIG)
IMAGE = {
    "schemaVersion": 2,
    "mediaType": OCI_MANIFEST,
    "config": CONFIG,
    "layers": [descriptor("l")],
}
INDEX = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor("m", OCI_MANIFEST)]}


def read(record: object, content_type: str = "", algorithm: str = "sha256") -> Manifest:
    return read_manifest(json.dumps(record).encode(), content_type, algorithm)


def test_an_image_names_its_configuration_and_layers() -> None:
    found = read(
        IMAGE | {"layers": [descriptor("l"), descriptor("m"), descriptor("l")]}, OCI_MANIFEST
    )
    assert found.blobs == (CONFIG["digest"], digest_of(b"l"), digest_of(b"m"))
    assert found.children == ()
    assert found.media_type == OCI_MANIFEST
    assert found.artifact_type == OCI_CONFIG


def test_an_index_names_manifests() -> None:
    found = read(INDEX | {"artifactType": "a/b", "annotations": {"k": "v"}}, OCI_INDEX)
    assert found.children == (digest_of(b"m"),)
    assert found.blobs == ()
    assert (found.artifact_type, found.annotations) == ("a/b", {"k": "v"})
    assert read(INDEX).artifact_type == ""


@pytest.mark.parametrize(("record", "media_type"), [(IMAGE, DOCKER_MANIFEST), (INDEX, DOCKER_LIST)])
def test_dockers_types_are_kept_as_they_are(record: dict[str, Any], media_type: str) -> None:
    assert read(record | {"mediaType": media_type}, media_type).media_type == media_type


def test_parameters_of_the_content_type_are_ignored() -> None:
    assert read(IMAGE, f"{OCI_MANIFEST}; charset=utf-8").media_type == OCI_MANIFEST


@pytest.mark.parametrize("sent", ["", "application/json", "application/octet-stream"])
def test_without_a_content_type_the_manifest_says_what_it_is(sent: str) -> None:
    untyped = {key: value for key, value in INDEX.items() if key != "mediaType"}
    assert read(IMAGE | {"mediaType": DOCKER_MANIFEST}, sent).media_type == DOCKER_MANIFEST
    assert read(untyped, sent).media_type == OCI_INDEX


def test_the_digest_is_that_of_the_bytes() -> None:
    body = json.dumps(IMAGE, indent=3).encode()
    assert read_manifest(body, OCI_MANIFEST).digest == digest_of(body)
    assert read_manifest(body, OCI_MANIFEST, "sha512").digest == digest_of(body, "sha512")


def test_a_referrer_has_a_subject_and_a_type() -> None:
    found = read(IMAGE | {"subject": descriptor("s", OCI_MANIFEST), "annotations": {"a": "b"}})
    assert found.subject == digest_of(b"s")
    described = found.descriptor
    assert (described.artifact_type, described.annotations) == (OCI_CONFIG, {"a": "b"})
    assert (described.digest, described.size) == (found.digest, found.size)


def test_the_artifact_type_wins_over_the_configurations() -> None:
    assert read(IMAGE | {"artifactType": "x/y"}).artifact_type == "x/y"


@pytest.mark.parametrize("media_type", sorted(NON_DISTRIBUTABLE))
def test_layers_that_may_not_be_handed_out_need_not_be_there(media_type: str) -> None:
    foreign = descriptor("f", media_type, urls=["https://vendor.example/f"])
    assert read(IMAGE | {"layers": [foreign]}).blobs == (CONFIG["digest"],)


def test_a_manifest_without_layers_is_one() -> None:
    assert read(IMAGE | {"layers": []}).blobs == (CONFIG["digest"],)


@pytest.mark.parametrize(
    ("record", "sent", "told"),
    [
        ([], "", "can't be read"),
        ({"schemaVersion": 1, "fsLayers": []}, "", "schema version 1"),
        ({"schemaVersion": 1}, DOCKER_SCHEMA_1, "schema version 1"),
        (IMAGE | {"schemaVersion": 3}, "", "must be 2"),
        ({key: value for key, value in IMAGE.items() if key != "schemaVersion"}, "", "must be 2"),
        (IMAGE, OCI_INDEX, "is not its Content-Type"),
        (IMAGE | {"mediaType": "text/plain"}, "text/plain", "not a manifest type"),
        (
            IMAGE | {"mediaType": ""},
            "application/vnd.oci.artifact.manifest.v1+json",
            "not a manifest",
        ),
        (IMAGE | {"manifests": []}, OCI_MANIFEST, "names no manifests"),
        (INDEX | {"layers": []}, OCI_INDEX, "no config and no layers"),
        (INDEX | {"config": CONFIG}, OCI_INDEX, "no config and no layers"),
        ({"schemaVersion": 2}, OCI_INDEX, "no manifests"),
        ({"schemaVersion": 2, "config": CONFIG}, OCI_MANIFEST, "no config or no layers"),
        ({"schemaVersion": 2, "layers": []}, OCI_MANIFEST, "no config or no layers"),
        (IMAGE | {"layers": [{"mediaType": "a/b", "size": 1}]}, "", "missing required field"),
        (IMAGE | {"layers": [descriptor("l") | {"size": -1}]}, "", "can't be read"),
        (IMAGE | {"layers": [descriptor("l") | {"digest": "sha256:../../x"}]}, "", "not a digest"),
        (IMAGE | {"subject": descriptor("l") | {"digest": "md5:00"}}, "", "not a digest"),
    ],
)
def test_what_is_refused(record: object, sent: str, told: str) -> None:
    with pytest.raises(RegistryError) as caught:
        read(record, sent)
    assert (caught.value.code, caught.value.status) == ("MANIFEST_INVALID", 400)
    assert told in caught.value.message


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"config":' * 5000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(RegistryError, match="can't be read"):
        read_manifest(body, OCI_MANIFEST)


def test_four_mebibytes_are_accepted_and_too_much_is_not() -> None:
    padded = IMAGE | {"annotations": {"padding": "x" * (4 << 20)}}
    assert read(padded).size > 4 << 20
    with pytest.raises(RegistryError) as caught:
        read_manifest(b" " * (LARGEST_MANIFEST + 1), OCI_MANIFEST)
    assert (caught.value.code, caught.value.status) == ("SIZE_INVALID", 413)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_way(body: bytes) -> None:
    with pytest.raises(RegistryError) as caught:
        read_manifest(body, OCI_MANIFEST)
    assert caught.value.code == "MANIFEST_INVALID"


def test_every_code_has_a_status_and_a_message() -> None:
    for code, (status, message) in CODES.items():
        error = RegistryError(code)
        assert (error.status, error.message) == (status, message)
        assert 400 <= status < 600
