"""JSON that clients send."""

from __future__ import annotations

import msgspec
import pytest

from trunkline.web.content import json_of


class Asked(msgspec.Struct):
    key: str


def test_json():
    assert json_of(b'{"key": "k"}', Asked) == Asked("k")
    assert json_of(b"[1]", object) == [1]


@pytest.mark.parametrize("kind", [object, dict[str, object], Asked])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b'{"key": "\xff"}',
        b'{"\xff": "k"}',
        b'{"key": "\\ud800"}',
        b'{"more": ' * 10_000,
    ],
)
def test_what_is_none(data: bytes, kind: type[object]):
    with pytest.raises(msgspec.DecodeError):
        json_of(data, kind)
