"""Logins of a rehearsal: kept for pulls, replaced by a word that opens nothing everywhere else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from base64 import b64encode, urlsafe_b64decode
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.docker.proxy.login_files import forget_tokens, login_file
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
    for login in (b'{"username":"x","password":"y"}', b'{"identitytoken":"real"}'):
        text = b64encode(login).decode()
        assert Logins().header(text, "ghcr.io") == text


def test_a_client_without_credentials_has_those_that_the_job_logged_in_with() -> None:
    logins = Logins()
    logins.remember(ADA)
    assert decoded_login(logins.header("e30=", "ghcr.io")) == ADA
    assert logins.header("e30=", "quay.io") == ""
    table = encoded_login({"ghcr.io": {}, "rehearsal.invalid": {}})
    assert msgspec.json.decode(urlsafe_b64decode(logins.table(table))) == {"ghcr.io": ADA}


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


# --- what the client writes down --------------------------------------------------------


def test_the_token_of_a_rehearsal_is_taken_out_again(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    other = {"auth": "YWRhOmVuZ2luZQ=="}
    token = {"auth": "YWRhOg==", "identitytoken": REHEARSAL_TOKEN}
    path.write_text(json.dumps({"auths": {"ghcr.io": token, "quay.io": other}, "x": 1}))
    path.chmod(0o600)
    forget_tokens(str(path))
    assert json.loads(path.read_text()) == {"auths": {"ghcr.io": {}, "quay.io": other}, "x": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"auths": 7}', '{"auths": {"a": null}}', "nope"])
def test_files_without_such_a_token_stay_as_they_are(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    before = path.stat().st_ino
    forget_tokens(str(path))
    assert (path.read_text(), path.stat().st_ino) == (text, before)
    forget_tokens(str(tmp_path / "absent.json"))
    (tmp_path / "link.json").symlink_to(path)
    forget_tokens(str(tmp_path / "link.json"))
    assert (tmp_path / "link.json").is_symlink()


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="only Linux tells who connects")
@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({"HOME": "/home/job"}, "/outside/home/job/.docker/config.json"),
        ({"HOME": "/h", "DOCKER_CONFIG": "/etc/docker"}, "/outside/etc/docker/config.json"),
        ({"HOME": ""}, ""),
    ],
)
def test_a_clients_file_is_found_by_its_environment(
    tmp_path: Path, variables: dict[str, str], path: str
) -> None:
    address = tmp_path / "s"
    code = "import socket,sys;s=socket.socket(1);s.connect(sys.argv[1]);s.recv(1)"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        server.listen()
        argv = [sys.executable, "-c", code, str(address)]
        with subprocess.Popen(argv, env=variables):
            connection, _ = server.accept()
            with connection:
                assert login_file(connection, lambda inside: f"/outside{inside}") == path
                assert login_file(connection, lambda _: None) == ""
