"""setup-buildx-action: which builder it tells, with a Docker client that follows a script."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from trunkline.adapters.actions.docker_setup_buildx import OWN, DockerSetupBuildx
from trunkline.adapters.clock import FakeClock
from trunkline.ports.actions import ActionFailed

# Stands in for Docker's client and Buildx: it knows the builders that are files in $HERE/builders,
# writes down what it is asked, and says no to what $HERE/trouble names.
CLIENT = """\
#!/bin/sh
echo "$@" >>"$HERE/asked"
for each in $(cat "$HERE/trouble"); do
  case "$*" in *"$each"*) echo "#1 booting"; echo "ERROR: no $each here" >&2; exit 1 ;; esac
done
make() { sed "s/NAME/$1/; s/NAME/$1/; s/NAME/$1/; s/DRIVER/$2/" "$HERE/builder" >"$HERE/builders/$1"; }
case "$1 $2" in
  "buildx version") echo github.com/docker/buildx v0.29.1 ;;
  "buildx inspect")
    for name; do :; done
    cat "$HERE/builders/$name" || { echo "ERROR: no builder \\"$name\\" found" >&2; exit 1; } ;;
  "buildx create") make "$4" "$6"; echo "$4" ;;
  "buildx rm") for name; do :; done; rm "$HERE/builders/$name"; echo "$name removed" ;;
  "context inspect") echo default ;;
  "context create") for name; do :; done; make "$name" docker ;;
  *) echo "docker $1" ;;
esac
"""
BUILDER = """\
Name:   NAME
Driver: DRIVER

Nodes:
Name:                  NAME0
Endpoint:              NAME
Status:                running
BuildKit daemon flags: --debug
BuildKit version:      v0.21.0
Platforms:             linux/amd64*, linux/386
"""
FLAGS = "--allow-insecure-entitlement security.insecure --allow-insecure-entitlement network.host"


class Engine:
    """A job's containers, of which the action asks for the socket."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def socket(self) -> str:
        return self._socket


class Place:
    """A sandbox with an engine."""

    def __init__(self, inner: Any, socket: str = "/run/engine.sock") -> None:
        self._inner = inner
        self.containers = Engine(socket)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    made = LocalJob(tmp_path / "state", os.environ)
    made.sandbox = Place(made.sandbox)  # type: ignore[assignment]
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "rm", "sed"):
        (tools / name).symlink_to(str(shutil.which(name)))
    made.env["PATH"] = str(tools)
    return made


@pytest.fixture
def client(job: LocalJob, tmp_path: Path) -> Path:
    """Give the job a Docker client; return where it keeps what it knows."""
    here = tmp_path / "client"
    (here / "builders").mkdir(parents=True)
    (here / "docker").write_text(CLIENT, encoding="utf-8")
    (here / "docker").chmod(0o755)
    (here / "builder").write_text(BUILDER, encoding="utf-8")
    (here / "trouble").write_text("", encoding="utf-8")
    own = BUILDER.replace("NAME0", "NAME").replace("NAME", "default").replace("DRIVER", "docker")
    (here / "builders/default").write_text(own, encoding="utf-8")
    job.env |= {"PATH": f"{here}:{job.env['PATH']}", "HERE": str(here)}
    return here


def set_up(job: LocalJob, ref: str = "v4", *, at: float = 0.0, **inputs: str) -> dict[str, str]:
    action = DockerSetupBuildx(world(Path(job.layout.temp), job.workspace, clock=FakeClock(at)))
    action.main(job.call(f"docker/setup-buildx-action@{ref}", {}, **inputs), job)
    return job.outputs


def clean_up(job: LocalJob) -> None:
    action = DockerSetupBuildx(world(Path(job.layout.temp), job.workspace))
    action.post(job.call("docker/setup-buildx-action@v4", {}), job)


def asked(client: Path, word: str) -> list[str]:
    lines = (client / "asked").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.split()[1:2] == [word]]


