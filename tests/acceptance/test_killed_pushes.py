"""Real clients that are killed in the middle of a push: nothing half is seen, and the next one works."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.commands import Place
from tests.docker_engine import Engine
from tests.image_layouts import MANIFEST, Layout
from tests.registry_shop import Shop, tool

# Noise is what a registry takes longest for: it can't be packed.
SIZE = 40 << 20
PATIENCE = 60


class Client(NamedTuple):
    """How a client pushes an image as `team/app:1` of a registry."""

    push: list[str]


@pytest.fixture(params=["docker", "skopeo"])
def client(
    request: pytest.FixtureRequest, open_shop: Shop, engine: Engine, tmp_path: Path
) -> Iterator[Client]:
    name = f"{open_shop.address}/team/app:1"
    if request.param == "skopeo":
        layout = Layout(tmp_path / "large")
        layout.tag(layout.image([{"noise": os.urandom(SIZE)}]), "1")
        argv = [tool("skopeo"), "copy", "--dest-tls-verify=false", f"oci:{layout.folder}:1"]
        yield Client([*argv, f"docker://{name}"])
        return
    (tmp_path / "noise").write_bytes(os.urandom(SIZE))
    (tmp_path / "Dockerfile").write_text(
        f"FROM scratch\nCOPY noise /\nENV A={secrets.token_hex()}\n"
    )
    engine.docker("build", "--quiet", "--tag", name, str(tmp_path))
    yield Client(["docker", "--host", engine.host, "push", name])
    engine.docker("rmi", name)


def test_a_client_that_is_killed_in_mid_push_leaves_nothing_to_see(
    place: Place, open_shop: Shop, client: Client
) -> None:
    pushing = subprocess.Popen(client.push, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        await_upload(place)
        assert pushing.poll() is None
    finally:
        os.killpg(pushing.pid, signal.SIGKILL)
        pushing.wait(PATIENCE)
    assert asked(open_shop, "/v2/team/app/manifests/1") == 404
    assert asked(open_shop, "/v2/team/app/tags/list") == 404
    assert place.run("images", "--json").out == ""
    open_shop.run(*client.push)
    assert asked(open_shop, "/v2/team/app/manifests/1") == 200
    image = json.loads(place.run("images", "--json").out)
    assert image["size"] >= SIZE


def await_upload(place: Place) -> None:
    """Wait until a part of a layer has come."""
    end = time.monotonic() + PATIENCE
    while not any(path.stat().st_size > 1 << 20 for path in place.root.rglob("uploads/*")):
        assert time.monotonic() < end
        time.sleep(0.005)


def asked(shop: Shop, path: str) -> int:
    """Return a registry's status for a path."""
    client = http.client.HTTPConnection(shop.address, timeout=PATIENCE)
    client.request("GET", path, headers={"Accept": MANIFEST + ", */*"})
    with client.getresponse() as answer:
        answer.read()
    client.close()
    return answer.status
