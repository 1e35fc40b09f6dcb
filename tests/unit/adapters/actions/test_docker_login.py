"""login-action: what it writes in Docker's configuration, and what it leaves there."""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from trunkline.adapters.actions.docker_login import DockerLogin
from trunkline.ports.actions import ActionFailed, ActionJob
from trunkline.ports.containers import Login

HUB = "https://index.docker.io/v1/"
PASSWORD = "ground%control"  # noqa: S105 - nobody's
ECR = "012345678901.dkr.ecr.eu-west-3.amazonaws.com"
# A helper that keeps what it is told in a file beside it.
HELPER = '#!/bin/sh\necho "$1" >>"$0.calls"\ncat >>"$0.calls"\n'


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    return LocalJob(tmp_path / "state", os.environ)


class Registries:
    """Registries that know one password."""

    def __init__(self) -> None:
        self.asked: list[Login] = []

    def __call__(self, _job: ActionJob, login: Login) -> str:
        self.asked.append(login)
        if login.password not in {PASSWORD, ""}:
            raise ActionFailed("unauthorized: incorrect username or password")
        return ""


def log_in(job: LocalJob, ask: Registries | None = None, /, **inputs: str) -> None:
    place = world(Path(job.layout.temp), job.workspace)
    action = DockerLogin(place, ask) if ask else DockerLogin(place)
    action.main(job.call("docker/login-action@v4", {}, **inputs), job)


def log_out(job: LocalJob) -> None:
    DockerLogin(world(Path(job.layout.temp), job.workspace)).post(job.call("x@v4", {}), job)


def configuration(job: LocalJob, folder: str = "") -> Any:
    path = Path(folder or f"{job.layout.home}/.docker") / "config.json"
    assert path.stat().st_mode & 0o777 == 0o600
    found = json.loads(path.read_text(encoding="utf-8"))
    # A job's configuration is made with a login that is none, which stays.
    assert folder or found["auths"].pop("rehearsal.invalid", {}) == {}
    return found


def write_configuration(job: LocalJob, text: str) -> None:
    path = Path(job.layout.home, ".docker/config.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def basic(username: str, password: str = "") -> str:
    return b64encode(f"{username}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("registry", "key"),
    [
        ("", HUB),
        ("docker.io", HUB),
        (HUB, HUB),
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io/octo/", "ghcr.io"),
        ("http://example.org:8080", "example.org:8080"),
    ],
)
def test_names_of_registries(job: LocalJob, registry: str, key: str) -> None:
    log_in(job, registry=registry, username="octo", password=PASSWORD)
    assert list(configuration(job)["auths"]) == [key]
    assert f"Logging into {registry or 'docker.io'}..." in job.lines
    assert job.lines[-1] == "Login Succeeded!"


def test_a_rehearsal_gives_the_job_no_password(job: LocalJob) -> None:
    log_in(job, registry="ghcr.io", username="octo", password=PASSWORD)
    assert configuration(job) == {"auths": {"ghcr.io": {}}}
    assert any(line.startswith("Rehearsal: ghcr.io was not asked") for line in job.lines)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"username": "octo", "password": ""}, "Password required"),
        ({"username": "", "password": ""}, "Username and password required"),
    ],
)
def test_secrets_that_are_not_known_here(
    job: LocalJob, given: dict[str, str], message: str
) -> None:
    log_in(job, None, registry="ghcr.io", **given)
    assert configuration(job)["auths"] == {"ghcr.io": {}}
    assert any("not known here, and not needed" in line for line in job.lines)
    for registry, publish in (("ghcr.io", True), ("localhost:5000", False)):
        place = world(Path(job.layout.temp), job.workspace, publish=publish)
        with pytest.raises(ActionFailed, match=message):
            DockerLogin(place).main(job.call("x@v4", {}, registry=registry, **given), job)


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "[::1]:5000", "a.localhost"])
def test_registries_of_this_machine_get_theirs(job: LocalJob, host: str) -> None:
    log_in(job, registry=host, username="octo", password=PASSWORD)
    assert configuration(job) == {"auths": {host: {"auth": basic("octo", PASSWORD)}}}


def test_registries_that_are_asked(job: LocalJob) -> None:
    ask = Registries()
    log_in(job, ask, registry="ghcr.io", username="octo", password=PASSWORD)
    assert configuration(job) == {"auths": {"ghcr.io": {"auth": basic("octo", PASSWORD)}}}
    log_in(job, ask, username="octo", password=PASSWORD)
    assert ask.asked == [
        Login(server=server, username="octo", password=PASSWORD) for server in ("ghcr.io", "")
    ]
    with pytest.raises(ActionFailed, match="incorrect username or password"):
        log_in(job, ask, registry="ghcr.io", username="octo", password=PASSWORD[1:])


def test_what_is_there_stays(job: LocalJob) -> None:
    write_configuration(job, '{"auths": {"a.io": {"auth": "eA=="}}, "psFormat": "x"}')
    log_in(job, registry="b.io", username="octo", password=PASSWORD)
    found = configuration(job)
    assert (list(found["auths"]), found["psFormat"]) == (["a.io", "b.io"], "x")
    log_out(job)
    assert configuration(job) == {"auths": {"a.io": {"auth": "eA=="}}, "psFormat": "x"}
    assert job.lines[-3:] == [
        "##[group]Logout from b.io",
        "Removing login credentials for b.io",
        "##[endgroup]",
    ]
    log_out(job)
    assert job.lines[-2] == "Not logged in to b.io"


def test_no_logout(job: LocalJob) -> None:
    log_in(job, registry="b.io", username="octo", password=PASSWORD, logout="false")
    before = len(job.lines)
    log_out(job)
    assert len(job.lines) == before
    assert "b.io" in configuration(job)["auths"]


