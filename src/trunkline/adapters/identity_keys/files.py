"""Identity keys as files for their owner alone: `<folder>/<made>.pem`, in milliseconds since 1970."""

from __future__ import annotations

import os
from pathlib import Path

from trunkline.adapters.file_locks import locked
from trunkline.adapters.identity_keys.rsa import RsaKey, load, make
from trunkline.base.errors import Corrupt, Unavailable
from trunkline.ports.clock import Clock
from trunkline.ports.identity_keys import PublicKey

ROTATION = 90 * 24 * 60 * 60.0
GRACE = 24 * 60 * 60.0


class FileKeys:
    """Keeps keys below a folder. See the port `IdentityKeys`.

    A key signs for `rotation` seconds, and is known for `grace` seconds after that.
    """

    def __init__(
        self, folder: str, clock: Clock, *, rotation: float = ROTATION, grace: float = GRACE
    ) -> None:
        self._folder = Path(folder)
        self._clock = clock
        self._rotation = rotation
        self._grace = grace
        self._known: dict[int, RsaKey] = {}

    def current(self) -> RsaKey:
        """Return the key to sign with, made when there is none or it is too old."""
        return self._read(self._made()[0])

    def published(self) -> tuple[PublicKey, ...]:
        """Return the keys to check with, newest first."""
        return tuple(self._read(made).public for made in self._made())

    def _made(self) -> list[int]:
        """Return when the valid keys were made, newest first; there is a current one."""
        try:
            found = self._valid()
            if not found or self._is_old(found[0]):
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                with locked(self._folder / "lock"):
                    found = self._valid()
                    if not found or self._is_old(found[0]):
                        self._make()
                        found = self._valid()
                    self._forget(found)
        except OSError as error:
            raise Unavailable(f"The identity keys can't be had: {error}") from error
        return found

    def _valid(self) -> list[int]:
        every = self._all()
        now = self._clock.now()
        pairs = zip(every[1:], every, strict=False)
        kept = [old for old, new in pairs if now - new / 1000 < self._grace]
        return [*every[:1], *kept]

    def _all(self) -> list[int]:
        return sorted(
            (int(path.stem) for path in self._folder.glob("*.pem") if path.stem.isdigit()),
            reverse=True,
        )

    def _is_old(self, made: int) -> bool:
        return self._clock.now() - made / 1000 >= self._rotation

    def _make(self) -> None:
        now = self._clock.now()
        path = self._path(int(now * 1000))
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make(now).pem())
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)

    def _forget(self, valid: list[int]) -> None:
        """Remove the keys that nothing valid was signed with."""
        for made in set(self._all()) - set(valid):
            self._path(made).unlink(missing_ok=True)
            self._known.pop(made, None)

    def _read(self, made: int) -> RsaKey:
        if made not in self._known:
            path = self._path(made)
            try:
                self._known[made] = load(path.read_bytes())
            except OSError as error:
                raise Unavailable(f"The identity key {path} can't be read: {error}") from error
            except ValueError as error:
                raise Corrupt(
                    f"{path} is no identity key: {error}",
                    hint="Remove it: a new one is made, and who trusted the old one asks again.",
                ) from error
        return self._known[made]

    def _path(self, made: int) -> Path:
        return self._folder / f"{made}.pem"
