"""Passwords as scrypt hashes, checked one at a time and remembered while the process lives."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import threading
from base64 import b64decode, b64encode

# OWASP's password storage cheat sheet: N=2^14, r=8, p=5, which takes 16 MiB.
COST, BLOCKS, LANES = 1 << 14, 8, 5
MEMORY = 64 << 20
MOST_REMEMBERED = 1024
BASE64 = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
HASH = re.compile(rf"scrypt:([0-9]{{2,6}}):([1-9]):([1-9]):{BASE64}:{BASE64}")


def hash_password(password: str, salt: bytes = b"") -> str:
    """Return `scrypt:N:r:p:salt:hash`, with a new salt when none is given."""
    salt = salt or os.urandom(16)
    digest = _scrypt(password, salt, COST, BLOCKS, LANES)
    return f"scrypt:{COST}:{BLOCKS}:{LANES}:{b64encode(salt).decode()}:{b64encode(digest).decode()}"


def is_hash(text: str) -> bool:
    """Tell whether `text` is what `hash_password` returns, with a cost that can be paid."""
    found = HASH.fullmatch(text)
    if found is None:
        return False
    cost, blocks = int(found[1]), int(found[2])
    return cost.bit_count() == 1 and 2 * 128 * cost * blocks <= MEMORY


class PasswordCheck:
    """Checks passwords. A hash takes long on purpose: one that was right is remembered, keyed.

    One hash is computed at a time: many at once would take much memory.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._right: dict[bytes, None] = {}
        self._lock = threading.Lock()
        self._nobody = hash_password("")

    def __call__(self, password: str, stored: str | None) -> bool:
        """Tell whether a password is the stored one; None (no such user) takes as long."""
        against = self._nobody if stored is None else stored
        known = hmac.digest(self._key, f"{against}\0{password}".encode(), "sha256")
        with self._lock:
            if known in self._right:
                return True
            if not _fits(password, against) or stored is None:
                return False
            while len(self._right) >= MOST_REMEMBERED:
                self._right.pop(next(iter(self._right)))
            self._right[known] = None
            return True


def _fits(password: str, stored: str) -> bool:
    _, cost, blocks, lanes, salt, digest = stored.split(":")
    found = _scrypt(password, b64decode(salt), int(cost), int(blocks), int(lanes))
    return hmac.compare_digest(found, b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int, blocks: int, lanes: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=blocks, p=lanes, maxmem=MEMORY, dklen=32
    )
