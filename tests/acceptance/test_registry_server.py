"""The registry's own life: power cuts, stops, ports, strangers, users, and what it gives up."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.certificates import make_certificate
from tests.commands import Place
from tests.engine import needed
from tests.image_layouts import MANIFEST, Layout
from tests.images import Lacking
from tests.served_registry import Registry, add_user, registry, start

ALICE, WORD = "alice", "wonder:land"
PATIENCE = 60


@pytest.fixture
def served(place: Place) -> Iterator[Registry]:
    with registry(place) as found:
        yield found


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "layout")
    made.tag(made.image([{"file": b"content"}]), "one")
    return made


class Sender:
    """Speaks to a registry without a client of containers."""

    def __init__(self, served: Registry) -> None:
        host, _, port = served.address.rpartition(":")
        self._client = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)

    def __call__(
        self, method: str, path: str, body: bytes = b"", kind: str = ""
    ) -> tuple[int, bytes]:
        self._client.request(method, path, body, {"Content-Type": kind} if kind else {})
        with self._client.getresponse() as answer:
            return answer.status, answer.read()

    def push(self, layout: Layout, name: str) -> str:
        """Push a layout's image; return its digest."""
        blobs = {
            path.name: path.read_bytes() for path in (layout.folder / "blobs/sha256").iterdir()
        }
        (digest,) = [name for name, data in blobs.items() if b'"layers":' in data]
        manifest = blobs.pop(digest)
        for name_of_blob, data in blobs.items():
            path = f"/v2/{name}/blobs/uploads/?digest=sha256:{name_of_blob}"
            assert self("POST", path, data)[0] == 201
        assert self("PUT", f"/v2/{name}/manifests/1", manifest, MANIFEST)[0] == 201
        return f"sha256:{digest}"

    def close(self) -> None:
        self._client.close()


def test_what_was_pushed_outlives_a_power_cut_and_half_a_push_is_not_there(
    place: Place, layout: Layout
) -> None:
    first = start(place)
    sender = Sender(first)
    digest = sender.push(layout, "team/app")
    sender.close()
    data = b"x" * 1_000_000
    half = f"/v2/team/app/blobs/uploads/?digest=sha256:{sha256(data).hexdigest()}"
    host, _, port = first.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as sock:
        head = f"POST {half} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
        sock.sendall(head.encode() + data[:500_000])
        first.kill()
    with registry(place) as second:
        sender = Sender(second)
        assert sender("GET", f"/v2/team/app/manifests/{digest}")[0] == 200
        blob = f"/v2/team/app/blobs/sha256:{sha256(data).hexdigest()}"
        assert sender("GET", blob)[0] == 404
        assert sender("POST", half, data)[0] == 201
        assert sender("GET", blob) == (200, data)
        sender.close()


def test_a_push_whose_client_goes_away_leaves_nothing(served: Registry) -> None:
    data = b"y" * 1000
    digest = f"sha256:{sha256(data).hexdigest()}"
    host, _, port = served.address.rpartition(":")
    for length in ("Content-Length: 5000", "Transfer-Encoding: chunked"):
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as sock:
            head = f"POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n"
            sock.sendall(head.encode() + b"3e8\r\n" * length.startswith("T") + data)
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
    sender = Sender(served)
    assert sender("HEAD", f"/v2/a/blobs/{digest}")[0] == 404
    sender.close()


def test_an_upload_goes_on_after_a_power_cut(place: Place) -> None:
    data = os.urandom(3_000_000)
    digest = f"sha256:{sha256(data).hexdigest()}"
    first = start(place)
    upload = asked(first, "POST", "/v2/team/app/blobs/uploads/")[1]["Location"]
    assert asked(first, "PATCH", upload, data[:1_000_000])[0] == 202
    cut_off(first, "PATCH", upload, data[1_000_000:2_000_000], len(data))
    first.kill()
    with registry(place) as second:
        status, headers = asked(second, "GET", upload)
        assert status == 204
        come = int(headers["Range"].partition("-")[2]) + 1
        assert 1_000_000 <= come <= 2_000_000
        part = {"Content-Range": f"{come}-{len(data) - 1}"}
        assert asked(second, "PATCH", upload, data[come:], part)[0] == 202
        assert asked(second, "PUT", f"{upload}?digest={digest}")[0] == 201
        sender = Sender(second)
        assert sender("GET", f"/v2/team/app/blobs/{digest}") == (200, data)
        sender.close()


def asked(
    served: Registry,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, http.client.HTTPMessage]:
    """Send a request of its own connection; return status and headers."""
    client = http.client.HTTPConnection(served.address, timeout=PATIENCE)
    client.request(method, path, body, dict(headers))
    with client.getresponse() as answer:
        answer.read()
    client.close()
    return answer.status, answer.headers


def cut_off(served: Registry, method: str, path: str, data: bytes, length: int) -> None:
    """Send a part of what a request announces, and hang up."""
    host, _, port = served.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as sock:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        sock.sendall(head.encode() + data)


