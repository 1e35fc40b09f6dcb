"""Heads of HTTP messages: what is read is written again, what can be read in two ways is refused."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.docker.proxy.heads import (
    EMPTY,
    Answer,
    BadHead,
    Framing,
    Request,
    parse_answer,
    parse_request,
    replaced,
    with_body,
    with_chunks,
    with_query,
)

NAMES = st.text("!#$%&'*+-.^_`|~" + string.ascii_letters + string.digits, min_size=1, max_size=20)
VALUES = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40
).map(lambda text: text.strip(" \t"))
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=8).map(tuple)
TARGETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@given(NAMES, TARGETS, st.sampled_from([0, 1]), FIELDS)
def test_a_request_is_written_as_it_was_read(
    method: str, target: str, minor: int, fields: tuple[tuple[str, str], ...]
) -> None:
    request = Request(method=method, target=target, minor=minor, fields=fields)
    assert parse_request(request.encoded().removesuffix(b"\r\n\r\n")) == request


@given(st.integers(100, 999), VALUES, FIELDS)
def test_an_answer_is_written_as_it_was_read(
    status: int, reason: str, fields: tuple[tuple[str, str], ...]
) -> None:
    answer = Answer(status=status, reason=reason, fields=fields)
    assert parse_answer(answer.encoded().removesuffix(b"\r\n\r\n")) == answer


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_read(head: bytes) -> None:
    for parse in (parse_request, parse_answer):
        try:
            found = parse(head)
        except BadHead:
            continue
        assert found.fields is not None


@given(TARGETS)
def test_every_target_has_a_path_and_a_query(target: str) -> None:
    request = Request(method="GET", target=target, fields=())
    assert isinstance(request.path, str)
    assert all(isinstance(value, str) for value in request.query.values())


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v1.41/images/ghcr.io/o/n/push?tag=1", "/images/ghcr.io/o/n/push"),
        ("/images/ghcr.io%2Fo%2Fn/push", "/images/ghcr.io/o/n/push"),
        ("/v1.41%2Fimages/x/push", "/images/x/push"),
        ("http://docker/v1.41/images/x/push", "/images/x/push"),
        ("/v5.0.0/libpod/images/x/push", "/libpod/images/x/push"),
        ("/_ping", "/_ping"),
        ("/version", "/version"),
    ],
)
def test_a_path_is_told_without_its_version(target: str, path: str) -> None:
    assert Request(method="POST", target=target, fields=()).path == path


def test_a_query_can_be_changed() -> None:
    request = Request(method="POST", target="/v1.41/build?t=a%2Fb&t=c&rm=0&x", fields=())
    changed = with_query(request, rm="1", forcerm="1")
    assert changed.pairs() == [("t", "a/b"), ("t", "c"), ("x", ""), ("rm", "1"), ("forcerm", "1")]
    assert changed.path == "/build"
    assert request.query["t"] == "a/b"


def test_a_body_can_be_changed() -> None:
    fields = (("Host", "docker"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"))
    request = Request(method="POST", target="/", fields=fields)
    assert with_body(request, 3).fields == (("Host", "docker"), ("Content-Length", "3"))
    assert with_body(request, 3).framing == Framing(length=3)
    assert with_chunks(with_body(request, 3)).framing == Framing(chunked=True, length=None)


def test_fields_are_found_whatever_their_case() -> None:
    fields = (("connection", "Upgrade, close"), ("Connection", "x"), ("upgrade", "tcp"))
    request = Request(method="POST", target="/", fields=fields)
    assert request.get("CONNECTION") == "Upgrade, close, x"
    assert request.words("Connection") == {"upgrade", "close", "x"}
    assert not request.keeps_alive
    assert replaced(fields, ["connection"], ("A", "b")) == (("upgrade", "tcp"), ("A", "b"))


@pytest.mark.parametrize(
    "fields",
    [
        (("Content-Length", "3"), ("Transfer-Encoding", "chunked")),
        (("Transfer-Encoding", "gzip, chunked"),),
        (("Content-Length", "3"), ("Content-Length", "4")),
        (("Content-Length", "-1"),),
        (("Content-Length", "0x3"),),
        (("Content-Length", "9" * 30),),
    ],
)
def test_a_body_whose_length_could_be_read_in_two_ways_is_refused(
    fields: tuple[tuple[str, str], ...],
) -> None:
    with pytest.raises(BadHead):
        _ = Request(method="POST", target="/", fields=fields).framing


def test_the_same_length_twice_is_one_length() -> None:
    fields = (("Content-Length", "3"), ("Content-Length", "3"))
    assert Request(method="POST", target="/", fields=fields).framing == Framing(length=3)


@pytest.mark.parametrize(
    ("method", "status", "fields", "framing"),
    [
        ("GET", 200, (("Content-Length", "5"),), Framing(length=5)),
        ("GET", 200, (), Framing(length=None)),
        ("GET", 200, (("Transfer-Encoding", "chunked"),), Framing(chunked=True, length=None)),
        ("HEAD", 200, (("Content-Length", "5"),), EMPTY),
        ("GET", 204, (), EMPTY),
        ("GET", 304, (("Content-Length", "5"),), EMPTY),
    ],
)
def test_an_answers_body_is_as_long_as_its_head_says(
    method: str, status: int, fields: tuple[tuple[str, str], ...], framing: Framing
) -> None:
    assert Answer(status=status, fields=fields).framing(method) == framing


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/2.0",
        b"GET /",
        b"GET / HTTP/1.1\r\n folded: x",
        b"GET / HTTP/1.1\r\nname : x",
        b"GET / HTTP/1.1\r\nname",
        b"GET / HTTP/1.1\r\na: b\nc: d",
        b"PRI * HTTP/2.0",
    ],
)
def test_what_is_no_request_is_refused(head: bytes) -> None:
    with pytest.raises(BadHead):
        parse_request(head)
