"""Which servers actions use as they are, and what node gets for the others."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import NEEDS_NODE
from trunkline.run.server_host import SHIM, is_accepted, node_flags

OTHERS = [
    "https://git.example.com",
    "http://localhost:3000",
    "https://GITEA.example.com:8443/",
    "http://ada@git.example.com",
    "http://[::1]:3000",
    "https://notgithub.com",
    "https://github.com.example.com",
    "https://github.com@git.example.com",
    "https://git.example.com/github.com",
    "https://ghe.com",
]


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com",
        "https://GitHub.com/",
        "https://octo.ghe.com",
        "http://ci.localhost:18080",
        "http://CI.LOCALHOST",
        "https://ada@github.com",
    ],
)
def test_hosts_that_actions_take(url: str) -> None:
    assert is_accepted(url)
    assert node_flags(url, "/shim.cjs") == ()


@pytest.mark.parametrize("url", OTHERS)
def test_other_hosts_get_the_shim(url: str) -> None:
    assert not is_accepted(url)
    assert node_flags(url, "/shim.cjs") == ("--require", "/shim.cjs")


@pytest.mark.parametrize("url", ["", "github.com", "ssh://git@example.com", "https://"])
def test_what_names_no_host_gets_nothing(url: str) -> None:
    assert node_flags(url, "/shim.cjs") == ()


QUESTIONS = """
const host = new URL(process.env.GITHUB_SERVER_URL).hostname.trimEnd().toUpperCase();
console.log(JSON.stringify([
  host.endsWith('.LOCALHOST'),
  host.endsWith('.GHE.COM'),
  'OTHER.EXAMPLE.COM'.endsWith('.LOCALHOST'),
  'A.LOCALHOST'.endsWith('.LOCALHOST'),
  'abc'.endsWith('c'),
  'abc'.endsWith('b', 2),
  'abc'.endsWith('b'),
  `${host}.LOCALHOST`.endsWith('.LOCALHOST', host.length),
  host.endsWith('.LOCALHOST', host.length),
  String.prototype.endsWith.name,
  String.prototype.endsWith.length,
  Object.keys(Object.getOwnPropertyDescriptor(String.prototype, 'endsWith')).length,
  Object.keys(String.prototype),
  (() => { try { String.prototype.endsWith.call(null, 'x'); } catch (e) { return e.name; } })(),
  (() => { try { 'x'.endsWith(/x/); } catch (e) { return e.name; } })(),
]));
"""


@NEEDS_NODE
@pytest.mark.parametrize("url", OTHERS)
def test_the_shim_answers_for_the_server_s_host_alone(url: str, tmp_path: Path) -> None:
    shim = tmp_path / "shim.cjs"
    shim.write_text(SHIM)
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run(
        [node, *node_flags(url, str(shim)), "-e", QUESTIONS],
        env={"GITHUB_SERVER_URL": url},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == (
        "[true,false,false,true,true,true,false,false,false,"
        '"endsWith",1,4,[],"TypeError","TypeError"]\n'
    )
