"""The end point of signed addresses, on a port: blocks in odd orders, ranges, and what is refused."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
import xml.etree.ElementTree as ET
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.actions_services import ARTIFACTS, RUN, Answer, Served, ask, call, job_of, served
from trunkline.ports.job_services import ServicesAccess

IDS = {"workflow_run_backend_id": RUN, "workflow_job_run_backend_id": "1"}
JOB = job_of()


class Client:
    """A job's uploads and downloads, request by request."""

    def __init__(self, services: Served) -> None:
        self.services = services
        services.run(RUN)
        self.access: ServicesAccess = services.open(JOB)

    def create(self, name: str = "dist", mime: str = "text/plain") -> str:
        """Begin an artifact; return its address."""
        answer = call(
            self.access, f"{ARTIFACTS}/CreateArtifact", {**IDS, "name": name, "mime_type": mime}
        )
        url = answer.record["signed_upload_url"]
        assert isinstance(url, str)
        return url

    def finalize(self, data: bytes, name: str = "dist") -> Answer:
        """Finish it."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        record = {**IDS, "name": name, "size": str(len(data)), "hash": digest}
        return call(self.access, f"{ARTIFACTS}/FinalizeArtifact", record)

    def address(self, data: bytes, name: str = "dist") -> str:
        """Upload an artifact; return where it is read."""
        answer = ask("PUT", self.create(name), data, {"x-ms-blob-type": "BlockBlob"})
        assert answer.status == 201
        assert self.finalize(data, name).status == 200
        record = call(self.access, f"{ARTIFACTS}/GetSignedArtifactURL", {**IDS, "name": name})
        url = record.record["signed_url"]
        assert isinstance(url, str)
        return url


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("services")) as found:
        yield found


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with served(tmp_path) as found:
        yield Client(found)


def block(url: str, name: str, data: bytes) -> Answer:
    found = quote(b64encode(name.encode()).decode(), safe="")
    return ask("PUT", f"{url}&comp=block&blockid={found}", data)


def commit(url: str, *names: str, kind: str = "Latest", content_type: str = "") -> Answer:
    ids = "".join(f"<{kind}>{b64encode(name.encode()).decode()}</{kind}>" for name in names)
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{ids}</BlockList>'
    headers = {"x-ms-blob-content-type": content_type} if content_type else {}
    return ask("PUT", f"{url}&comp=blocklist", body.encode(), headers)


def code(answer: Answer) -> tuple[int, str]:
    """Return an error's status and code, which body and header both tell."""
    found = ET.fromstring(answer.body).findtext("Code")  # noqa: S314 - our own answer
    assert found == answer.headers["x-ms-error-code"]
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["x-ms-request-id"]
    return answer.status, found or ""


def test_blocks_in_an_odd_order(client: Client):
    url = client.create()
    parts = {f"{number:03}": bytes([number]) * (100_000 + number) for number in range(12)}
    for name in [*reversed(parts), "003"]:
        answer = block(url, name, parts[name])
        assert answer.status == 201
        assert {"etag", "last-modified", "x-ms-request-id", "x-ms-version", "date"} <= {
            *answer.headers
        }
    assert commit(url, *parts, content_type="image/png").status == 201
    data = b"".join(parts.values())
    assert client.finalize(data).status == 200
    assert client.services.stored[0].content_type == "image/png"


def test_blocks_in_parallel(client: Client):
    url = client.create()
    parts = {f"{number:03}": bytes([number]) * 500_000 for number in range(10)}
    threads = [
        threading.Thread(target=block, args=(url, name, data)) for name, data in parts.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert commit(url, *parts, kind="Uncommitted").status == 201
    assert client.finalize(b"".join(parts.values())).status == 200


def test_all_at_once_and_empty(client: Client):
    assert ask("PUT", client.create(), b"", {"x-ms-blob-type": "BlockBlob"}).status == 201
    assert client.finalize(b"").status == 200
    url = client.create("list")
    assert commit(url).status == 201
    assert client.finalize(b"", "list").status == 200


def test_a_body_in_chunks(client: Client):
    url = urlsplit(client.create())
    with socket.create_connection((url.hostname, url.port), 60) as connection:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 201 Created\r\n")
    assert client.finalize(b"abcdefg").status == 200


def test_reading(client: Client):
    url = client.address(data := bytes(range(256)) * 10)
    answer = ask("GET", url)
    assert (answer.status, answer.body) == (200, data)
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-length"] == "2560"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"dist\"; filename*=UTF-8''dist"
    )
    assert answer.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    head = ask("HEAD", url)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == "2560"


