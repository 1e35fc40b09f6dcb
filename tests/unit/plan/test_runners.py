"""Runner labels and the places they stand for."""

from __future__ import annotations

import pytest

from trunkline.plan.runners import RunnerRequest, place, read_platforms, runner_request


@pytest.mark.parametrize(
    ("value", "request_"),
    [
        ("ubuntu-latest", RunnerRequest(("ubuntu-latest",))),
        (["self-hosted", "x64"], RunnerRequest(("self-hosted", "x64"))),
        ({"group": "big", "labels": "linux"}, RunnerRequest(("linux",), "big")),
        ({"group": "big", "labels": ["linux", "gpu"]}, RunnerRequest(("linux", "gpu"), "big")),
        ({"group": "big"}, RunnerRequest((), "big")),
        (["a", None], None),
        (["a", ""], None),
        ([], None),
        ("", None),
        (None, None),
        (3.0, None),
        ({}, None),
    ],
)
def test_runs_on(value, request_):
    assert runner_request(value) == request_


@pytest.mark.parametrize(
    ("labels", "options", "where"),
    [
        (["ubuntu-latest"], [], "host"),
        (["Ubuntu-22.04"], [], "host"),
        (["self-hosted", "Linux", "X64"], [], "host"),
        (["self-hosted", "arm64"], [], None),
        (["windows-latest"], [], None),
        (["macos-14"], [], None),
        (["self-hosted", "gpu"], [], None),
        (["self-hosted", "gpu"], ["gpu=host"], "host"),
        (["windows-latest"], ["WINDOWS-latest=-self-hosted"], "host"),
        (["ubuntu-latest"], ["ubuntu-latest="], None),
        (["ubuntu-latest"], ["ubuntu-latest=docker:node:22"], "docker:node:22"),
        (["self-hosted", "ubuntu-latest"], ["ubuntu-latest=docker:x"], "docker:x"),
        ([], [], None),
        ([], ["big=host"], "host"),
    ],
)
def test_place(labels, options, where):
    request = RunnerRequest(tuple(labels), "big")
    assert place(request, read_platforms(options), "x64") == where


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("ubuntu-latest", "is not LABEL=WHERE"),
        ("=host", "is not LABEL=WHERE"),
        ("ubuntu-latest=node:22", "docker:node:22?"),
        ("x=docker:", "is no place"),
    ],
)
def test_bad_platforms(option, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        read_platforms([option])


def test_text():
    assert RunnerRequest(("linux", "gpu"), "big").text() == "group big, linux, gpu"