def test_a_configuration_elsewhere(job: LocalJob) -> None:
    job.env["DOCKER_CONFIG"] = f"{job.layout.temp}/docker"
    log_in(job, registry="b.io", username="octo", password=PASSWORD)
    assert list(configuration(job, job.env["DOCKER_CONFIG"])["auths"]) == ["b.io"]


@pytest.mark.parametrize(
    ("registry", "scope", "folder"),
    [
        ("", "octo/app", "registry-1.docker.io/octo/app"),
        ("ghcr.io", "octo", "ghcr.io/octo"),
        ("ghcr.io", "@push", "ghcr.io@push"),
    ],
)
def test_scopes(job: LocalJob, registry: str, scope: str, folder: str) -> None:
    log_in(job, registry=registry, username="octo", password=PASSWORD, scope=scope)
    place = f"{job.layout.home}/.docker/buildx/config/{folder}"
    assert list(configuration(job, place)["auths"]) == [registry or HUB]
    assert f"Logging into {registry or 'docker.io'} (scope {scope})..." in job.lines
    log_out(job)
    assert configuration(job, place) == {"auths": {}}
    assert f"Alternative config dir: {place}" in job.lines


def test_scopes_turned_off(job: LocalJob) -> None:
    job.env["DOCKER_LOGIN_SCOPE_DISABLED"] = "true"
    log_in(job, registry="ghcr.io", username="octo", password=PASSWORD, scope="octo")
    assert list(configuration(job)["auths"]) == ["ghcr.io"]


def test_several_registries(job: LocalJob) -> None:
    several = (
        f"- username: octo\n  password: {PASSWORD}\n"
        "- registry: ghcr.io\n  username: cat\n  password: 0123\n  scope: cat/app\n"
    )
    log_in(job, registry_auth=several)
    assert list(configuration(job)["auths"]) == [HUB]
    scoped = f"{job.layout.home}/.docker/buildx/config/ghcr.io/cat/app"
    assert list(configuration(job, scoped)["auths"]) == ["ghcr.io"]
    groups = [line for line in job.lines if line.startswith("##[group]")]
    assert groups == ["##[group]Login to docker.io", "##[group]Login to ghcr.io"]
    assert job.masks == [PASSWORD, "0123"]
    log_out(job)
    assert configuration(job) == configuration(job, scoped) == {"auths": {}}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "^Username and password required$"),
        ({"password": "x"}, "^Username required$"),
        ({"username": "x"}, "^Password required$"),
        ({"username": "x", "registry-auth": "- {}"}, "Cannot use registry-auth with other inputs"),
        ({"registry-auth": "[]"}, "No registry to login"),
        ({"registry-auth": "registry: x"}, "must be a list of registries"),
        ({"registry-auth": "- x"}, "must be a list of registries"),
        ({"registry-auth": "- [x"}, "registry-auth can't be read"),
        ({"logout": "maybe"}, "Core Schema"),
    ],
)
def test_mistakes(job: LocalJob, inputs: dict[str, str], message: str) -> None:
    with pytest.raises(ActionFailed, match=message):
        log_in(job, None, **inputs)


def test_a_broken_configuration(job: LocalJob) -> None:
    write_configuration(job, "{")
    with pytest.raises(ActionFailed, match="Unable to parse config file"):
        log_in(job, registry="b.io", username="octo", password=PASSWORD)


@pytest.mark.parametrize("registry", [ECR, "public.ecr.aws"])
def test_amazon(job: LocalJob, registry: str) -> None:
    log_in(job, registry=registry)
    assert configuration(job)["auths"] == {registry: {}}
    told = "AWS ECR detected with eu-west-3" if registry == ECR else "AWS Public ECR detected with"
    assert any(line.startswith(told) for line in job.lines)
    publishing = world(Path(job.layout.temp), job.workspace, publish=True)
    with pytest.raises(ActionFailed, match="aws ecr get-login-password"):
        DockerLogin(publishing).main(job.call("x@v4", {}, registry=registry), job)
    log_in(job, Registries(), registry=registry, username="AWS", password=PASSWORD, ecr="false")
    assert configuration(job)["auths"] == {registry: {"auth": basic("AWS", PASSWORD)}}


def test_helpers_keep_credentials(job: LocalJob) -> None:
    program = Path(job.layout.temp, "bin/docker-credential-box")
    program.parent.mkdir()
    program.write_text(HELPER, encoding="utf-8")
    program.chmod(0o755)
    job.add_path(str(program.parent))
    write_configuration(job, '{"credsStore": "box"}')
    log_in(job, Registries(), registry="b.io", username="octo", password=PASSWORD)
    log_out(job)
    stored, erased = program.with_suffix(".calls").read_text(encoding="utf-8").split("erase")
    assert json.loads(stored.removeprefix("store")) == {
        "ServerURL": "b.io",
        "Username": "octo",
        "Secret": PASSWORD,
    }
    assert erased.strip() == "b.io"
    assert not list(Path(job.layout.temp).glob("_docker*"))
    program.write_text("#!/bin/sh\necho no room; exit 3\n", encoding="utf-8")
    with pytest.raises(ActionFailed, match="exit status 3, out: `no room`"):
        log_in(job, Registries(), registry="b.io", username="octo", password=PASSWORD)


@pytest.mark.skipif(not shutil.which("docker"), reason="Docker's client is not here")
def test_dockers_client_reads_it(job: LocalJob) -> None:
    log_in(job, registry="ghcr.io", username="octo", password=PASSWORD)
    log_in(job, username="octo", password=PASSWORD)
    told = job.shell("docker logout ghcr.io; docker logout")
    assert told.splitlines() == [
        "Removing login credentials for ghcr.io",
        f"Removing login credentials for {HUB}",
    ]
    assert configuration(job)["auths"] == {}