@pytest.mark.parametrize("header", ["Range", "x-ms-range"])
@pytest.mark.parametrize(
    ("asked", "first", "last"), [("0-3", 0, 3), ("2550-", 2550, 2559), ("7-9999", 7, 2559)]
)
def test_reading_a_part(services: Served, header: str, asked: str, first: int, last: int):
    client = Client(services) if not services.stored else None
    data = bytes(range(256)) * 10
    if client is not None:
        client.address(data)
    access = services.open(JOB)
    found = call(access, f"{ARTIFACTS}/GetSignedArtifactURL", {**IDS, "name": "dist"})
    url = str(found.record["signed_url"])
    answer = ask("GET", url, headers={header: f"bytes={asked}"})
    assert (answer.status, answer.body) == (206, data[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/2560"
    assert code(ask("GET", url, headers={header: "bytes=2560-"})) == (416, "InvalidRange")


def test_names_in_headers(client: Client):
    answer = ask("GET", client.address(b"x", "naïve; %22 'x'"))
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"na_ve; _22 'x'\"; filename*=UTF-8''na%C3%AFve%3B%20%2522%20%27x%27"
    )


CRC64 = (0xAE8B14860A799888).to_bytes(8, "little")  # of the digits, as CRC-64/NVME is specified
DIGITS = b"123456789"


def base64_md5(data: bytes) -> str:
    return b64encode(hashlib.md5(data).digest()).decode()  # noqa: S324 - Azure's clients send it


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-MD5": base64_md5(DIGITS)},
        {"x-ms-content-crc64": b64encode(CRC64).decode()},
    ],
)
def test_content_that_is_as_its_checksum_says(client: Client, headers: dict[str, str]):
    url = client.create()
    name = quote(b64encode(b"a").decode())
    assert ask("PUT", f"{url}&comp=block&blockid={name}", DIGITS, headers).status == 201
    assert commit(url, "a").status == 201
    other = client.create("other")
    assert ask("PUT", other, DIGITS, headers).status == 201
    assert client.finalize(DIGITS).status == 200
    assert client.finalize(DIGITS, "other").status == 200


MISMATCHES = [
    ({"Content-MD5": base64_md5(b"other")}, "Md5Mismatch"),
    ({"x-ms-content-crc64": b64encode(b"12345678").decode()}, "Crc64Mismatch"),
    ({"Content-MD5": "!!"}, "InvalidMd5"),
    ({"Content-MD5": b64encode(b"short").decode()}, "InvalidMd5"),
    ({"x-ms-content-crc64": base64_md5(DIGITS)}, "InvalidCrc64"),
    (
        {"Content-MD5": base64_md5(DIGITS), "x-ms-content-crc64": b64encode(CRC64).decode()},
        "BothCrc64AndMd5HeaderPresent",
    ),
]


@pytest.mark.parametrize(("headers", "told"), MISMATCHES)
@pytest.mark.parametrize("data", [DIGITS, b"", b"x" * 2_000_000])
def test_content_that_is_not_as_its_checksum_says(
    client: Client, headers: dict[str, str], told: str, data: bytes
):
    url = client.create()
    name = quote(b64encode(b"a").decode())
    for place in (f"{url}&comp=block&blockid={name}", url):
        assert code(ask("PUT", place, data, headers)) == (400, told)
    assert code(commit(url, "a")) == (400, "InvalidBlockList")
    assert client.finalize(data).status == 412


def test_checksums_of_lists_and_of_whole_blobs(client: Client):
    url = client.create()
    block(url, "a", DIGITS)
    body = f"<BlockList><Latest>{b64encode(b'a').decode()}</Latest></BlockList>".encode()
    place = f"{url}&comp=blocklist"
    wrong = {"Content-MD5": base64_md5(DIGITS)}
    assert code(ask("PUT", place, body, wrong)) == (400, "Md5Mismatch")
    assert client.finalize(DIGITS).status == 412
    blob = {"x-ms-blob-content-md5": base64_md5(DIGITS)}  # of the content, not of the list
    assert ask("PUT", place, body, {**blob, "Content-MD5": base64_md5(body)}).status == 201
    assert ask("PUT", client.create("o"), DIGITS, blob).status == 201
    assert code(ask("PUT", client.create("p"), b"x", blob)) == (400, "Md5Mismatch")


def test_a_checksum_of_a_body_in_chunks(client: Client):
    url = urlsplit(client.create())
    for told, status in ((base64_md5(b"abcdefg"), b"201"), (base64_md5(b"abc"), b"400")):
        with socket.create_connection((url.hostname, url.port), 60) as connection:
            head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-MD5: {told}\r\n"
            chunks = b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n"
            connection.sendall(head.encode() + chunks)
            assert connection.recv(1000).startswith(b"HTTP/1.1 " + status)


