"""Tokens of the registry: JSON web tokens, signed with HMAC-SHA256 (RFC 7515, RFC 7519)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from trunkline.oci.access import Scope

# The one header that is made and taken: a token can't choose how it is checked.
HEADER = b'{"alg":"HS256","typ":"JWT"}'
LONGEST = 16384
ACCESS = "access"
REFRESH = "refresh"


class InvalidToken(ValueError):
    """A token that is not ours, was changed, or is out of its time."""


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token says. Times are seconds since the epoch; `sub` is the account, '' for nobody.

    `use` is `access` for tokens that open the registry, `refresh` for those that fetch others.
    `ver` changes when the account's password does.
    """

    aud: str
    sub: str
    use: str
    iat: int
    exp: int
    jti: str
    ver: str = ""
    access: tuple[Scope, ...] = ()


def sign(claims: Claims, key: bytes) -> str:
    """Return the token that says `claims`."""
    body = _encode(HEADER) + b"." + _encode(msgspec.json.encode(claims))
    return (body + b"." + _encode(_signature(body, key))).decode("ascii")


def verify(token: str, key: bytes, *, audience: str, use: str, now: float) -> Claims:
    """Return what a token says, when it was signed with `key` for this audience and use.

    Raises InvalidToken otherwise, or when it has expired.
    """
    head, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    if len(token) > LONGEST or not token.isascii():
        raise InvalidToken("the token is malformed")
    expected = _signature(f"{head}.{payload}".encode("ascii"), key)
    if not hmac.compare_digest(_decode(signature), expected) or _decode(head) != HEADER:
        raise InvalidToken("the token was not signed by this registry")
    try:
        claims = msgspec.json.decode(_decode(payload), type=Claims)
    except msgspec.DecodeError:
        raise InvalidToken("the token is malformed") from None
    if claims.aud != audience or claims.use != use:
        raise InvalidToken("the token is meant for something else")
    if now >= claims.exp:
        raise InvalidToken("the token has expired")
    return claims


def _signature(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
