"""What scripts create: labelled as the job's, with the engine's paths in place of the job's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from trunkline.adapters.docker.proxy.heads import Request
from trunkline.adapters.docker.proxy.labelling import (
    Place,
    container_of,
    labelled,
    own_only,
    volumes_of,
)

LABELS = {"trunkline.run": "r", "trunkline.job": "j"}
MOUNTS = {"/__w": "/var/work", "/github/home": "/var/home"}


def outside(path: str) -> str | None:
    for inside, there in MOUNTS.items():
        if f"{path}/".startswith(f"{inside}/"):
            return there + path.removeprefix(inside)
    return None


PLACE = Place(labels=LABELS, outside=outside, socket="/run/own.sock")


def container(**config: Any) -> Any:
    return container_of({"Image": "x", "HostConfig": config}, PLACE)["HostConfig"]


def test_labels_are_added_to_those_of_the_script() -> None:
    assert labelled({"Labels": {"a": "b"}, "X": 1}, LABELS) == {
        "Labels": {"a": "b", **LABELS},
        "X": 1,
    }
    assert labelled({"Labels": None}, LABELS) == {"Labels": LABELS}
    assert labelled({"Labels": {"trunkline.job": "other"}}, LABELS)["Labels"] == LABELS


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("/__w/r/r:/src:ro", "/var/work/r/r:/src:ro"),
        ("/__w:/src", "/var/work:/src"),
        ("/__work:/src", "/__work:/src"),
        ("/etc/hosts:/x", "/etc/hosts:/x"),
        ("/var/run/docker.sock:/var/run/docker.sock", "/run/own.sock:/var/run/docker.sock"),
        ("/var/run//docker.sock:/x", "/run/own.sock:/x"),
        ("data:/data", "data:/data"),
        ("/data", "/data"),
    ],
)
def test_binds_have_the_engines_paths(bind: str, expected: str) -> None:
    assert container(Binds=[bind])["Binds"] == [expected]


def test_mounts_have_the_engines_paths_and_volumes_labels() -> None:
    mounts = [
        {"Type": "bind", "Source": "/github/home/x", "Target": "/x", "ReadOnly": True},
        {"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/s"},
        {"Type": "volume", "Source": "data", "Target": "/d", "VolumeOptions": {"NoCopy": True}},
        {"Type": "volume", "Target": "/e"},
        {"Type": "tmpfs", "Target": "/t"},
    ]
    assert container(Mounts=mounts, Memory=5)["Mounts"] == [
        {"Type": "bind", "Source": "/var/home/x", "Target": "/x", "ReadOnly": True},
        {"Type": "bind", "Source": "/run/own.sock", "Target": "/s"},
        {
            "Type": "volume",
            "Source": "data",
            "Target": "/d",
            "VolumeOptions": {"NoCopy": True, "Labels": LABELS},
        },
        {"Type": "volume", "Target": "/e", "VolumeOptions": {"Labels": LABELS}},
        {"Type": "tmpfs", "Target": "/t"},
    ]


def test_the_rest_of_a_container_stays_as_it_is() -> None:
    body = {"Image": "x", "Cmd": ["a"], "HostConfig": {"Privileged": True, "Binds": None}}
    found = container_of(body, PLACE)
    assert found == {**body, "Labels": LABELS}
    assert container_of({"Image": "x"}, PLACE) == {"Image": "x", "Labels": LABELS}


def test_named_volumes_of_binds_are_found() -> None:
    binds = ["data:/data", "/host:/x", "/anonymous", "logs:/l:ro", "./odd:/y", 7]
    config = {"Binds": binds, "VolumeDriver": "nfs"}
    assert volumes_of({"HostConfig": config}) == {"data": "nfs", "logs": "nfs"}
    assert volumes_of({}) == {}
    assert volumes_of({"HostConfig": {"Binds": "odd"}}) == {}


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ("", []),
        ('{"label":["a=b"],"status":["running"]}', ["a=b"]),
        ('{"label":{"a=b":true}}', ["a=b"]),
        ('{"label":null}', []),
    ],
)
def test_listings_show_what_is_the_jobs(filters: str, words: list[str]) -> None:
    request = Request(method="GET", target=f"/containers/json?all=1&filters={filters}", fields=())
    found = own_only(request, LABELS)
    assert found.query["all"] == "1"
    sent = msgspec.json.decode(found.query["filters"])
    assert sent.pop("label") == [*words, "trunkline.run=r", "trunkline.job=j"]
    assert sent == ({"status": ["running"]} if "status" in filters else {})


def test_filters_that_nobody_understands_are_the_engines_to_refuse() -> None:
    for filters in ("nonsense", "[]"):
        request = Request(method="GET", target=f"/volumes?filters={filters}", fields=())
        assert own_only(request, LABELS) == request
