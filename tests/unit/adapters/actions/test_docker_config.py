"""Docker's configuration in a job: who is logged in where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob
from trunkline.adapters.toolkit.docker_config import find_login, read_config
from trunkline.ports.actions import ActionFailed
from trunkline.ports.containers import IDENTITY_USER, Login

AUTH = "b2N0bzpzZWNyZXQ="
HELPER = """\
#!/bin/sh
read -r server
[ "$1 $server" = "get ghcr.io" ] || { echo "credentials not found in native keychain"; exit 1; }
echo '{"ServerURL": "ghcr.io", "Username": "ada", "Secret": "kept"}'
"""


def login(job: LocalJob, content: dict[str, Any], reference: str) -> Login | None:
    job.sandbox.put(f"{job.layout.home}/.docker/config.json", json.dumps(content).encode())
    return find_login(read_config(job, job.env), reference, job)


@pytest.mark.parametrize(
    ("key", "reference", "server"),
    [
        ("ghcr.io", "ghcr.io/o/n:1", "ghcr.io"),
        ("https://ghcr.io", "ghcr.io/o/n", "ghcr.io"),
        ("https://ghcr.io/v2/", "ghcr.io/o/n", "ghcr.io"),
        ("localhost:5000", "localhost:5000/n", "localhost:5000"),
        ("https://index.docker.io/v1/", "o/n", ""),
        ("https://index.docker.io/v1/", "docker.io/library/n", ""),
    ],
)
def test_a_registry_is_found_as_docker_writes_it(
    job: LocalJob, key: str, reference: str, server: str
) -> None:
    found = login(job, {"auths": {key: {"auth": AUTH}}}, reference)
    assert found == Login(server=server, username="octo", password="secret")  # noqa: S106


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"auths": {"quay.io": {"auth": AUTH}}},
        {"auths": {"ghcr.io": {}}},
        {"auths": {"ghcr.io": None}},
        {"credHelpers": {"quay.io": "x"}},
    ],
)
def test_nobody_is_logged_in_elsewhere(job: LocalJob, content: dict[str, Any]) -> None:
    assert login(job, content, "ghcr.io/o/n") is None


def test_an_identity_token_comes_before_a_name(job: LocalJob) -> None:
    entry = {"auth": "b2N0bzo=", "identitytoken": "refresh"}
    found = login(job, {"auths": {"ghcr.io": entry}}, "ghcr.io/o/n")
    assert found == Login(server="ghcr.io", username=IDENTITY_USER, password="refresh")  # noqa: S106


@pytest.mark.parametrize("content", [{"credsStore": "own"}, {"credHelpers": {"ghcr.io": "own"}}])
def test_helpers_are_asked_as_docker_asks_them(
    job: LocalJob, tmp_path: Path, content: dict[str, Any]
) -> None:
    program = tmp_path / "docker-credential-own"
    program.write_text(HELPER)
    program.chmod(0o755)
    job.env["PATH"] = f"{tmp_path}:{job.env['PATH']}"
    found = login(job, content, "ghcr.io/o/n")
    assert found == Login(server="ghcr.io", username="ada", password="kept")  # noqa: S106
    assert login(job, {"credsStore": "own"}, "quay.io/o/n") is None


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_file_is_told(job: LocalJob, text: str) -> None:
    job.sandbox.put(f"{job.layout.home}/.docker/config.json", text.encode())
    with pytest.raises(ActionFailed, match="Unable to parse config file"):
        read_config(job, job.env)


def test_a_login_that_can_not_be_read_is_told(job: LocalJob) -> None:
    with pytest.raises(ActionFailed, match="a login that can't be read"):
        login(job, {"auths": {"ghcr.io": {"auth": "???"}}}, "ghcr.io/o/n")


def test_a_tag_that_is_none_is_told(job: LocalJob) -> None:
    with pytest.raises(ActionFailed, match=r"invalid tag .a/B.: .*must be lowercase"):
        login(job, {}, "a/B")


def test_the_folder_can_be_another(job: LocalJob, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"proxies": {"default": {"httpProxy": "p"}}}')
    job.env["DOCKER_CONFIG"] = str(tmp_path)
    assert read_config(job, job.env).proxies == {"default": {"httpProxy": "p"}}
