"""The same suite against Debian's registry: more of it must pass on ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import await_listener, reserved_port

ROOT = Path(__file__).parents[3]
PEER = shutil.which("docker-registry")
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: "{root}"}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(PEER is None, reason="Debian's package docker-registry is not installed"),
    pytest.mark.skipif("TRUNKLINE_REGISTRY" in os.environ, reason="compares ours, not another one"),
]


@pytest.fixture
def peer_url(tmp_path: Path) -> Iterator[str]:
    config = tmp_path / "config.yml"
    argv = [str(PEER), "serve", str(config)]
    with reserved_port() as port:
        config.write_text(CONFIG.format(root=tmp_path / "peer", port=port))
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
            try:
                await_listener(port, process)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def results(url: str = "") -> tuple[int, int]:
    """Run the suite; return how many of its tests passed and failed."""
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    if url:
        environment["TRUNKLINE_REGISTRY"] = url
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no"]
    done = subprocess.run(
        [*command, str(Path(__file__).parent)],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    counts = {
        kind: int(number) for number, kind in re.findall(r"(\d+) (passed|failed)", done.stdout)
    }
    return counts.get("passed", 0), counts.get("failed", 0)


def test_more_of_the_suite_passes_on_ours(peer_url: str) -> None:
    passed, failed = results()
    peer_passed, peer_failed = results(peer_url)
    print(f"ours: {passed} pass, {failed} fail; Debian's: {peer_passed} pass, {peer_failed} fail")
    assert failed == 0
    assert passed == peer_passed + peer_failed
    assert peer_failed > 0
