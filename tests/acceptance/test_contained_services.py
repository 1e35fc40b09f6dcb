"""The services of actions from within containers: a job's own, and those of Docker actions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.test_container_steps import CHECKOUT, assert_says, run
from tests.acceptance.test_docker_actions import dockerfile
from tests.commands import NEEDS_NODE, Place
from tests.npm_packages import package

PERMISSIONS = {"contents": "read", "id-token": "write"}
SCRIPTS = {
    "run": 'echo "scripts have [${ACTIONS_RUNTIME_TOKEN-none}] [${ACTIONS_RESULTS_URL-none}]"'
}
# What JavaScript asks each of the services, and what it says of the answers.
ASK = """\
const { env } = process;
const bearer = (token) => ({ authorization: `Bearer ${token}` });
async function ask(name, url, headers, body) {
  const response = await fetch(url, { method: body ? 'POST' : 'GET', headers, body });
  console.log(name, response.status, Object.keys(await response.json()).sort()[0]);
}
const runtime = { ...bearer(env.ACTIONS_RUNTIME_TOKEN), 'content-type': 'application/json' };
const caches = `${env.ACTIONS_RESULTS_URL}twirp/github.actions.results.api.v1.CacheService`;
await ask('cache', `${caches}/GetCacheEntryDownloadURL`, runtime, '{"key": "k", "version": "v"}');
await ask('identity', `${env.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=x`,
  bearer(env.ACTIONS_ID_TOKEN_REQUEST_TOKEN));
await ask('api', `${env.GITHUB_API_URL}/repos/${env.GITHUB_REPOSITORY}`,
  bearer(env.INPUT_TOKEN));
console.log('loopback', new URL(env.GITHUB_API_URL).hostname === '127.0.0.1');
"""
# Many actions ask the host itself, whatever GITHUB_API_URL says.
ASK_HOST = """\
await ask('host', `https://api.github.com/repos/${env.GITHUB_REPOSITORY}`, bearer(env.INPUT_TOKEN));
"""
JAVASCRIPT = {
    "js/action.yml": "inputs: {token: {default: '${{ github.token }}'}}\n"
    "runs: {using: node20, main: main.mjs, post: main.mjs}\n",
    "js/main.mjs": f"{ASK}{ASK_HOST}",
}
ANSWERS = ("cache 200 …", "identity 200 value", "api 200 …", "loopback false")
# The same by busybox's wget, which has no JSON to read.
WGET = """\
#!/bin/sh
twirp=${ACTIONS_RESULTS_URL}twirp/github.actions.results.api.v1
post() {
  wget -q -O - --header "Authorization: Bearer $ACTIONS_RUNTIME_TOKEN" \\
    --header "Content-Type: application/json" --post-data "$2" "$twirp.$1"
}
echo "cache $(post CacheService/GetCacheEntryDownloadURL '{"key": "k", "version": "v"}')"
echo "protocol 2 [${ACTIONS_CACHE_SERVICE_V2-none}]"
wget -q -O - --header "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=x" | cut -c 1-10
wget -q -O - --header "Authorization: Bearer $INPUT_TOKEN" \\
  "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY" | grep -o '"full_name": *"[^"]*"' | head -n 1
for file in $(sed -n 's/^\\tpath = "\\(.*\\)"/\\1/p' ~/.gitconfig); do
  [ -f "$file" ] || continue
  base=$(sed -n 's#^\\[url "\\(http.*\\)/-/.*#\\1#p' "$file" | head -n 1)
  wget -q -O - "$base/$GITHUB_REPOSITORY/info/refs?service=git-upload-pack" | grep -a -o "service=.*"
done
"""
LONG = pytest.mark.long
# A job that is kept in has the most in its way; the rest follows in `make test-long`.
SHUT, *REST = ("none", "registry", "open")
MANNERS = [
    pytest.param(
        policy,
        contained,
        marks=() if policy == SHUT or (policy, contained) == ("open", False) else LONG,
    )
    for policy in (SHUT, *REST)
    for contained in (False, True)
]


def docker_action(image: str) -> dict[str, str]:
    """Return a Docker action's files."""
    return {
        "act/action.yml": "inputs: {token: {default: '${{ github.token }}'}}\n"
        "runs: {using: docker, image: Dockerfile, post-entrypoint: /main.sh}\n",
        "act/Dockerfile": dockerfile(image),
        "act/main.sh": WGET,
    }


@NEEDS_NODE
@pytest.mark.parametrize("policy", [SHUT, *(pytest.param(each, marks=LONG) for each in REST)])
def test_a_container_job_has_all_of_them(docked: Place, debian_image: str, policy: str):
    steps: list[dict[str, Any]] = [CHECKOUT, SCRIPTS, {"uses": "./js"}, SCRIPTS]
    job = {"container": debian_image, "permissions": PERMISSIONS}
    done = run(docked, steps, JAVASCRIPT, "--network-policy", policy, **job)
    assert done.code == 0, done.text
    none = "scripts have [none] [none]"
    answers = (*ANSWERS, "host 200 …")
    assert_says(done, none, *answers, none, *answers)


@pytest.mark.parametrize(("policy", "is_contained"), MANNERS)
def test_a_docker_action_has_all_of_them(
    docked: Place, busybox_image: str, policy: str, *, is_contained: bool
):
    job = {"container": busybox_image} if is_contained else {}
    files = docker_action(busybox_image)
    steps: list[dict[str, Any]] = [CHECKOUT, {"uses": "./act"}, SCRIPTS]
    policies = ("--network-policy", policy)
    done = run(docked, steps, files, *policies, permissions=PERMISSIONS, **job)
    assert done.code == 0, done.text
    answers = (
        'cache {"ok":false,…',
        "protocol 2 [none]",
        '{"value":"…',
        '"full_name":…/demo"',
        "service=git-upload-pack",
    )
    assert_says(done, *answers, "scripts have [none] [none]", *answers)


@NEEDS_NODE
@pytest.mark.registry
@pytest.mark.parametrize("url", ["https://github.com", "https://git.example.com"])
def test_actions_artifact_in_a_container_job(docked: Place, debian_image: str, url: str):
    folder = package("@actions/artifact", "6.2.1")
    files = {
        "js/action.yml": "runs: {using: node20, main: main.mjs}\n",
        "js/main.mjs": "const lib = '/client/node_modules/@actions/artifact/lib/artifact.js';\n"
        "const client = new (await import(lib)).DefaultArtifactClient();\n"
        "const made = await client.uploadArtifact('dist', ['a.txt'], '.');\n"
        "const { artifact } = await client.getArtifact('dist');\n"
        "console.log('found it again', artifact.id === made.id, process.env.GITHUB_SERVER_URL);\n"
        "await client.downloadArtifact(made.id, { path: 'back' });\n",
        "a.txt": "content\n",
    }
    steps: list[dict[str, Any]] = [CHECKOUT, {"uses": "./js"}, {"run": "cat back/a.txt"}]
    container = {"image": debian_image, "volumes": [f"{folder}:/client:ro"]}
    done = run(docked, steps, files, "--server-url", url, container=container)
    assert done.code == 0, done.text
    assert_says(done, f"found it again true {url}", "content")
    assert "artifact dist, 1 file" in done.out
