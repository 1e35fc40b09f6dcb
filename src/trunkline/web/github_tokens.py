"""The token in a request's Authorization header, in the forms that GitHub takes."""

from __future__ import annotations

import binascii
from base64 import b64decode


def token_of(authorization: str) -> str:
    """Return the token of a header: `basic` (as the password), `bearer` or `token`; '' without one."""
    kind, _, value = authorization.strip().partition(" ")
    if kind.lower() in {"bearer", "token"}:
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        name, _, password = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return password if password not in {"", "x-oauth-basic"} else name
