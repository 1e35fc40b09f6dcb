"""RSA keys with a certificate of their own, as PEM."""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from trunkline.ports.identity_keys import PublicKey

BITS = 2048
EXPONENT = 65537
# Nobody checks how long the certificate holds: the set of keys says what is valid.
VALID_FOR = timedelta(days=3650)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trunkline identity")])


class RsaKey:
    """A key that signs. See the port `SigningKey`."""

    def __init__(self, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._public = _public(key.public_key(), certificate)
        self._certificate = certificate

    @property
    def public(self) -> PublicKey:
        """What others know of it."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the RS256 signature of `message`."""
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def pem(self) -> bytes:
        """Return the private key and its certificate, unencrypted."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ) + self._certificate.public_bytes(serialization.Encoding.PEM)


def make(now: float) -> RsaKey:
    """Make a key; `now` is in seconds since the epoch."""
    key = rsa.generate_private_key(EXPONENT, BITS)
    begins = datetime.fromtimestamp(now, UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(NAME, NAME, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + VALID_FOR)
        .sign(key, hashes.SHA256())
    )
    return RsaKey(key, certificate)


def load(pem: bytes) -> RsaKey:
    """Return the key in a PEM file that `RsaKey.pem` wrote. Raises ValueError."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("it is no RSA key")  # noqa: TRY004
    return RsaKey(key, x509.load_pem_x509_certificate(pem))


def _public(key: rsa.RSAPublicKey, certificate: x509.Certificate) -> PublicKey:
    numbers = key.public_numbers()
    modulus, exponent = _number(numbers.n), _number(numbers.e)
    told = f'{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}'  # RFC 7638
    der = certificate.public_bytes(serialization.Encoding.DER)
    return PublicKey(
        id=_base64url(hashlib.sha256(told.encode()).digest()),
        modulus=modulus,
        exponent=exponent,
        thumbprint=_base64url(hashlib.sha1(der, usedforsecurity=False).digest()),
        certificate=b64encode(der).decode("ascii"),
    )


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
