"""The router: which part answers which path, each made when it is first asked."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.test import Client
from werkzeug.wrappers import Response

from trunkline.base.errors import Unavailable
from trunkline.web.results import ResultsApp, old_artifacts


class Parts:
    """Parts that tell their names, and how often each was made."""

    def __init__(self, *prefixes: str) -> None:
        self.made: list[str] = []
        table = {prefix: lambda prefix=prefix: self.make(prefix) for prefix in prefixes}
        self.client = Client(ResultsApp(table))

    def make(self, prefix: str) -> WSGIApplication:
        self.made.append(prefix)
        return Response(prefix)

    def get(self, path: str) -> str:
        """Return who answered."""
        return self.client.get(path).text


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/blobs/a/b", "/blobs/"),
        ("/blobs/", "/blobs/"),
        ("/blobs", "/"),
        ("/api/graphql", "/api/graphql"),
        ("/api/graphqlx", "/"),
        ("/api/graphql/x", "/"),
        ("/api/v3/repos", "/api/v3/"),
        ("/api/v3/uploads/x", "/api/v3/uploads/"),
        ("/", "/"),
        ("/octo/demo.git/info/refs", "/"),
    ],
)
def test_the_longest_prefix_counts(path: str, prefix: str):
    parts = Parts("/blobs/", "/api/graphql", "/api/v3/", "/api/v3/uploads/", "/")
    assert parts.get(path) == prefix
    assert parts.made == [prefix]


def test_each_part_is_made_once():
    parts = Parts("/a/", "/b/")
    threads = [threading.Thread(target=parts.get, args=(path,)) for path in ["/a/x", "/b/x"] * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(parts.made) == ["/a/", "/b/"]


def test_nobody_answers():
    answer = Parts("/a/").client.get("/b/")
    assert (answer.status_code, answer.json) == (404, {"message": "Not Found"})


def test_troubles_are_json():
    def full(_environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        raise Unavailable("the disk is full")

    def lost(_environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        raise NotFound

    client = Client(ResultsApp({"/full": lambda: full, "/lost": lambda: lost}))
    answer = client.get("/full")
    assert (answer.status_code, answer.json) == (503, {"message": "the disk is full"})
    answer = client.get("/lost")
    assert (answer.status_code, answer.json) == (404, {"message": "Not Found"})


def test_retired_actions_are_told():
    answer = Client(old_artifacts()).post("/_apis/pipelines/workflows/1/artifacts")
    assert answer.status == "410 Gone: take version 4 or newer of the artifact actions"
    assert answer.json is not None
    assert "upload-artifact@v4" in answer.json["message"]
