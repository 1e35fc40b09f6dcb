"""Identity keys in memory, for tests."""

from __future__ import annotations

import threading

from trunkline.adapters.identity_keys.rsa import RsaKey, make
from trunkline.ports.clock import Clock
from trunkline.ports.identity_keys import PublicKey

ROTATION = 90 * 24 * 60 * 60.0
GRACE = 24 * 60 * 60.0


class MemoryKeys:
    """Keeps keys in a list, newest first. See the port `IdentityKeys`."""

    def __init__(self, clock: Clock, *, rotation: float = ROTATION, grace: float = GRACE) -> None:
        self._clock = clock
        self._rotation = rotation
        self._grace = grace
        self._lock = threading.Lock()
        self._keys: list[tuple[float, RsaKey]] = []

    def current(self) -> RsaKey:
        """Return the key to sign with."""
        now = self._clock.now()
        with self._lock:
            if not self._keys or now - self._keys[0][0] >= self._rotation:
                self._keys.insert(0, (now, make(now)))
            return self._keys[0][1]

    def published(self) -> tuple[PublicKey, ...]:
        """Return the keys to check with, newest first."""
        newest = self.current().public
        with self._lock:
            replaced = zip(self._keys[1:], self._keys, strict=False)
            valid = [
                key.public
                for (_, key), (successor, _) in replaced
                if self._clock.now() - successor < self._grace
            ]
        return (newest, *valid)
