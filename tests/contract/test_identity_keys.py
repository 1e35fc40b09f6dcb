"""What every store of identity keys does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from trunkline.adapters.clock import FakeClock
from trunkline.adapters.identity_keys.files import FileKeys
from trunkline.adapters.identity_keys.memory import MemoryKeys
from trunkline.base.errors import Corrupt, Unavailable
from trunkline.ports.identity_keys import IdentityKeys, PublicKey

DAY = 24 * 60 * 60


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["files", "memory"])
def keys(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> IdentityKeys:
    if request.param == "memory":
        return MemoryKeys(clock, rotation=10 * DAY, grace=DAY)
    return files(tmp_path, clock)


def files(tmp_path: Path, clock: FakeClock) -> FileKeys:
    return FileKeys(str(tmp_path / "keys"), clock, rotation=10 * DAY, grace=DAY)


def checks(public: PublicKey, message: bytes, signature: bytes) -> bool:
    """Tell whether a library that is not ours takes a signature."""
    record = {"kty": "RSA", "n": public.modulus, "e": public.exponent, "alg": "RS256"}
    key = jwt.PyJWK(record)
    return bool(key.Algorithm.verify(message, key.key, signature))


def test_what_it_signs_can_be_checked(keys: IdentityKeys) -> None:
    key = keys.current()
    signature = key.sign(b"said")
    assert keys.published() == (key.public,)
    assert checks(key.public, b"said", signature)
    assert not checks(key.public, b"not said", signature)


def test_a_key_stays_until_it_is_too_old(keys: IdentityKeys, clock: FakeClock) -> None:
    first = keys.current().public
    clock.advance(10 * DAY - 1)
    assert keys.current().public == first
    clock.advance(1)
    second = keys.current().public
    assert second != first


def test_a_replaced_key_is_known_for_a_while(keys: IdentityKeys, clock: FakeClock) -> None:
    first = keys.current()
    signature = first.sign(b"said")
    clock.advance(10 * DAY)
    second = keys.current()
    assert keys.published() == (second.public, first.public)
    assert checks(keys.published()[1], b"said", signature)
    clock.advance(DAY)
    assert keys.published() == (second.public,)


def test_asking_for_the_published_keys_makes_the_first(keys: IdentityKeys) -> None:
    assert keys.published() == (keys.current().public,)


def test_threads_agree(keys: IdentityKeys) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: keys.current().public.id, range(8)))
    assert len(found) == 1


class TestFiles:
    """What lies on the disk."""

    def test_another_process_has_the_same_key(self, tmp_path: Path, clock: FakeClock) -> None:
        assert files(tmp_path, clock).current().public == files(tmp_path, clock).current().public

    def test_only_the_owner_reads_it(self, tmp_path: Path, clock: FakeClock) -> None:
        files(tmp_path, clock).current()
        (path,) = (tmp_path / "keys").glob("*.pem")
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700

    def test_keys_that_nobody_needs_are_removed(self, tmp_path: Path, clock: FakeClock) -> None:
        keys = files(tmp_path, clock)
        for _ in range(3):
            keys.current()
            clock.advance(10 * DAY)
        keys.current()
        assert len(list((tmp_path / "keys").glob("*.pem"))) == 2

    def test_a_broken_key_is_told(self, tmp_path: Path, clock: FakeClock) -> None:
        files(tmp_path, clock).current()
        (path,) = (tmp_path / "keys").glob("*.pem")
        path.write_bytes(b"no key")
        with pytest.raises(Corrupt, match="is no identity key"):
            files(tmp_path, clock).current()

    def test_a_disk_that_refuses(self, tmp_path: Path, clock: FakeClock) -> None:
        (tmp_path / "keys").write_text("no folder")
        with pytest.raises(Unavailable, match="can't be had"):
            files(tmp_path, clock).current()
