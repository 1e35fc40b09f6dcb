"""JSON web tokens that are signed with HMAC-SHA256 (RFC 7515, RFC 7519)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

# The one header that is made and taken: a token can't choose how it is checked.
HEADER = b'{"alg":"HS256","typ":"JWT"}'
LONGEST = 16384


class InvalidToken(ValueError):
    """A token that is not ours, was changed, or is out of its time."""


def sign(claims: bytes, key: bytes) -> str:
    """Return the token that says `claims`, which are JSON."""
    body = _encode(HEADER) + b"." + _encode(claims)
    return (body + b"." + _encode(_signature(body, key))).decode("ascii")


def signed_claims(token: str, key: bytes) -> bytes:
    """Return the JSON in a token that was signed with `key`. Raises InvalidToken.

    Whether they are in their time and meant for the reader is the reader's to check.
    """
    head, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    if len(token) > LONGEST or not token.isascii():
        raise InvalidToken("the token is malformed")
    expected = _encode(_signature(f"{head}.{payload}".encode("ascii"), key)).decode("ascii")
    # As text: there is one way alone to write a signature.
    if not hmac.compare_digest(signature, expected) or _decode(head) != HEADER:
        raise InvalidToken("the token was not signed here")
    return _decode(payload)


def _signature(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
