"""The options of `trunkline registry`: where to listen, who comes in, what is kept."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from trunkline.app.registry import Doors
from trunkline.base.errors import NotFound, TrunklineError, UsageError
from trunkline.cli.registry_options import (
    DEFAULT,
    EVERYTHING_TO_PULL,
    Address,
    read_address,
    read_doors,
    read_names,
    read_rules,
    serving,
)

HERE = Address("127.0.0.1", 5000)
THERE = Address("0.0.0.0", 5000)  # noqa: S104 - nothing listens


@pytest.mark.parametrize(
    ("text", "address", "loopback"),
    [
        (DEFAULT, Address("127.0.0.1", 5000), True),
        ("localhost:0", Address("localhost", 0), True),
        ("127.8.9.1:65535", Address("127.8.9.1", 65535), True),
        ("[::1]:80", Address("::1", 80), True),
        ("[::]:80", Address("::", 80), False),
        ("0.0.0.0:80", Address("0.0.0.0", 80), False),  # noqa: S104
        ("images.example.org:443", Address("images.example.org", 443), False),
        ("127.0.0.1.example.org:443", Address("127.0.0.1.example.org", 443), False),
    ],
)
def test_addresses(text: str, address: Address, loopback: bool) -> None:  # noqa: FBT001
    found = read_address(text)
    assert found == address
    assert found.text == text
    assert found.is_loopback is loopback


@pytest.mark.parametrize(
    "text", ["", "5000", ":5000", "host", "host:", "host:x", "host:65536", "::1:80", "[h]:80"]
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        read_address(text)


class Store:
    """A folder of images, perhaps with users."""

    def __init__(self, folder: Path) -> None:
        self.users = folder / "users.yaml"

    def doors(self, *argv: str, address: Address = HERE) -> Doors | None:
        return read_doors(serving().parse_args(argv), str(self.users), address)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_without_users_it_is_open_to_this_machine_alone(store: Store) -> None:
    assert store.doors() is None
    with pytest.raises(UsageError, match=r"Other machines reach 0\.0\.0\.0:5000"):
        store.doors(address=THERE)
    assert store.doors("--open", address=THERE) is None


def test_users_of_the_store_are_asked_for(store: Store) -> None:
    store.users.touch()
    expected = Doors(users=str(store.users))
    assert store.doors() == expected
    assert store.doors(address=THERE) == expected
    assert store.doors("--open") is None


def test_everybody_may_pull(store: Store) -> None:
    found = store.doors(
        "--anonymous", "pull", "--auth", "basic", "--url", "https://i", address=THERE
    )
    assert found == Doors(
        users=str(store.users), anonymous=EVERYTHING_TO_PULL, scheme="basic", url="https://i"
    )


def test_a_file_of_users_that_is_not_there_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        store.doors("--users", str(tmp_path / "none"))


@pytest.mark.parametrize("other", [("--anonymous", "pull"), ("--users", __file__)])
def test_open_goes_with_no_other_door(store: Store, other: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="--open asks nobody"):
        store.doors("--open", *other)


def test_rules_are_read() -> None:
    argv = ["--immutable", "v*", "--keep", "last=3", "--untagged", "0.5"]
    rules = read_rules(serving().parse_args(argv))
    assert rules.immutable == ("v*",)
    assert rules.retention[0].keep_last == 3
    assert rules.untagged == 43200
    assert read_rules(serving().parse_args([])).untagged is None
    assert read_rules(serving().parse_args(["--untagged", "forever"])).untagged == math.inf


@pytest.mark.parametrize("argv", [["--untagged", "-1"], ["--gc", "x"], ["--gc", "nan"]])
def test_numbers_that_make_no_sense_are_refused(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        serving().parse_args(argv)
    assert "is not a number that fits here" in capsys.readouterr().err


def test_a_wrong_rule_is_the_users_mistake() -> None:
    with pytest.raises(TrunklineError, match="--keep: 'x' is not a part of"):
        read_rules(serving().parse_args(["--keep", "x"]))


@pytest.mark.parametrize(
    ("url", "address", "names"),
    [
        ("", HERE, ()),
        ("https://images.example.org:8443/", HERE, ("images.example.org",)),
        ("http://[::1]:5000", HERE, ("::1",)),
        ("", THERE, None),
        ("https://images.example.org", THERE, None),
    ],
)
def test_names_beside_those_of_this_machine(
    url: str, address: Address, names: tuple[str, ...] | None
) -> None:
    assert read_names(serving().parse_args(["--url", url]), address) == names


@pytest.mark.parametrize("url", ["images.example.org", "ftp://h", "https://", "https://[x", "://"])
def test_what_is_no_url_is_told(url: str) -> None:
    with pytest.raises(UsageError, match="is not --url https://HOST"):
        read_names(serving().parse_args(["--url", url]), THERE)