@pytest.fixture(params=["disk", "limit"])
def little_room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Return a folder where 8 MB don't fit, and what to start a program with for that."""
    folder = tmp_path / "small"
    folder.mkdir()
    if request.param == "limit":
        yield str(folder), ["sh", "-c", 'ulimit -f 8000; exec "$@"', "sh"]
        return
    with needed():
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)],
            check=False,
            capture_output=True,
            timeout=PATIENCE,
        )
        if made.returncode:
            raise Lacking("a small disk can't be mounted")
    yield str(folder), []
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=PATIENCE)


def test_a_full_disk_is_told_and_leaves_nothing(
    place: Place, layout: Layout, little_room: tuple[str, list[str]]
) -> None:
    folder, wrapper = little_room
    served = start(place, "--store", folder, wrapper=wrapper)
    sender = Sender(served)
    kept = sender.push(layout, "team/app")
    data = os.urandom(8_000_000)
    digest = f"sha256:{sha256(data).hexdigest()}"
    upload = asked(served, "POST", "/v2/team/app/blobs/uploads/")[1]["Location"]
    for method, path in (
        ("POST", f"/v2/team/app/blobs/uploads/?digest={digest}"),
        ("PATCH", upload),
    ):
        status, body = sender(method, path, data)
        (error,) = json.loads(body)["errors"]
        assert (status, error["code"]) == (413, "DENIED")
        assert error["message"] == "the registry's disk is full"
    assert sender("GET", upload)[0] == 404
    assert list(Path(folder, "uploads").iterdir()) == []
    assert sender("HEAD", f"/v2/team/app/blobs/{digest}")[0] == 404
    assert sender("GET", f"/v2/team/app/manifests/{kept}")[0] == 200
    assert sender.push(layout, "team/other") == kept
    sender.close()
    assert served.stop() == 0


def test_pages_of_other_sites_stay_outside(served: Registry, place: Place) -> None:
    assert asked_as(served, "rebound.example.org") == (421, "DENIED")
    assert asked_as(served, served.address) == (200, "")
    assert asked_as(served, served.address, "POST", Origin="https://example.org")[0] == 403
    named = ["--url", "https://images.example.org"]
    with registry(place, *named) as other:
        assert asked_as(other, "images.example.org") == (200, "")
        assert asked_as(other, "rebound.example.org") == (421, "DENIED")


def asked_as(served: Registry, name: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Ask for a registry under a name; return the status, and the first error's code."""
    host, _, port = served.address.rpartition(":")
    client = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
    path = "/v2/" if method == "GET" else "/v2/a/blobs/uploads/"
    client.request(method, path, headers={"Host": name, **headers})
    with client.getresponse() as answer:
        errors = json.load(answer).get("errors", [{"code": ""}])
    client.close()
    return answer.status, errors[0]["code"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_well(place: Place, number: signal.Signals) -> None:
    found = start(place)
    found.process.send_signal(number)
    assert found.process.wait(PATIENCE) == 0
    assert found.stop() == 0


def test_a_port_that_is_taken_is_told(served: Registry, place: Place) -> None:
    done = place.run("registry", "--listen", served.address)
    assert done.code == 3
    assert f"The address {served.address} can't be listened on: Address already in use" in done.err
    assert "Stop the program that uses it" in done.err
    done = place.run("registry", "--listen", "192.0.2.1:0", "--open")
    assert (done.code, "Choose an address of this machine" in done.err) == (3, True)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "example.org:0"])
def test_other_machines_do_not_come_in_by_accident(place: Place, address: str) -> None:
    done = place.run("registry", "--listen", address)
    assert done.code == 2
    assert "nobody would have to log in" in done.err
    assert "trunkline registry user add" in done.err


def test_a_certificate_needs_its_key(place: Place, tmp_path: Path) -> None:
    done = place.run("registry", "--tls-cert", "cert.pem")
    assert (done.code, "belong together" in done.err) == (2, True)
    made, other = make_certificate(tmp_path), tmp_path / "other"
    other.mkdir()
    good, key = str(made.certificate), str(make_certificate(other).key)
    none = str(tmp_path / "none.pem")
    for cert, its_key, told in (
        (none, none, f"{none} is not there"),
        (good, key, "The key is another's."),
        (good, good, "Both are PEM; the key has no passphrase."),
        (good, str(tmp_path), "can't be read: Is a directory"),
    ):
        options = ("--tls-cert", cert, "--tls-key", its_key)
        done = place.run("registry", "--listen", "127.0.0.1:0", *options)
        assert (done.code, told in done.err) == (2, True), done.err


