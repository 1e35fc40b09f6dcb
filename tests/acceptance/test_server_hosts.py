"""@actions/artifact and @actions/cache in a run for servers on GitHub's, on local and on other hosts."""

from __future__ import annotations

import pytest

from tests.acceptance.test_container_steps import assert_says
from tests.commands import Done, Place, assert_no_traceback
from tests.npm_packages import package
from tests.repositories import repository

pytestmark = pytest.mark.registry

HOSTS = [
    "https://git.example.com:8443",
    *(
        pytest.param(other, marks=pytest.mark.long)
        for other in ("https://github.com", "http://ci.localhost:18080")
    ),
]
WORKFLOW = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./client
        with: {packages: '%s', caches: '%s', name: outer}
      - uses: ./composite
        with: {packages: '%s', caches: '%s'}
"""
INPUTS = "inputs: {packages: {required: true}, caches: {required: true}, name: {default: inner}}\n"
FILES = {
    "client/action.yml": f"{INPUTS}runs: {{using: node20, main: main.mjs, post: post.mjs}}\n",
    "client/main.mjs": """
import fs from 'node:fs';
const modules = `${process.env.INPUT_PACKAGES}/node_modules/@actions`;
const { DefaultArtifactClient } = await import(`${modules}/artifact/lib/artifact.js`);
fs.writeFileSync('a.txt', 'content');
const name = process.env.INPUT_NAME;
const made = await new DefaultArtifactClient().uploadArtifact(name, ['a.txt'], '.');
console.log('server', process.env.GITHUB_SERVER_URL, 'stored', made.size > 0);
const cache = await import(`${process.env.INPUT_CACHES}/node_modules/@actions/cache/lib/cache.js`);
await cache.saveCache(['a.txt'], name);
console.log('restored', await cache.restoreCache(['a.txt'], name));
const config = await import(
  `${process.env.INPUT_CACHES}/node_modules/@actions/cache/lib/internal/config.js`);
console.log('protocol', config.getCacheServiceVersion());
""",
    "client/post.mjs": """
const { DefaultArtifactClient } = await import(
  `${process.env.INPUT_PACKAGES}/node_modules/@actions/artifact/lib/artifact.js`);
const { artifacts } = await new DefaultArtifactClient().listArtifacts();
console.log('listed after the job', artifacts.length);
""",
    "composite/action.yml": f"{INPUTS}runs:\n  using: composite\n  steps:\n"
    "    - uses: ./client\n      with: {packages: '${{ inputs.packages }}', "
    "caches: '${{ inputs.caches }}'}\n",
}


def run(place: Place, *args: str) -> Done:
    """Run the workflow to its end."""
    packages = (package("@actions/artifact", "6.2.1"), package("@actions/cache", "6")) * 2
    root = repository(
        place.root / "demo", {".github/workflows/ci.yml": WORKFLOW % packages, **FILES}
    )
    done = place.run("run", "--plain", *args, cwd=root)
    assert_no_traceback(done)
    return done


@pytest.mark.parametrize("url", HOSTS)
def test_artifacts_and_caches_for_any_server(place: Place, url: str) -> None:
    done = run(place, "--server-url", url)
    assert done.code == 0, done.text
    said = (f"server {url} stored true", "restored {}", "protocol v2")
    told = [line.format(name) for name in ("outer", "inner") for line in said]
    assert_says(done, *told, "listed after the job 2", "listed after the job 2")


def test_a_run_is_github_s_unless_it_says_otherwise(place: Place) -> None:
    done = run(place)
    assert done.code == 0, done.text
    assert_says(done, "server https://github.com stored true")


def test_an_address_that_is_none(place: Place) -> None:
    done = run(place, "--server-url", "git.example.com/octo")
    assert done.code == 2, done.text
    assert "'git.example.com/octo' is not the address of a server" in done.err
    assert "https://git.example.com:8443" in done.err
