"""Tokens of the registry: what they say, and whom they let in."""

from __future__ import annotations

import msgspec

from trunkline.base import tokens
from trunkline.base.tokens import InvalidToken
from trunkline.oci.access import Scope

__all__ = ["ACCESS", "REFRESH", "Claims", "InvalidToken", "sign", "verify"]

ACCESS = "access"
REFRESH = "refresh"


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
    return tokens.sign(msgspec.json.encode(claims), key)


def verify(token: str, key: bytes, *, audience: str, use: str, now: float) -> Claims:
    """Return what a token says, when it was signed with `key` for this audience and use.

    Raises InvalidToken otherwise, or when it has expired.
    """
    payload = tokens.signed_claims(token, key)
    try:
        claims = msgspec.json.decode(payload, type=Claims)
    except msgspec.DecodeError:
        raise InvalidToken("the token is malformed") from None
    if claims.aud != audience or claims.use != use:
        raise InvalidToken("the token is meant for something else")
    if now >= claims.exp:
        raise InvalidToken("the token has expired")
    return claims