def test_lists_that_make_no_sense(client: Client):
    url = client.create()
    block(url, "a", b"content")
    for body in (
        *(b"", b"x", b"<BlockList>", b"<BlockList><Other>YQ==</Other></BlockList>"),
        *(b"<Other/>", b"<BlockList><Latest><Latest>YQ==</Latest></Latest></BlockList>"),
        b'<!DOCTYPE l [<!ENTITY a "aaaa">]><BlockList><Latest>&a;</Latest></BlockList>',
        b"<BlockList>" + b"<Latest>YQ==</Latest>" * 50_001 + b"</BlockList>",
    ):
        answer = ask("PUT", f"{url}&comp=blocklist", body)
        assert code(answer) == (400, "InvalidXmlDocument"), body[:100]
    assert code(ask("PUT", f"{url}&comp=blocklist", b"x" * (9 << 20)))[0] == 413
    assert code(commit(url, "a", "none")) == (400, "InvalidBlockList")
    assert client.finalize(b"content").status == 412
    assert commit(url, "a").status == 201
    assert client.finalize(b"content").status == 200


@pytest.mark.parametrize("name", ["", "!!", "YQ", quote("Y" * 92), quote("é")])
def test_block_ids_that_are_none(client: Client, name: str):
    answer = ask("PUT", f"{client.create()}&comp=block&blockid={name}", b"x")
    assert code(answer) == (400, "InvalidQueryParameterValue")


def test_what_azure_does_and_this_does_not(client: Client):
    url = client.create()
    assert code(ask("PUT", f"{url}&comp=appendblock", b"x"))[0] == 400
    assert code(ask("PUT", url, b"x", {"x-ms-blob-type": "PageBlob"}))[0] == 400
    for method in ("POST", "DELETE", "PATCH"):
        assert code(ask(method, url)) == (405, "UnsupportedHttpVerb")


def test_an_address_for_something_else(client: Client):
    writing, reading = client.create("other"), client.address(b"content")
    forged = (403, "AuthenticationFailed")
    assert code(ask("PUT", reading, b"changed")) == forged
    assert code(ask("GET", writing)) == forged
    assert code(ask("GET", reading.replace("/artifacts/77-", "/artifacts/78-"))) == forged
    assert code(ask("GET", reading.replace("/artifacts/", "/caches/"))) == forged
    assert code(ask("GET", reading.replace("run=77", "run=78"))) == forged
    assert code(ask("GET", reading[:-1] + ("1" if reading.endswith("0") else "0"))) == forged
    assert code(ask("GET", reading.partition("?")[0])) == forged
    for path in (
        "/blobs/../artifacts",
        "/blobs/a/b/c",
        "/blobs/artifacts/%00",
        "/blobs/a/%2e%2e%2f",
    ):
        answer = ask("GET", f"http://{urlsplit(reading).netloc}{path}")
        assert answer.status in {400, 403}, path
    assert ask("GET", reading).body == b"content"


def test_addresses_die_with_their_job(client: Client):
    writing, reading = client.create("other"), client.address(b"content")
    client.services.services.close(JOB)
    assert code(ask("PUT", writing, b"x")) == (403, "AuthenticationFailed")
    assert code(ask("GET", reading)) == (403, "AuthenticationFailed")
    folder = Path(client.services.system.settings.state) / "uploads"
    assert list(folder.iterdir()) == []


def test_an_upload_that_is_over(client: Client):
    url = client.create()
    assert ask("PUT", url, b"content").status == 201
    assert client.finalize(b"content").status == 200
    assert code(block(url, "a", b"more")) == (404, "BlobNotFound")
    assert code(ask("PUT", url, b"other")) == (404, "BlobNotFound")


def test_an_artifact_that_was_deleted(client: Client):
    url = client.address(b"content")
    call(client.access, f"{ARTIFACTS}/DeleteArtifact", {**IDS, "name": "dist"})
    assert code(ask("GET", url)) == (404, "BlobNotFound")


def test_more_than_an_artifact_may_have(client: Client):
    url = urlsplit(client.create())
    with socket.create_connection((url.hostname, url.port), 60) as connection:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {1 << 50}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_upload_that_stops(client: Client):
    found = client.create()
    url = urlsplit(found)
    with socket.create_connection((url.hostname, url.port), 60) as connection:
        head = (
            f"PUT {url.path}?{url.query}&comp=block&blockid=YQ== HTTP/1.1\r\nHost: {url.netloc}\r\n"
        )
        connection.sendall(head.encode() + b"Content-Length: 1000\r\n\r\nonly this")
    assert code(commit(found, "a")) == (400, "InvalidBlockList")
    assert client.finalize(b"only this").status == 412
    listed = call(client.access, f"{ARTIFACTS}/ListArtifacts", IDS)
    assert listed.record == {"artifacts": []}
    client.services.services.close(JOB)
    folder = Path(client.services.system.settings.state) / "uploads"
    end = time.monotonic() + 60
    while list(folder.iterdir()) and time.monotonic() < end:
        time.sleep(0.05)
    assert list(folder.iterdir()) == []


def test_a_client_that_never_reads(client: Client):
    url = urlsplit(client.address(b"x" * 30_000_000))
    with socket.create_connection((url.hostname, url.port), 60) as connection:
        connection.sendall(
            f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode()
        )
        answer = ask("HEAD", url.geturl())  # others are answered meanwhile
        assert answer.status == 200
