"""Names, digests and image references."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.oci.digests import algorithm_of, digest_of, encoded, is_digest, running_hash
from trunkline.oci.names import REPOSITORY, TAG, is_repository, is_tag
from trunkline.oci.references import InvalidReference, local_repository, parse_reference

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "name",
    ["a", "a/b", "a.b/c_d/e__f/g-h/i---j", "0", "ghcr.io/o/n", "localhost_5000/x", "a" * 255],
)
def test_names_of_repositories(name: str) -> None:
    assert is_repository(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "A",
            "a/",
            "/a",
            "a//b",
            "a..b",
            "a___b",
            "-a",
            "a-",
            "_a",
            "a.",
            "a/../b",
            "..",
            "a:b",
        ),
        *("a b", "a\n", "é", "a" * 256, "a/%2e%2e/b", "a\x00"),
    ],
)
def test_what_is_no_repository(name: str) -> None:
    assert not is_repository(name)


@pytest.mark.parametrize("tag", ["a", "_", "1.0", "V1.0-rc.1_x", "a" * 128, "A..b--"])
def test_tags(tag: str) -> None:
    assert is_tag(tag)


@pytest.mark.parametrize("tag", ["", ".a", "-a", "a/b", "a:b", "a" * 129, "a\n", "ä"])
def test_what_is_no_tag(tag: str) -> None:
    assert not is_tag(tag)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_digests(algorithm: str) -> None:
    digest = digest_of(b"content", algorithm)
    assert digest == f"{algorithm}:{hashlib.new(algorithm, b'content').hexdigest()}"
    assert is_digest(digest)
    assert (algorithm_of(digest), encoded(digest)) == tuple(digest.split(":"))


@pytest.mark.parametrize(
    "text",
    [
        "sha256:" + HEX.upper(),
        "sha256:" + HEX[1:],
        "sha512:" + HEX,
        "md5:" + HEX[:32],
        HEX,
        "sha256:",
    ],
)
def test_what_is_no_digest(text: str) -> None:
    assert not is_digest(text)


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ValueError, match="sha256, sha512"):
        running_hash("md5")


@pytest.mark.parametrize(
    ("text", "full", "familiar", "local"),
    [
        ("alpine", "docker.io/library/alpine", "alpine", "docker.io/library/alpine"),
        ("alpine:3", "docker.io/library/alpine:3", "alpine:3", "docker.io/library/alpine"),
        ("o/x", "docker.io/o/x", "o/x", "docker.io/o/x"),
        ("docker.io/busybox", "docker.io/library/busybox", "busybox", "docker.io/library/busybox"),
        ("index.docker.io/a/b", "docker.io/a/b", "a/b", "docker.io/a/b"),
        ("library/a/b", "docker.io/library/a/b", "library/a/b", "docker.io/library/a/b"),
        ("ghcr.io/o/n:t", "ghcr.io/o/n:t", "ghcr.io/o/n:t", "ghcr.io/o/n"),
        ("localhost/x", "localhost/x", "localhost/x", "localhost/x"),
        ("localhost:5000/x", "localhost:5000/x", "localhost:5000/x", "localhost_5000/x"),
        ("[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1", "1_5000/x"),
        ("Hub.Example/x", "Hub.Example/x", "Hub.Example/x", "hub.example/x"),
        (
            f"a@sha256:{HEX}",
            f"docker.io/library/a@sha256:{HEX}",
            f"a@sha256:{HEX}",
            "docker.io/library/a",
        ),
        (f"r.io/a:1@sha256:{HEX}", f"r.io/a:1@sha256:{HEX}", f"r.io/a:1@sha256:{HEX}", "r.io/a"),
    ],
)
def test_references_are_read_as_docker_reads_them(
    text: str, full: str, familiar: str, local: str
) -> None:
    reference = parse_reference(text)
    assert (reference.text, reference.familiar) == (full, familiar)
    assert local_repository(reference) == local
    assert is_repository(local_repository(reference))


def test_what_a_reference_asks_for() -> None:
    assert parse_reference("a").target == "latest"
    assert parse_reference("a:1").target == "1"
    assert parse_reference(f"a:1@sha256:{HEX}").target == f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("a@sha256:abc", "invalid reference format"),
        ("https://ghcr.io/o/n", "invalid reference format"),
        ("foo/Bar", "repository name (foo/Bar) must be lowercase"),
        ("Bar:X", "repository name (library/Bar) must be lowercase"),
        (HEX, "cannot specify 64-byte hexadecimal strings"),
        ("a/" * 200 + "b", "must not be more than 255 characters"),
        ("a" * 5000, "invalid reference format"),
    ],
)
def test_a_wrong_reference_is_refused_in_dockers_words(text: str, message: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert message in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(reference.text) == reference
    assert parse_reference(reference.familiar) == reference


@given(st.from_regex(REPOSITORY, fullmatch=True), st.from_regex(TAG, fullmatch=True))
def test_names_of_the_grammar_make_references(name: str, tag: str) -> None:
    reference = parse_reference(f"registry.example/{name[:200].rstrip('._-/')}:{tag}")
    assert reference.tag == tag
