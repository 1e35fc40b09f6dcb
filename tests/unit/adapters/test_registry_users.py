"""The file of the registry's users, and the key of its tokens."""

from __future__ import annotations

import hashlib
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from trunkline.adapters.registry_users import passwords
from trunkline.adapters.registry_users.files import FileUsers
from trunkline.adapters.registry_users.keys import signing_key
from trunkline.base.errors import Corrupt, Unavailable
from trunkline.oci.access import Grant

ALL = (Grant("*", ("pull", "push", "delete")),)
# OWASP's N for scrypt with r=8, p=5.
WORK = 1 << 14


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with a sixteenth of the work."""
    assert passwords.COST == WORK
    monkeypatch.setattr(passwords, "COST", WORK >> 4)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "users.yaml"


def test_the_file_is_for_its_owner_and_holds_no_password(file: Path) -> None:
    FileUsers(str(file)).put("alice", "wonderland", ALL)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "wonderland" not in file.read_text()
    assert "pull,push,delete" in file.read_text()
    assert {path.name for path in file.parent.iterdir()} == {"users.yaml", ".users.yaml.lock"}


def test_what_people_write_into_the_file_counts_at_once(file: Path) -> None:
    users = FileUsers(str(file))
    hashed = passwords.hash_password("p")
    assert users.check("bob", "p") is None
    file.write_text(
        f"users:\n  bob:\n    password: {hashed}\n    grants:\n      team/*: pull\n"
        "anonymous:\n  public/*: pull\n"
    )
    found = users.check("bob", "p")
    assert found is not None
    assert found.grants == (Grant("team/*", ("pull",)),)
    assert users.anonymous().grants == (Grant("public/*", ("pull",)),)
    file.unlink()
    assert users.check("bob", "p") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("users: [", "not a file of users"),
        ("users: 5", "not a file of users"),
        ("user: {}", "unknown field `user`"),
        ("users: {bob: {password: secret}}", "the password of bob is not a hash"),
        ("users: {bob: {password: 'scrypt:999999:8:5::'}}", "is not a hash"),
        ("anonymous: {Public: pull}", "'Public' is not a repository's name"),
        ("\xff", "not a file of users"),
    ],
)
def test_a_file_that_makes_no_sense_is_told(file: Path, text: str, told: str) -> None:
    file.write_text(text, encoding="latin-1")
    with pytest.raises(Corrupt, match=told):
        FileUsers(str(file)).names()


def test_an_empty_file_has_no_users(file: Path) -> None:
    file.touch()
    assert FileUsers(str(file)).names() == ()


def test_a_folder_in_its_place_is_told(file: Path) -> None:
    file.mkdir()
    with pytest.raises(Unavailable, match=r"users\.yaml can't be"):
        FileUsers(str(file)).put("bob", "p", ALL)
    assert len(list(file.parent.iterdir())) == 2


def test_users_that_are_added_at_once_are_all_there(file: Path) -> None:
    names = [f"user{number}" for number in range(6)]
    adders = [
        threading.Thread(target=FileUsers(str(file)).put, args=(name, "p", ALL)) for name in names
    ]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()
    assert FileUsers(str(file)).names() == tuple(names)


def test_hashes_have_a_salt() -> None:
    one, other = passwords.hash_password("p"), passwords.hash_password("p")
    assert one != other
    assert passwords.is_hash(one)
    check = passwords.PasswordCheck()
    assert check("p", one)
    assert check("p", other)
    assert not check("q", one)


def test_an_unknown_user_has_no_password_at_all() -> None:
    check = passwords.PasswordCheck()
    assert not check("", None)
    assert not check("", None)


def test_a_right_password_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = passwords.hash_password("p")
    check = passwords.PasswordCheck()
    hashes: list[str] = []
    scrypt = hashlib.scrypt

    def counted(password: bytes, **cost: Any) -> bytes:
        hashes.append(password.decode())
        return scrypt(password, **cost)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    assert [check("p", stored) for _ in range(3)] == [True] * 3
    assert [check("q", stored) for _ in range(3)] == [False] * 3
    assert hashes == ["p", "q", "q", "q"]


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token.key"
    keys: list[bytes] = []
    makers = [
        threading.Thread(target=lambda: keys.append(signing_key(str(path)))) for _ in range(8)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["token.key"]


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(Corrupt, match="not a key"):
        signing_key(str(tmp_path / "key"))
    with pytest.raises(Unavailable, match="can't be had"):
        signing_key(str(tmp_path))