class TestTheEnginesOwn:
    """The builder that a job has when it does not ask for another."""

    @pytest.mark.parametrize("driver", ["", "docker"])
    def test_it_is_told(self, job: LocalJob, client: Path, driver: str) -> None:
        outputs = set_up(job, driver=driver)
        assert OWN in job.lines
        assert asked(client, "create") == []
        nodes = json.loads(outputs.pop("nodes"))
        assert outputs == {"name": "default", "driver": "docker", "platforms": "linux/amd64"}
        assert nodes == [
            {
                "name": "default",
                "endpoint": "default",
                "status": "running",
                "buildkitd-flags": "--debug",
                "buildkit": "v0.21.0",
                "platforms": "linux/amd64",
            }
        ]
        assert [line[9:] for line in job.lines if line.startswith("##[group]")] == [
            "Docker info",
            "Buildx version",
            "Inspect builder",
        ]
        clean_up(job)
        assert asked(client, "rm") == []

    def test_outputs_that_v4_has_no_more(self, job: LocalJob, client: Path) -> None:
        assert client.is_dir()
        outputs = set_up(job, "v3")
        assert (outputs["endpoint"], outputs["status"]) == ("default", "running")
        assert outputs["flags"] == "--debug"

    def test_a_name_becomes_a_docker_context(self, job: LocalJob, client: Path) -> None:
        assert set_up(job, name="mine")["name"] == "mine"
        assert "context create --docker from=default -- mine" in (client / "asked").read_text(
            encoding="utf-8"
        )
        clean_up(job)
        assert asked(client, "rm") == ["context rm -f mine"]

    def test_a_builder_that_is_there_is_taken(self, job: LocalJob, client: Path) -> None:
        shutil.copy(client / "builders/default", client / "builders/mine")
        set_up(job, name="mine")
        clean_up(job)
        assert asked(client, "create") == asked(client, "rm") == []

    def test_inputs_without_effect(self, job: LocalJob, client: Path) -> None:
        assert client.is_dir()
        set_up(job, version="v0.3.0", driver_opts="network=host", append="- name: x", config="f")
        assert [message.split("'")[1] for _, message in job.annotations] == [
            "version",
            "append",
            "driver-opts",
            "config",
        ]

    def test_without_buildx(self, job: LocalJob) -> None:
        outputs = set_up(job)
        assert "The job has no Docker client." in job.lines
        assert "The job has no Buildx." in job.lines
        assert OWN in job.lines
        assert (outputs["name"], outputs["driver"]) == ("default", "docker")
        assert outputs["platforms"].startswith("linux/")
        assert json.loads(outputs["nodes"])[0]["platforms"] == outputs["platforms"]
        clean_up(job)

    def test_buildx_that_reaches_no_engine(self, job: LocalJob, client: Path) -> None:
        text = "Name:   default\nDriver: \nError:  Cannot connect to the Docker daemon\n\nNodes:\n"
        (client / "builders/default").write_text(text, encoding="utf-8")
        assert set_up(job)["driver"] == "docker"
        assert "Buildx reaches no engine from this job." in job.lines
        job.sandbox = Place(job.sandbox, "")  # type: ignore[assignment]
        with pytest.raises(ActionFailed, match="No container engine is here"):
            set_up(job)


class TestABuilderOfTheJob:
    """A builder that the job asks for by its driver."""

    def test_it_is_made_and_removed(self, job: LocalJob, client: Path) -> None:
        outputs = set_up(
            job,
            driver="remote",
            endpoint="tcp://127.0.0.1:1234",
            name="far",
            driver_opts='cacert=/a b.pem\n"quoted"=x,y',
            platforms="linux/amd64,linux/arm64",
            buildkitd_config_inline="debug = true",
        )
        assert (outputs["name"], outputs["driver"]) == ("far", "remote")
        config = f"{job.layout.temp}/far.toml"
        assert Path(config).read_text(encoding="utf-8") == "debug = true"
        (command,) = asked(client, "create")
        assert command == (
            "buildx create --name far --driver remote --driver-opt cacert=/a b.pem "
            '--driver-opt "quoted"=x,y --platform linux/amd64,linux/arm64 '
            f"--config {config} --use -- tcp://127.0.0.1:1234"
        )
        clean_up(job)
        assert asked(client, "rm") == ["buildx rm far"]

    def test_one_in_a_container(self, job: LocalJob, client: Path) -> None:
        outputs = set_up(job, driver="docker-container", use="false", keep_state="true")
        name = outputs["name"]
        assert len(name) == len("builder-") + 36
        assert asked(client, "create") == [
            f"buildx create --name {name} --driver docker-container --buildkitd-flags {FLAGS}"
        ]
        clean_up(job)
        assert asked(client, "rm") == [f"buildx rm --keep-state {name}"]

    def test_one_in_a_container_that_does_not_start(self, job: LocalJob, client: Path) -> None:
        (client / "trouble").write_text("--bootstrap", encoding="utf-8")
        outputs = set_up(job, driver="docker-container")
        assert (outputs["name"], outputs["driver"]) == ("default", "docker")
        (message,) = (message for _, message in job.annotations)
        assert message.startswith("No builder can be had in a container (no --bootstrap here)")
        assert len(asked(client, "rm")) == 1
        clean_up(job)
        assert len(asked(client, "rm")) == 1

    def test_a_driver_that_is_not_there(self, job: LocalJob, client: Path) -> None:
        (client / "trouble").write_text("nope", encoding="utf-8")
        with pytest.raises(ActionFailed, match="no nope here"):
            set_up(job, driver="nope")

    def test_a_driver_without_buildx(self, job: LocalJob) -> None:
        with pytest.raises(ActionFailed, match="The driver kubernetes needs Buildx"):
            set_up(job, driver="kubernetes")

    def test_names_of_two_steps(self, job: LocalJob, client: Path) -> None:
        assert client.is_dir()
        first = set_up(job, driver="remote")["name"]
        assert set_up(job, at=0.1, driver="remote", cleanup="false")["name"] != first
        clean_up(job)
        assert asked(client, "rm") == []


def test_docker_build_becomes_buildx_before_v4(job: LocalJob, client: Path) -> None:
    set_up(job, "v3", install="true")
    clean_up(job)
    assert asked(client, "install") == ["buildx install"]
    assert asked(client, "uninstall") == ["buildx uninstall"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"keep_state": "true", "driver": "remote"}, "Cannot use keep-state with remote driver"),
        ({"cleanup": "maybe"}, "Core Schema"),
    ],
)
def test_mistakes(job: LocalJob, inputs: dict[str, str], message: str) -> None:
    with pytest.raises(ActionFailed, match=message):
        set_up(job, "v4", at=0.0, **inputs)
