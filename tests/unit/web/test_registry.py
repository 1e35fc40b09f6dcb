"""The registry's application: rights, its own troubles, headers, and clients all at once."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.clock import FakeClock, FakeIds, SystemClock, SystemIds
from trunkline.adapters.registries.files import FileImageStore
from trunkline.adapters.registries.memory import MemoryImageStore
from trunkline.base.errors import Corrupt, Unavailable
from trunkline.oci.media_types import OCI_CONFIG, OCI_MANIFEST
from trunkline.ports.image_store import NoSpace
from trunkline.ports.registry_access import AccessRequest, Decision, Wanted
from trunkline.services.registry.registry import Registry
from trunkline.web.registry import RegistryApp
from trunkline.web.server import serve

CONTENT = b"content"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Scripted:
    """Allows what is in `rights`, as `name:action`; writes down what it was asked."""

    def __init__(self, *rights: str, status: int = 401) -> None:
        self.rights = set(rights)
        self.asked: list[AccessRequest] = []
        self._status = status

    def decide(self, request: AccessRequest) -> Decision:
        self.asked.append(request)
        needed = {f"{one.name}:{action}" for one in request.wanted for action in one.actions}
        challenge = ("WWW-Authenticate", 'Bearer realm="http://h/token"')
        return Decision(
            allowed=needed <= self.rights or "*" in self.rights,
            status=self._status,
            headers=(challenge,),
            message="log in first",
        )


def client_of(access: Scripted, **options: Any) -> Client:
    clock = FakeClock()
    store = options.pop("store", None) or MemoryImageStore(clock, FakeIds())
    return Client(RegistryApp(Registry(store=store, clock=clock, **options), access))


def push(client: Client, repository: str, content: bytes = CONTENT) -> str:
    digest = digest_of(content)
    path = f"/v2/{repository}/blobs/uploads/"
    assert client.post(path, query_string={"digest": digest}, data=content).status_code == 201
    return digest


def push_image(client: Client, repository: str, tag: str, note: str = "") -> str:
    config = push(client, repository, b"{}")
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": config, "size": 2},
            "layers": [],
            "annotations": {"note": note},
        }
    ).encode()
    path = f"/v2/{repository}/manifests/{tag}"
    response = client.put(path, data=body, content_type=OCI_MANIFEST)
    assert response.status_code == 201, response.text
    return digest_of(body)


def code(response: TestResponse) -> str:
    found = response.get_json()
    assert isinstance(found, dict)
    return str(found["errors"][0]["code"])


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/v2/", ()),
        ("HEAD", "/v2/", ()),
        ("GET", "/v2/_catalog", (Wanted("catalog", ("*",), "registry"),)),
        ("GET", "/v2/a/b/tags/list", (Wanted("a/b", ("pull",)),)),
        ("HEAD", f"/v2/a/b/blobs/{digest_of(b'')}", (Wanted("a/b", ("pull",)),)),
        ("DELETE", f"/v2/a/b/blobs/{digest_of(b'')}", (Wanted("a/b", ("delete",)),)),
        ("POST", "/v2/a/b/blobs/uploads/", (Wanted("a/b", ("pull", "push")),)),
        ("GET", "/v2/a/b/blobs/uploads/x", (Wanted("a/b", ("pull", "push")),)),
        ("PUT", "/v2/a/b/manifests/t", (Wanted("a/b", ("pull", "push")),)),
        ("DELETE", "/v2/a/b/manifests/t", (Wanted("a/b", ("delete",)),)),
        ("GET", f"/v2/a/b/referrers/{digest_of(b'')}", (Wanted("a/b", ("pull",)),)),
    ],
)
def test_every_request_asks_for_its_rights(
    method: str, path: str, wanted: tuple[Wanted, ...]
) -> None:
    access = Scripted("none")
    headers = {"Authorization": "Basic x", "Host": "registry.example:5000"}
    response = client_of(access).open(
        path, method=method, headers=headers, environ_base={"REMOTE_ADDR": "10.1.2.3"}
    )
    assert response.status_code == (401 if wanted else 200)
    (asked,) = access.asked
    assert asked.wanted == wanted
    assert asked.authorization == "Basic x"
    assert (asked.base, asked.remote) == ("http://registry.example:5000", "10.1.2.3")


def test_who_is_not_known_is_challenged() -> None:
    response = client_of(Scripted()).get("/v2/a/tags/list")
    assert (response.status_code, code(response)) == (401, "UNAUTHORIZED")
    assert response.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert response.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert "log in first" in response.text


def test_who_will_never_do_is_denied() -> None:
    response = client_of(Scripted(status=403)).get("/v2/a/tags/list")
    assert (response.status_code, code(response)) == (403, "DENIED")


def test_a_wrong_name_is_told_before_rights_are_asked_for() -> None:
    access = Scripted()
    response = client_of(access).get('/v2/a"b/tags/list')
    assert (response.status_code, code(response)) == (400, "NAME_INVALID")
    assert access.asked == []


def test_a_digest_alone_does_not_open_other_repositories() -> None:
    access = Scripted("*")
    client = client_of(access)
    digest = push(client, "secret/a")
    access.rights = {"mine:pull", "mine:push"}
    for query in ({"mount": digest}, {"mount": digest, "from": "secret/a"}):
        response = client.post("/v2/mine/blobs/uploads/", query_string=query)
        assert response.status_code == 202
        assert client.head(f"/v2/mine/blobs/{digest}").status_code == 404
    access.rights.add("secret/a:pull")
    response = client.post("/v2/mine/blobs/uploads/", query_string={"mount": digest})
    assert response.status_code == 201


def test_only_what_may_be_pulled_is_listed() -> None:
    access = Scripted("*")
    client = client_of(access)
    for name in ("a", "b", "c"):
        push(client, name)
    access.rights = {"catalog:*", "a:pull", "c:pull"}
    assert client.get("/v2/_catalog").get_json() == {"repositories": ["a", "c"]}
    first = client.get("/v2/_catalog?n=1")
    assert first.get_json() == {"repositories": ["a"]}
    assert first.headers["Link"] == '</v2/_catalog?n=1&last=a>; rel="next"'


def test_immutable_tags_are_denied() -> None:
    client = client_of(Scripted("*"), immutable=("v*",))
    digest = push_image(client, "a", "v1")
    push_image(client, "a", "v1")
    body = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
    for response in (
        client.put("/v2/a/manifests/v1", data=body),
        client.delete("/v2/a/manifests/v1"),
        client.delete(f"/v2/a/manifests/{digest}"),
    ):
        assert (response.status_code, code(response)) == (403, "DENIED")
        assert "the tag 'v1' is immutable" in response.text
    assert client.head("/v2/a/manifests/v1").headers["Docker-Content-Digest"] == digest


def test_a_blob_that_an_image_needs_is_not_deleted() -> None:
    client = client_of(Scripted("*"))
    digest = push_image(client, "a", "t")
    response = client.delete(f"/v2/a/blobs/{digest_of(b'{}')}")
    assert (response.status_code, code(response)) == (405, "UNSUPPORTED")
    assert digest in response.text


def test_what_a_client_has_is_not_sent_again() -> None:
    client = client_of(Scripted("*"))
    push_image(client, "a", "t")
    for path in (f"/v2/a/blobs/{digest_of(b'{}')}", "/v2/a/manifests/t"):
        entity = client.get(path).headers["ETag"]
        response = client.get(path, headers={"If-None-Match": entity})
        assert (response.status_code, response.data) == (304, b"")
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_range_of_another_version_is_not_served() -> None:
    client = client_of(Scripted("*"))
    path = f"/v2/a/blobs/{push(client, 'a')}"
    asked = {"Range": "bytes=1-2"}
    assert client.get(path, headers=asked).data == b"on"
    assert client.get(path, headers={**asked, "If-Range": '"other"'}).data == CONTENT


def test_other_paths_belong_to_nobody() -> None:
    for path in ("/", "/v3/", "/v2/a", "/v2//tags/list", "/v2/a/blobs/", "/token"):
        response = client_of(Scripted("*")).get(path)
        assert (response.status_code, code(response)) == (404, "UNSUPPORTED")


def test_a_method_that_is_not_there_is_told_with_those_that_are() -> None:
    response = client_of(Scripted("*")).post("/v2/a/manifests/t")
    assert (response.status_code, code(response)) == (405, "UNSUPPORTED")
    assert response.headers["Allow"] == "HEAD, GET, PUT, DELETE"


class Troubled(MemoryImageStore):
    """A store whose disk has had enough."""

    def __init__(self, trouble: Exception) -> None:
        super().__init__(FakeClock(), FakeIds())
        self._trouble = trouble

    @property
    def manifests(self) -> Any:
        raise self._trouble

    @manifests.setter
    def manifests(self, value: object) -> None:
        """Take no manifests."""


@pytest.mark.parametrize(
    ("trouble", "status", "expected"),
    [
        (NoSpace("full: /secret/path"), 413, "DENIED"),
        (Unavailable("locked: /secret/path"), 503, "UNAVAILABLE"),
        (Corrupt("damaged: /secret/path"), 500, "UNKNOWN"),
    ],
)
def test_our_own_troubles_are_told_without_paths(
    trouble: Exception, status: int, expected: str
) -> None:
    client = client_of(Scripted("*"), store=Troubled(trouble))
    log = io.StringIO()
    response = client.get("/v2/a/tags/list", errors_stream=log)
    assert (response.status_code, code(response)) == (status, expected)
    assert "/secret" not in response.text
    assert log.getvalue() == f"trunkline: the registry: {trouble}\n"


@contextmanager
def served(root: Path) -> Iterator[tuple[str, int, FileImageStore]]:
    clock = SystemClock()
    store = FileImageStore(str(root), FileBlobs(str(root)), clock, SystemIds())
    app = RegistryApp(Registry(store=store, clock=clock), Scripted("*"))
    with serve(app) as server:
        yield "127.0.0.1", server.port, store
    store.close()


def test_eight_clients_push_one_layer_at_once(tmp_path: Path) -> None:
    layer = b"x" * (3 << 20)
    digest = digest_of(layer)
    statuses: list[int] = []
    with served(tmp_path) as (host, port, store):

        def send(number: int) -> None:
            connection = http.client.HTTPConnection(host, port, timeout=60)
            connection.request("POST", f"/v2/r{number % 2}/blobs/uploads/", b"")
            response = connection.getresponse()
            response.read()
            location = response.headers["Location"]
            connection.request("PATCH", location, iter([layer[:100_000], layer[100_000:]]))
            connection.getresponse().read()
            connection.request("PUT", f"{location}?digest={digest}", b"")
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
            connection.close()

        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert statuses == [201] * 8
        assert store.blobs.holders(digest) == ("r0", "r1")
    kept = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in kept] == [len(layer)]
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_large_blob_takes_little_memory(tmp_path: Path) -> None:
    piece, count = b"y" * (1 << 20), 64
    digest = "sha256:" + hashlib.sha256(piece * count).hexdigest()
    with served(tmp_path) as (host, port, _):
        connection = http.client.HTTPConnection(host, port, timeout=60)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        connection.request("POST", "/v2/a/blobs/uploads/", b"")
        response = connection.getresponse()
        response.read()
        target = f"{response.headers['Location']}?digest={digest}"
        connection.request("PUT", target, (piece for _ in range(count)))
        response = connection.getresponse()
        response.read()
        assert response.status == 201
        connection.request("GET", f"/v2/a/blobs/{digest}")
        response = connection.getresponse()
        total = 0
        while data := response.read(1 << 20):
            total += len(data)
        assert total == count << 20
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        connection.close()
    assert grown < 24 << 10  # in KiB
