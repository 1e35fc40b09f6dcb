"""Tokens: signed by us, for this use, in their time; everything else is refused."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.oci.access import Scope
from trunkline.oci.tokens import ACCESS, REFRESH, Claims, InvalidToken, sign, verify

KEY = b"k" * 32
CLAIMS = Claims(
    aud="here",
    sub="alice",
    use=ACCESS,
    iat=1000,
    exp=1300,
    jti="1",
    access=(Scope("repository", "a", ("pull",)),),
)


def part(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def forged(header: bytes, claims: Claims = CLAIMS, key: bytes = KEY) -> str:
    body = part(header) + b"." + part(msgspec.json.encode(claims))
    return (body + b"." + part(hmac.digest(key, body, hashlib.sha256))).decode()


def check(token: str, now: float = 1100, use: str = ACCESS, audience: str = "here") -> Claims:
    return verify(token, KEY, audience=audience, use=use, now=now)


def test_a_token_says_what_was_signed() -> None:
    assert check(sign(CLAIMS, KEY)) == CLAIMS


def test_a_token_is_a_json_web_token() -> None:
    header, payload, _ = sign(CLAIMS, KEY).split(".")
    assert urlsafe_b64decode(header + "==") == b'{"alg":"HS256","typ":"JWT"}'
    claims = msgspec.json.decode(urlsafe_b64decode(payload + "=="))
    assert claims["access"] == [{"type": "repository", "name": "a", "actions": ["pull"]}]
    assert sign(CLAIMS, KEY) == forged(b'{"alg":"HS256","typ":"JWT"}')


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (sign(CLAIMS, b"x" * 32), "not signed here"),
        (sign(CLAIMS, KEY)[:-2], "not signed"),
        (sign(CLAIMS, KEY) + ".x", "not signed"),
        (forged(b'{"alg":"none"}'), "not signed"),
        (forged(b'{"alg":"none"}').rpartition(".")[0] + ".", "not signed"),
        (forged(b'{"alg":"RS256","typ":"JWT"}'), "not signed"),
        ("", "not signed"),
        ("...", "not signed"),
        ("é.é.é", "malformed"),
        ("a" * 20000, "malformed"),
    ],
)
def test_tokens_that_are_not_ours(token: str, told: str) -> None:
    with pytest.raises(InvalidToken, match=told):
        check(token)


def test_a_changed_claim_is_seen() -> None:
    head, payload, signature = sign(CLAIMS, KEY).split(".")
    changed = urlsafe_b64decode(payload + "==").replace(b"alice", b"admin")
    with pytest.raises(InvalidToken, match="not signed"):
        check(f"{head}.{part(changed).decode()}.{signature}")


def test_a_token_ends() -> None:
    assert check(sign(CLAIMS, KEY), now=1299.9).exp == 1300
    with pytest.raises(InvalidToken, match="expired"):
        check(sign(CLAIMS, KEY), now=1300)


def test_a_token_is_for_one_audience_and_one_use() -> None:
    with pytest.raises(InvalidToken, match="something else"):
        check(sign(CLAIMS, KEY), audience="there")
    with pytest.raises(InvalidToken, match="something else"):
        check(sign(CLAIMS, KEY), use=REFRESH)


@given(st.text(max_size=80))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        check(text)
