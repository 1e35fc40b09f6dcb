"""Logins of a rehearsal: kept for pulls, replaced by a word that opens nothing everywhere else."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64decode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.docker.proxy.logins import Logins, decoded_login, host_of
from trunkline.adapters.docker.publishing import encoded_login
from trunkline.adapters.docker.registry_logins import REHEARSAL_TOKEN

ADA = {"username": "ada", "password": "secret", "serveraddress": "https://ghcr.io/v2/"}
WRITTEN = {"username": "ada", "identitytoken": REHEARSAL_TOKEN, "serveraddress": "ghcr.io"}


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("ghcr.io", "ghcr.io"),
        ("https://GHCR.io/v1/", "ghcr.io"),
        ("http://localhost:5000", "localhost:5000"),
        ("1.dkr.ecr.eu-west-1.amazonaws.com", "1.dkr.ecr.eu-west-1.amazonaws.com"),
    ],
)
def test_a_registry_is_known_by_its_host(server: str, host: str) -> None:
    assert host_of(server) == host


def test_a_pull_has_the_login_that_the_script_meant() -> None:
    logins = Logins()
    logins.remember(ADA)
    sent = logins.header(encoded_login(WRITTEN), "ghcr.io")
    assert decoded_login(sent) == ADA
    without_server = {"identitytoken": REHEARSAL_TOKEN}
    assert decoded_login(logins.header(encoded_login(without_server), "ghcr.io")) == ADA


def test_an_unknown_login_is_left_out() -> None:
    logins = Logins()
    assert logins.header(encoded_login(WRITTEN), "ghcr.io") == ""
    assert decoded_login(logins.table(encoded_login({"ghcr.io": WRITTEN}))) == {}


def test_a_login_that_is_not_of_a_rehearsal_passes_as_it_is() -> None:
    text = b64encode(b'{"username":"x"}').decode()
    assert Logins().header(text, "ghcr.io") == text


def test_a_builds_logins_are_those_that_the_script_meant() -> None:
    logins = Logins()
    logins.remember(ADA)
    other = {"username": "bob", "password": "x"}
    table = encoded_login({"ghcr.io": WRITTEN, "example.com": other, "odd": 7})
    text = logins.table(table)
    found = msgspec.json.decode(urlsafe_b64decode(text))
    assert found == {"ghcr.io": ADA, "example.com": other}


@given(st.text(max_size=80))
def test_headers_that_make_no_sense_say_nothing(text: str) -> None:
    assert all(isinstance(value, str) for value in decoded_login(text).values())
