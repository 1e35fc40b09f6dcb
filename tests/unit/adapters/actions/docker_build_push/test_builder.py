"""What `docker buildx inspect` says of a builder."""

from __future__ import annotations

from trunkline.adapters.toolkit.builders import parse_builder, read_version

ENGINE = """\
time="2026-01-01T00:00:00Z" level=debug msg="using default config store"
Name:   default
Driver: docker

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.8+unknown
Platforms:        linux/amd64, linux/386
Features:
 Automatically load images to the Docker Engine image store: true
 Cache export:                                               false
 Multi-platform build:                                       false
"""
CONTAINER = """\
Name:          builder-5f
Driver:        docker-container
Last Activity: 2026-01-01 00:00:00 +0000 UTC

Nodes:
Name:                  builder-5f0
Endpoint:              unix:///var/run/docker.sock
Driver Options:        env.A="b"
Status:                running
BuildKit daemon flags: --debug
BuildKit version:      v0.13.1
Platforms:             linux/amd64*, linux/arm64*, linux/386
Labels:
 org.mobyproject.buildkit.worker.executor: oci
GC Policy rule#0:
 All:           false
"""


def test_the_builder_of_an_engine():
    builder = parse_builder(ENGINE)
    assert (builder.name, builder.driver, builder.is_of_engine) == ("default", "docker", True)
    assert not builder.keeps_indexes
    assert not builder.exports_caches
    assert builder.version == (0, 8, 0)
    assert builder.shown()["nodes"] == [
        {
            "name": "default",
            "endpoint": "default",
            "status": "running",
            "buildkit": "v0.8+unknown",
            "platforms": "linux/amd64,linux/386",
        }
    ]


def test_an_engine_with_the_containerd_store_keeps_indexes():
    text = ENGINE.replace(
        "Multi-platform build:                                       false",
        "Multi-platform build:                                       true",
    )
    assert parse_builder(text).keeps_indexes


def test_a_builder_of_its_own():
    builder = parse_builder(CONTAINER)
    assert (builder.name, builder.driver) == ("builder-5f", "docker-container")
    assert not builder.keeps_indexes
    assert builder.exports_caches
    assert builder.version == (0, 13, 1)
    assert builder.nodes[0]["platforms"] == "linux/amd64,linux/arm64"
    assert builder.nodes[0]["buildkitd-flags"] == "--debug"


def test_versions_are_found_in_what_programs_say():
    assert read_version("github.com/docker/buildx 0.29.1+ds1 0.29.1+ds1-4") == (0, 29, 1)
    assert read_version("github.com/docker/buildx v0.13.1-desktop.1 abcdef") == (0, 13, 1)
    assert read_version("unknown") == (0, 0, 0)
