"""Ranges, pages and listings of referrers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.oci.descriptors import Descriptor
from trunkline.oci.digests import digest_of
from trunkline.oci.media_types import OCI_INDEX, OCI_MANIFEST
from trunkline.oci.pages import Page, page_of
from trunkline.oci.ranges import NotSatisfiable, Part, parse_content_range, parse_range, received
from trunkline.oci.referrers import index_of, of_type, page_of_referrers


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("0-0", Part(0, 1)),
        ("5-9", Part(5, 5)),
        ("bytes 0-4/10", Part(0, 5)),
        ("bytes=0-4", Part(0, 5)),
        ("bytes 0-4/*", Part(0, 5)),
    ],
)
def test_ranges_of_chunks(header: str, part: Part) -> None:
    assert parse_content_range(header) == part
    assert part.last == part.first + part.length - 1


@pytest.mark.parametrize(
    "header", ["", "0", "-5", "5-", "9-5", "a-b", "0-1-2", "1" * 30 + "-2", "٣-٤"]
)
def test_what_is_no_chunks_range(header: str) -> None:
    with pytest.raises(ValueError, match="not a chunk's range"):
        parse_content_range(header)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", Part(0, 100)),
        ("bytes=10-19", Part(10, 10)),
        ("bytes=90-200", Part(90, 10)),
        ("bytes=-10", Part(90, 10)),
        ("bytes=-1000", Part(0, 100)),
        ("BYTES= 99-", Part(99, 1)),
        ("", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_ranges_of_blobs(header: str, part: Part | None) -> None:
    assert parse_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=9-5", "bytes=-0"])
def test_ranges_that_a_blob_does_not_have(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        parse_range(header, 100)


def test_an_empty_blob_has_no_ranges() -> None:
    for header in ("bytes=0-", "bytes=0-0", "bytes=-1"):
        with pytest.raises(NotSatisfiable):
            parse_range(header, 0)


@given(
    st.text(max_size=30) | st.from_regex(r"bytes=[0-9]*-[0-9]*", fullmatch=True), st.integers(0, 50)
)
def test_a_part_lies_in_its_content(header: str, size: int) -> None:
    try:
        part = parse_range(header, size)
    except NotSatisfiable:
        return
    assert part is None or (0 <= part.first <= part.last < size)


@pytest.mark.parametrize(("size", "header"), [(0, "0-0"), (1, "0-0"), (10, "0-9")])
def test_how_far_an_upload_has_come(size: int, header: str) -> None:
    assert received(size) == header


def test_a_page_has_so_many_names() -> None:
    names = ["a", "b", "c", "d", "e"]
    assert page_of(names, None) == Page(("a", "b", "c", "d", "e"))
    assert page_of(names, 2) == Page(("a", "b"), has_more=True)
    assert page_of(names, 0) == Page(())
    assert page_of(names, 5) == Page(tuple(names))


def referrer(number: int, artifact_type: str = "a/b", padding: int = 0) -> Descriptor:
    digest = digest_of(str(number).encode())
    return Descriptor(
        OCI_MANIFEST, digest, 1, artifact_type=artifact_type, annotations={"p": "x" * padding}
    )


def test_referrers_are_filtered_by_type() -> None:
    found = [referrer(1), referrer(2, "c/d"), referrer(3)]
    assert of_type(found, "") == tuple(found)
    assert of_type(found, "a/b") == (found[0], found[2])
    assert of_type(found, "x") == ()


def test_the_listing_is_an_index() -> None:
    one = referrer(1)
    record = json.loads(index_of([one]))
    assert record == {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {
                "mediaType": OCI_MANIFEST,
                "digest": one.digest,
                "size": 1,
                "artifactType": "a/b",
                "annotations": {"p": ""},
            }
        ],
    }
    assert json.loads(index_of([]))["manifests"] == []


def test_many_referrers_come_in_pages() -> None:
    found = sorted((referrer(number, padding=400) for number in range(20)), key=lambda r: r.digest)
    seen: list[Descriptor] = []
    page = page_of_referrers(found, largest=2000)
    while True:
        assert page.items
        seen += page.items
        if not page.has_more:
            break
        page = page_of_referrers(found, page.items[-1].digest, largest=2000)
    assert seen == found
    assert len(page_of_referrers(found, largest=1).items) == 1
