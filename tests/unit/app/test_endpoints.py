"""Loopback services of a run: started late, once, and stopped."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from trunkline import settings
from trunkline.app import System, adapter_table
from trunkline.app.endpoints import LocalEndpoints
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.endpoints import REGISTRY


class Recorder:
    """Starts servers that only say that they were started and stopped."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self, application: str, host: str) -> Recorder.Server:
        self.told.append(f"start {application} on {host}")
        return Recorder.Server(application, self.told)

    class Server:
        def __init__(self, application: str, told: list[str]) -> None:
            self.url = f"http://{application}"
            self._told = told

        def stop(self) -> None:
            self._told.append(f"stop {self.url}")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def endpoints(recorder: Recorder) -> LocalEndpoints:
    makers: dict[str, Callable[[], str]] = {"a": lambda: "A", "b": lambda: "B"}
    return LocalEndpoints(recorder.start, makers)


def test_a_service_is_started_once_when_it_is_asked_for(recorder: Recorder) -> None:
    found = endpoints(recorder)
    assert recorder.told == []
    askers = [threading.Thread(target=found.ensure, args=("a",)) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert found.ensure("a") == "http://A"
    assert recorder.told == ["start A on 127.0.0.1"]
    found.stop()
    found.stop()
    assert recorder.told == ["start A on 127.0.0.1", "stop http://A"]


def test_a_kind_that_there_is_not(recorder: Recorder) -> None:
    with pytest.raises(NotFound, match="no local service 'c'"):
        endpoints(recorder).ensure("c")


def test_a_system_serves_its_registry(tmp_path: Path) -> None:
    system = System(settings.read({"HOME": str(tmp_path)}))
    url = system.endpoints.ensure(REGISTRY)
    assert url.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(f"{url}/v2/", timeout=60) as answer:  # noqa: S310
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert Path(system.settings.state, "registry").is_dir()
    rebound = urllib.request.Request(f"{url}/v2/", headers={"Host": "example.org"})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(rebound, timeout=60)  # noqa: S310
    system.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/v2/", timeout=60)  # noqa: S310


@pytest.mark.parametrize(
    ("package", "extra"), [("cheroot.server", "registry"), ("docker", "docker")]
)
def test_a_missing_package_is_told_with_its_command(
    monkeypatch: pytest.MonkeyPatch, package: str, extra: str
) -> None:
    def absent(_entry: str) -> None:
        raise ModuleNotFoundError(name=package)

    monkeypatch.setattr(adapter_table, "load", absent)
    with pytest.raises(Unavailable) as told:
        adapter_table.adapter("web-server")
    assert told.value.hint == f"pip install 'trunkline[{extra}]'"


def test_a_module_of_our_own_that_is_missing_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_entry: str) -> None:
        raise ModuleNotFoundError(name="trunkline.web")

    monkeypatch.setattr(adapter_table, "load", absent)
    with pytest.raises(ModuleNotFoundError):
        adapter_table.adapter("web-server")


def test_a_service_at_an_address_of_a_network_ends_with_it(recorder: Recorder) -> None:
    found = endpoints(recorder)
    assert found.ensure("a") == found.ensure("a", "172.18.0.1") == "http://A"
    found.release("a", "172.18.0.1")
    found.release("a", "172.18.0.1")
    found.ensure("a")
    assert recorder.told == ["start A on 127.0.0.1", "start A on 172.18.0.1", "stop http://A"]
    found.ensure("a", "172.18.0.1")
    assert recorder.told[-1] == "start A on 172.18.0.1"
