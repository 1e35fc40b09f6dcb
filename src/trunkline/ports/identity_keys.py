"""Port: the keys that sign who a job is, for the world outside."""

from __future__ import annotations

from typing import Protocol

import msgspec


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """What others need to check a signature of an RSA key (RFC 7517, RFC 7518 section 6.3.1).

    `modulus`, `exponent` and `thumbprint` (SHA-1 of the certificate) are base64url without padding,
    `certificate` is its DER in base64.
    """

    id: str
    modulus: str
    exponent: str
    thumbprint: str
    certificate: str


class SigningKey(Protocol):
    """A private key that is never shown."""

    @property
    def public(self) -> PublicKey:
        """What others know of it."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of `message`: RSASSA-PKCS1-v1_5 with SHA-256 (RS256)."""
        ...


class IdentityKeys(Protocol):
    """Keys that are changed from time to time. Thread-safe, and safe across processes.

    Raises Unavailable when the disk refuses, Corrupt for a key that can't be read.
    """

    def current(self) -> SigningKey:
        """Return the key to sign with, made when there is none or it is too old."""
        ...

    def published(self) -> tuple[PublicKey, ...]:
        """Return the keys to check signatures with, newest first.

        A key that was replaced stays as long as something that it signed may be valid.
        """
        ...
