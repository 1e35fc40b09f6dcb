"""An artifact of 5 GB goes up and down, and never sits in our memory."""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.actions_services import ARTIFACTS, apart, ask
from tests.npm_packages import node, package

pytestmark = [pytest.mark.long, pytest.mark.registry]

CLIENT = Path(__file__).with_name("artifact_client.mjs")
SIZE = 5_000_000_000
# Issue "What real actions call", speed: our process stays under 150 MB.
PEAK = 150_000_000
PATIENCE = 600
PIECE = 1 << 20


def digest_of(url: str) -> tuple[int, str]:
    """Return the size and the digest of what is sent."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    connection.request("GET", f"{parts.path}?{parts.query}")
    response = connection.getresponse()
    assert response.status == 200
    found, size = hashlib.sha256(), 0
    while piece := response.read(PIECE):
        found.update(piece)
        size += len(piece)
    connection.close()
    return size, f"sha256:{found.hexdigest()}"


def test_five_gigabytes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with file.open("wb") as target:
        target.write(os.urandom(PIECE))
        target.truncate(SIZE)
    with apart(tmp_path / "state") as services:
        calls = [["upload", "large", str(tmp_path), {"compressionLevel": 0}, str(file)]]
        packages = package("@actions/artifact", "6.2.1")
        done = subprocess.run(
            [node("24"), str(CLIENT), str(packages), msgspec.json.encode(calls).decode()],
            env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), **services.actions},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        told = done.stdout.splitlines()[-1].removeprefix("RESULT ")
        made = msgspec.json.decode(told, type=dict[str, object])
        assert "error" not in made, done.stdout
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {services.actions['ACTIONS_RUNTIME_TOKEN']}",
        }
        ids = {"workflow_run_backend_id": "77", "workflow_job_run_backend_id": "1"}
        asked = msgspec.json.encode({**ids, "name": "large"})
        url = services.actions["ACTIONS_RESULTS_URL"].rstrip("/") + ARTIFACTS
        signed = ask("POST", f"{url}/GetSignedArtifactURL", asked, headers).record["signed_url"]
        size, digest = digest_of(str(signed))
        assert size > SIZE
        assert digest == f"sha256:{made['digest']}"
        assert services.peak() < PEAK
