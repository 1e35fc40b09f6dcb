"""Actions that ask api.github.com itself, whatever GITHUB_API_URL says, find this machine."""

from __future__ import annotations

from tests.acceptance.test_container_steps import assert_says
from tests.commands import NEEDS_NODE, Place, assert_no_traceback
from tests.repositories import repository

WORKFLOW = """
on: push
permissions: {contents: write}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./client
"""
ACTION = """\
inputs: {token: {default: '${{ github.token }}'}}
runs: {using: node20, main: main.mjs, post: post.mjs}
"""
MAIN = """\
import https from 'node:https';
const headers = { authorization: `token ${process.env.INPUT_TOKEN}`, 'user-agent': 'x' };
const api = 'https://api.github.com/repos/octo/demo';
const made = await fetch(`${api}/releases`, {
  method: 'POST', headers, body: JSON.stringify({ tag_name: 'v1', name: 'First' }),
});
const release = await made.json();
console.log('made', made.status, release.tag_name);
const uploads = release.upload_url.replace(/[{].*/, '').replace(/^.*[/]api[/]uploads/, 'https://uploads.github.com');
const asset = await fetch(`${uploads}?name=a.txt`, {
  method: 'POST', headers: { ...headers, 'content-type': 'text/plain' }, body: 'content',
});
console.log('uploaded', asset.status, (await asset.json()).name);
await new Promise((done) => https.get(`${api}/releases/tags/v1`, { headers }, (answer) => {
  console.log('found', answer.statusCode);
  answer.resume().on('end', done);
}));
const other = await fetch('https://api.github.com/repos/octo/other', { headers });
console.log('other', other.status, (await other.json()).message);
const written = await fetch('https://api.github.com/repos/octo/other/dispatches', { method: 'POST', headers, body: '{}' });
console.log('written', written.status);
"""
POST = """\
const headers = { authorization: `token ${process.env.INPUT_TOKEN}` };
const told = await fetch('https://api.github.com/repos/octo/demo', { headers });
console.log('post', told.status, (await told.json()).full_name);
"""


@NEEDS_NODE
def test_actions_that_ask_the_host_itself(place: Place):
    root = repository(
        place.root / "demo",
        {
            ".github/workflows/ci.yml": WORKFLOW,
            "client/action.yml": ACTION,
            "client/main.mjs": MAIN,
            "client/post.mjs": POST,
        },
    )
    done = place.run("run", "--plain", "--offline", "--repository", "octo/demo", cwd=root)
    assert_no_traceback(done)
    assert done.code == 0, done.text
    assert_says(
        done,
        "made 201 v1",
        "uploaded 201 a.txt",
        "found 200",
        "other 503 api.github.com is not asked: --offline or --network-policy keeps this run from it.",
        "written 403",
        "post 200 octo/demo",
    )
    assert "release v1, made: recorded here, not sent" in done.text
