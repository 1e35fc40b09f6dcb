"""A small client of registries: every request is spelled out, nothing is retried or followed."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode, urljoin, urlsplit

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
OCTETS = "application/octet-stream"
FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
Body = bytes | Iterator[bytes]
Query = Mapping[str, str | int]
NONE: Query = MappingProxyType({})

# The codes of the specification.
CODES = {
    *("BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID"),
    *("MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID"),
    *("NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "TOOMANYREQUESTS"),
}


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def random_content(size: int = 512) -> bytes:
    return os.urandom(size)


class Answer(NamedTuple):
    """A response as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def header(self, name: str) -> str:
        return str(self.headers.get(name, ""))

    def json(self) -> Any:
        return json.loads(self.body)

    def code(self) -> str:
        """Return the first error's code; the body must have the specification's form."""
        first = self.json()["errors"][0]
        assert first["code"] in CODES
        return str(first["code"])


class Client:
    """Sends requests to one registry."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = urlsplit(url)

    def connect(self) -> http.client.HTTPConnection:
        secure = self._address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(self._address.hostname or "", self._address.port, timeout=120)

    def send(
        self, method: str, target: str, body: Body = b"", headers: Headers = (), query: Query = NONE
    ) -> Answer:
        """Send a request; `target` is a path or a Location, to which the query is added."""
        address = urlsplit(urljoin(self.url, target))
        parts = [part for part in (address.query, urlencode(query)) if part]
        place = address.path + ("?" + "&".join(parts) if parts else "")
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        chunked = not isinstance(body, bytes)
        connection = self.connect()
        try:
            connection.putrequest(method, place, skip_accept_encoding=True)
            for name, value in pairs:
                connection.putheader(name, value)
            if chunked:
                connection.putheader("Transfer-Encoding", "chunked")
            elif body or method in {"POST", "PUT", "PATCH"}:
                connection.putheader("Content-Length", str(len(body)))  # type: ignore[arg-type]
            connection.endheaders(body or None, encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


class Repository:
    """One repository of a registry."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    def send(
        self, method: str, path: str, body: Body = b"", headers: Headers = (), query: Query = NONE
    ) -> Answer:
        """Send a request for something of the repository: `blobs/<digest>`."""
        return self.client.send(method, f"/v2/{self.name}/{path}", body, headers, query)

    def start(self, query: Query = NONE) -> str:
        """Begin an upload; return its Location."""
        answer = self.send("POST", "blobs/uploads/", query=query)
        assert answer.status == 202
        assert answer.header("Location")
        return answer.header("Location")

    def patch(self, location: str, content: bytes, first: int | None = None) -> Answer:
        headers = {"Content-Type": OCTETS}
        if first is not None:
            headers["Content-Range"] = f"{first}-{first + len(content) - 1}"
        return self.client.send("PATCH", location, content, headers)

    def put(self, location: str, digest: str, content: bytes = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Content-Type"] = OCTETS
        return self.client.send("PUT", location, content, named, {"digest": digest})

    def push(self, content: bytes, algorithm: str = "sha256") -> str:
        """Push a blob; return its digest."""
        digest = digest_of(content, algorithm)
        assert self.put(self.start(), digest, content).status == 201
        return digest

    def put_manifest(self, reference: str, body: bytes, media_type: str = MANIFEST) -> Answer:
        headers = {"Content-Type": media_type}
        return self.send("PUT", f"manifests/{reference}", body, headers)

    def push_image(self, *tags: str, **more: Any) -> tuple[str, bytes]:
        """Push an image of one random layer under tags (none: by digest); return it."""
        layer, config = random_content(), b'{"architecture":"amd64","os":"linux"}'
        self.push(layer)
        self.push(config)
        body = manifest(described(config, CONFIG), [described(layer, LAYER)], **more)
        digest = digest_of(body)
        for reference in tags or (digest,):
            assert self.put_manifest(reference, body).status == 201
        return digest, body


def described(content: bytes, media_type: str, algorithm: str = "sha256") -> dict[str, Any]:
    """Return a descriptor of content."""
    digest = digest_of(content, algorithm)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def manifest(config: dict[str, Any], layers: list[dict[str, Any]], **more: Any) -> bytes:
    record = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    return json.dumps(record | more, indent=2).encode()


def index(*manifests: dict[str, Any], **more: Any) -> bytes:
    record = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}
    return json.dumps(record | more).encode()
