"""Which hosts node is led from, and that every way to them by TLS is led, others are not."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.commands import NEEDS_NODE
from trunkline.run.api_host import HOSTS, hosts_of, shim


@pytest.mark.parametrize(
    "url", ["https://github.com", "https://GitHub.com/", "https://a@github.com"]
)
def test_github_s_own_hosts(url: str):
    assert hosts_of(url) == ("api.github.com", "uploads.github.com")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "github.com",
        "https://octo.ghe.com",
        "http://ci.localhost:1",
        "https://github.com.evil.org",
    ],
)
def test_other_servers_have_none(url: str):
    assert hosts_of(url) == ()


class Echo(BaseHTTPRequestHandler):
    """Answers with what was asked, of whom."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Answer."""
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = f"{self.command} {self.headers['host']} {self.path} {sent.decode()}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def echo() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ASK = """
import https from 'node:https';
import tls, { connect } from 'node:tls';
const agent = new https.Agent({ keepAlive: true });
const get = (url, options) => new Promise((done, fail) => {
  https.get(url, options, (answer) => {
    let text = '';
    answer.on('data', (data) => { text += data; }).on('end', () => done(text));
  }).on('error', fail);
});
console.log(await get('https://api.github.com/one', {}));
console.log(await get('https://API.github.com/two?x=1', { agent }));
console.log(await get('https://api.github.com/three', { agent }));
agent.destroy();
const told = await fetch('https://uploads.github.com/four', { method: 'POST', body: 'content' });
console.log(await told.text());
console.log(tls.connect === connect);
const socket = tls.connect(443, { host: 'api.github.com' }, () => {
  console.log(socket.encrypted, socket.authorized, socket.getProtocol());
  socket.destroy();
  tls.connect({ host: '127.0.0.1', port: %d })
    .on('error', (error) => { console.log('other hosts:', error.library || error.code); process.exit(); });
});
"""


@NEEDS_NODE
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_node_asks_of_the_hosts_comes_here(host: str, tmp_path: Path):
    led = tmp_path / "led.cjs"
    node = shutil.which("node")
    assert node is not None
    with echo() as port:
        led.write_text(shim(tuple(HOSTS), f"http://{host}:{port}/api/v3"))
        argv = [node, "--require", str(led), "--input-type=module", "-e", ASK % port]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == [
        "GET api.github.com /one ",
        "GET api.github.com /two?x=1 ",
        "GET api.github.com /three ",
        "POST uploads.github.com /four content",
        "true",
        "true true TLSv1.3",
        "other hosts: SSL routines",
    ], done.stderr
