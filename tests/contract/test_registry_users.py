"""What every store of the registry's users does: files, and the fake."""

from __future__ import annotations

from pathlib import Path

import pytest

from trunkline.adapters.registry_users import passwords
from trunkline.adapters.registry_users.files import FileUsers
from trunkline.adapters.registry_users.memory import MemoryUsers
from trunkline.oci.access import Grant
from trunkline.ports.registry_users import Users

GRANTS = (Grant("team/*", ("pull", "push")),)
PUBLIC = (Grant("public/*", ("pull",)),)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with a sixteenth of the work."""
    monkeypatch.setattr(passwords, "COST", passwords.COST >> 4)


@pytest.fixture(params=["files", "memory"])
def users(request: pytest.FixtureRequest, tmp_path: Path) -> Users:
    if request.param == "memory":
        return MemoryUsers(PUBLIC)
    return FileUsers(str(tmp_path / "registry" / "users.yaml"), PUBLIC)


def test_there_is_nobody_at_first(users: Users) -> None:
    assert users.names() == ()
    assert users.account("alice") is None
    assert users.check("alice", "") is None
    assert users.anonymous().name == ""
    assert users.anonymous().grants == PUBLIC


def test_to_remove_nobody_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"
    assert not FileUsers(str(path)).remove("alice")
    assert list(tmp_path.iterdir()) == []


def test_a_user_has_a_password_and_grants(users: Users) -> None:
    assert users.put("alice", "wonder: land é", GRANTS)
    found = users.check("alice", "wonder: land é")
    assert found is not None
    assert (found.name, found.grants) == ("alice", GRANTS)
    assert found == users.account("alice")
    assert users.check("alice", "wonder") is None
    assert users.check("alice", "") is None
    assert users.check("bob", "wonder: land é") is None
    # Once more: what is remembered of a right password opens nothing else.
    assert users.check("alice", "wonder: land é") == found
    assert users.check("alice", "Wonder: land é") is None


def test_a_new_password_ends_the_old_one_and_is_seen(users: Users) -> None:
    users.put("alice", "one", GRANTS)
    before = users.check("alice", "one")
    assert not users.put("alice", "two", GRANTS)
    after = users.check("alice", "two")
    assert before is not None
    assert after is not None
    assert before.version != after.version
    assert users.check("alice", "one") is None


def test_users_are_listed_and_removed(users: Users) -> None:
    for name in ("bob", "alice"):
        users.put(name, "p", GRANTS)
    assert users.names() == ("alice", "bob")
    assert users.remove("alice")
    assert not users.remove("alice")
    assert users.names() == ("bob",)
    assert users.check("alice", "p") is None
