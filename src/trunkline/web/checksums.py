"""Checksums that clients of Azure's blobs send along: MD5 and CRC-64 (Azure: Put Block, Put Blob)."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from functools import cache
from typing import Protocol

from werkzeug.datastructures import Headers

from trunkline.ports.image_store import Stream

MD5, BLOB_MD5, CRC64 = "Content-MD5", "x-ms-blob-content-md5", "x-ms-content-crc64"
MD5_BYTES, CRC64_BYTES = 16, 8
# CRC-64/NVME: reflected, all bits set before and inverted after.
POLYNOMIAL = 0x9A6C9329AC4BC9B5
ALL_BITS = (1 << 64) - 1


class BadChecksum(Exception):
    """A checksum is none, or not that of the content; `code` is Azure's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Checksum(Protocol):
    """What is computed while content goes by."""

    def update(self, data: bytes, /) -> None:
        """Take more content."""
        ...

    def digest(self) -> bytes:
        """Return the checksum of what came so far."""
        ...


class Crc64:
    """The CRC-64 that Azure has; its bytes are in little-endian order."""

    def __init__(self) -> None:
        self._value = ALL_BITS

    def update(self, data: bytes, /) -> None:
        """Take more content."""
        table, value = _table(), self._value
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        """Return the checksum of what came so far."""
        return (self._value ^ ALL_BITS).to_bytes(CRC64_BYTES, "little")


@cache
def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        found.append(value)
    return tuple(found)


class Checked:
    """Content that is compared with a checksum: the read that ends it raises BadChecksum.

    `length` is how many bytes come, None when that is not known.
    """

    def __init__(
        self, content: Stream, length: int | None, expected: bytes, checksum: Checksum
    ) -> None:
        self._content = content
        self._left = length
        self._expected = expected
        self._checksum = checksum
        if length == 0:
            self._compare()

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        data = self._content.read(size)
        self._checksum.update(data)
        if self._left is not None:
            self._left -= len(data)
        if not data or self._left == 0:
            self._compare()
        return data

    def _compare(self) -> None:
        if self._checksum.digest() != self._expected:
            name = "CRC64" if isinstance(self._checksum, Crc64) else "MD5"
            raise BadChecksum(
                f"{name.capitalize()}Mismatch",
                f"The {name} value specified in the request did not match with the {name} value "
                "calculated by the server.",
            )


def checked(content: Stream, length: int | None, headers: Headers, *names: str) -> Stream:
    """Return content as it is compared with the checksum that came along; as it is without one.

    `names` are the headers that an MD5 may stand in. Raises BadChecksum for those that make no sense.
    """
    md5 = next((headers[name] for name in names if name in headers), "")
    crc64 = headers.get(CRC64)
    if md5 and crc64:
        raise BadChecksum(
            "BothCrc64AndMd5HeaderPresent",
            f"Both {CRC64} header and {MD5} header are present.",
        )
    if md5:
        plain = hashlib.md5(usedforsecurity=False)
        return Checked(content, length, _decoded(md5, "Md5", MD5_BYTES), plain)
    if crc64:
        return Checked(content, length, _decoded(crc64, "Crc64", CRC64_BYTES), Crc64())
    return content


def _decoded(text: str, name: str, size: int) -> bytes:
    try:
        found = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != size:
        raise BadChecksum(
            f"Invalid{name}",
            f"The {name.upper()} value specified in the request is invalid. {name.upper()} value "
            f"must be {size * 8} bits and base64 encoded.",
        )
    return found