def test_users_are_added_listed_and_removed(place: Place) -> None:
    add_user(place, "bob", "p")
    add_user(place, ALICE, WORD, "team/*=pull, push")
    listed = place.run("registry", "user", "list").out
    assert listed == "alice: team/* pull,push\nbob: * pull,push,delete\n"
    assert place.run("registry", "user", "remove", "bob").code == 0
    assert place.run("registry", "user", "remove", "bob").code == 2
    assert place.run("registry", "user", "remove", ALICE).code == 0
    assert "There are no users" in place.run("registry", "user", "list").out
    assert place.run("registry", "user", "add", "a:b").code == 2
    assert "--grant" in place.run("registry", "user", "add", "carl", "--grant", "x").err
    assert (
        "'write' is not one of"
        in place.run(*["registry", "user", "add", "carl", "--grant", "x=write"]).err
    )
    assert place.run("registry", "user", "add", "carl").err.startswith(
        "trunkline: Standard input has no password."
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("users: [", "is not a file of users"),
        ("users: {bob: {password: plain}}", "the password of bob is not a hash"),
        (None, "can't be read: Is a directory"),
    ],
)
def test_a_file_of_users_that_is_none_is_told_at_the_start(
    place: Place, tmp_path: Path, content: str | None, told: str
) -> None:
    file = tmp_path / "users"
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)
    done = place.run("registry", "--listen", "127.0.0.1:0", "--users", str(file))
    assert (done.code, told in done.err) == (3, True)


@pytest.mark.parametrize("verb", [("images",), ("images", "rm", "a:1"), ("registry", "gc")])
def test_a_folder_without_a_registry_is_told_and_stays_as_it_is(
    place: Place, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    nowhere = tmp_path / "nowhere"
    done = place.run(*verb, "--store", str(nowhere))
    assert (done.code, done.err) == (2, f"trunkline: There is no registry in {nowhere}.\n")
    assert not nowhere.exists()


@pytest.mark.parametrize(("store", "told"), [("file", "File exists: '"), ("/proc/x", "No such")])
def test_a_folder_that_can_not_be_written_is_told(
    place: Place, tmp_path: Path, store: str, told: str
) -> None:
    (tmp_path / "file").write_text("")
    done = place.run("registry", "--listen", "127.0.0.1:0", "--store", str(tmp_path / store))
    assert (done.code, "The registry's store can't be used" in done.err) == (3, True)
    assert told in done.err


def test_a_user_who_is_removed_is_out_at_once(place: Place) -> None:
    add_user(place, ALICE, WORD)
    with registry(place) as served:
        host, _, port = served.address.rpartition(":")
        client = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        headers = {"Authorization": "Basic YWxpY2U6d29uZGVyOmxhbmQ="}
        found = []
        for after in ("remove", ""):
            client.request("GET", "/v2/", headers=headers)
            answer = client.getresponse()
            answer.read()
            found.append(answer.status)
            if after:
                assert place.run("registry", "user", after, ALICE).code == 0
        client.close()
    assert found == [200, 401]


def test_garbage_is_shown_and_collected_while_it_serves(
    served: Registry, place: Place, layout: Layout
) -> None:
    sender = Sender(served)
    digest = sender.push(layout, "team/app")
    gc = ("registry", "gc", "--keep", "last=0", "--now")
    assert sender("POST", "/v2/team/app/blobs/uploads/")[0] == 202
    shown = place.run(*gc, "--dryrun").out
    assert "tags 1" in shown
    assert "team/app: 1 unfinished upload, 0 B\n" in shown
    assert sender("GET", "/v2/team/app/manifests/1")[0] == 200
    assert place.run("registry", "gc", "--keep", "last=0").out.startswith("removed 0 tags")
    assert place.run(*gc, "--immutable", "1").out.startswith("removed 0 tags")
    assert place.run(*gc).out.startswith("removed 1 tag, 1 manifest, 2 blobs")
    assert sender("GET", f"/v2/team/app/manifests/{digest}")[0] == 404
    assert sender.push(layout, "team/app") == digest
    sender.close()


def test_a_server_collects_when_it_starts_unless_that_was_done(
    place: Place, layout: Layout
) -> None:
    mark = place.state / "registry" / "collected"
    long_ago = 1_000_000_000
    with registry(place) as served:
        sender = Sender(served)
        sender.push(layout, "team/app")
        sender.close()
    for before, is_collected in ((time.time() - 3600, False), (long_ago, True)):
        os.utime(mark, (before, before))
        with registry(place) as served:
            served.await_rest()
            assert (mark.stat().st_mtime > before + 60) is is_collected


def test_immutable_tags_stay_as_they_are(place: Place, layout: Layout, tmp_path: Path) -> None:
    other = Layout(tmp_path / "other")
    other.tag(other.image([{"file": b"other"}]), "one")
    with registry(place, "--immutable", "1*") as served:
        sender = Sender(served)
        digest = sender.push(layout, "team/app")
        assert sender.push(layout, "team/app") == digest
        with pytest.raises(AssertionError):
            sender.push(other, "team/app")
        assert sender("DELETE", "/v2/team/app/manifests/1")[0] == 403
        assert sender("GET", f"/v2/team/app/manifests/{digest}")[0] == 200
        sender.close()
