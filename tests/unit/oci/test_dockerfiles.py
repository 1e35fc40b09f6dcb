"""The base image of a Dockerfile's last stage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.oci.dockerfiles import base_image

STAGES = """\
# syntax=docker/dockerfile:1
ARG VERSION=3.11
ARG BASE="python:${VERSION}"
FROM --platform=$BUILDPLATFORM golang:1.22 AS build
ARG VERSION=9
RUN <<EOF
FROM nothing
EOF
FROM ${BASE} AS Runtime
FROM scratch AS empty
FROM runtime
COPY --from=build /a /a
"""


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("FROM alpine:3.19", "alpine:3.19"),
        ("from alpine as x\nRUN true\n", "alpine"),
        ("FROM scratch\n", ""),
        ("FROM\talpine", "alpine"),
        ("", ""),
        ("RUN true", ""),
        ("FROM ghcr.io/o/n@sha256:ab AS x\nFROM x\nFROM x AS y", "ghcr.io/o/n@sha256:ab"),
        ("FROM a AS one\nFROM 0\n", "a"),
        ("FROM a AS b\nFROM b AS b\n", "a"),
        ("ARG X\nFROM ${X:-debian}", "debian"),
        ("ARG X=1\nFROM ${X:+alpine}", "alpine"),
        ("ARG X=\nFROM a${X-b}", "a"),
        ("ARG A=debian B=12\nFROM $A:$B", "debian:12"),
        ("FROM \\\n# a comment\n\n  alpine \\\n  AS x", "alpine"),
        ("# escape=`\nFROM `\nalpine", "alpine"),
        ("FROM alpine\nRUN <<-A <<'B' cat\n\tFROM x\n\tA\nFROM y\nB\nRUN true\n", "alpine"),
        (STAGES, "python:3.11"),
    ],
)
def test_the_last_stage_decides(text: str, base: str):
    assert base_image(text, "", {}) == base


@pytest.mark.parametrize(
    ("target", "base"),
    [
        ("build", "golang:1.22"),
        ("RUNTIME", "python:3.11"),
        ("empty", ""),
        ("0", "golang:1.22"),
        ("nowhere", ""),
    ],
)
def test_a_target_is_a_stage_by_name_or_number(target: str, base: str):
    assert base_image(STAGES, target, {}) == base


def test_build_arguments_come_before_defaults():
    assert base_image(STAGES, "", {"VERSION": "3.13"}) == "python:3.13"
    assert base_image("FROM $X", "", {"X": "undeclared"}) == ""


@given(st.text(alphabet=st.sampled_from("FROM AS\\\n#<<EOF${}:-+'\"`x0"), max_size=60))
def test_any_text_is_read(text: str):
    base_image(text, "", {})
