"""What the tests of docker/build-push-action share: an engine's images, and a Docker client."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.jobs import LocalJob
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionCall
from trunkline.ports.containers import BuildSpec, ImageFacts, ImagePush, Login, Watch

IMAGE_ID = f"sha256:{'1' * 64}"
DIGEST = f"sha256:{'2' * 64}"
BASE = f"sha256:{'3' * 64}"
GITHUB: dict[str, Any] = {
    "server_url": "https://github.com",
    "repository": "octo/demo",
    "run_id": "7",
    "run_attempt": "1",
    "ref": "refs/heads/main",
    "sha": "",
    "event": {},
}
DOCKERFILE = "ARG BASE=alpine:3\nFROM ${BASE}\nCOPY a.txt /\n"

# Stands in for Docker's client: it says what BUILDER tells it to, and writes down what it is asked.
CLIENT = """\
#!/bin/sh
case "$1 $2" in
  "buildx version") echo github.com/docker/buildx $BUILDX_SAYS ;;
  "buildx inspect") cat "$HERE/builder"; exit "$(cat "$HERE/inspect-code")" ;;
  "buildx build")
    printf '%s\\0' "$@" >"$HERE/argv"
    while [ $# -gt 0 ]; do
      case "$1" in
        --iidfile) printf IID >"$2" ;;
        --metadata-file) cp "$HERE/metadata" "$2" ;;
        --secret) cat "${2##*src=}" >>"$HERE/secrets" 2>/dev/null; echo >>"$HERE/secrets" ;;
      esac
      shift
    done
    echo "#1 building"; cat "$HERE/trouble" >&2; exit "$(cat "$HERE/code")" ;;
  *) echo "docker $1" ;;
esac
"""
BUILDER = """\
Name:   default
Driver: docker

Nodes:
Name:             default
Endpoint:         default
BuildKit version: v0.21.0
Features:
 Cache export:         no
 Multi-platform build: no
"""


class KnownImages:
    """The engine's images as an action sees them; it keeps what it was asked."""

    def __init__(self) -> None:
        self.specs: list[BuildSpec] = []
        self.pushes: list[tuple[str, Login | None]] = []
        self.meant: list[str] = []
        self.trouble = ""

    def build(self, spec: BuildSpec, watch: Watch) -> ImageFacts:
        self.specs.append(spec)
        watch.tell("Step 1/1 : FROM alpine")
        if self.trouble:
            raise Unavailable(self.trouble)
        return ImageFacts(id=IMAGE_ID)

    def push(self, reference: str, login: Login | None, watch: Watch, image: str = "") -> ImagePush:
        self.pushes.append((reference, login))
        self.meant.append(image)
        watch.tell(f"The push refers to repository [{reference}]")
        return ImagePush(reference=reference, digest=DIGEST, kept_as=reference, image_id=IMAGE_ID)

    def inspect(self, reference: str) -> ImageFacts | None:
        if reference == IMAGE_ID:
            return ImageFacts(id=IMAGE_ID, os="linux", architecture="amd64")
        if reference == "alpine:3":
            return ImageFacts(id="sha256:a", digests=(f"alpine@{BASE}",))
        return ImageFacts(id="sha256:d") if reference == "debian:12" else None


class Containers:
    """A job's containers, of which an action uses the images."""

    def __init__(self, images: KnownImages) -> None:
        self.images = images


class Place:
    """A sandbox with an engine."""

    def __init__(self, inner: Any, images: KnownImages) -> None:
        self._inner = inner
        self.containers = Containers(images)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


Run = Callable[..., LocalJob]


def without_docker(folder: Path) -> str:
    """Return a search path of the tools that the action's scripts use: Docker is not among them."""
    folder.mkdir()
    for name in ("sh", "cat", "cp", "rm", "tee", "mktemp", "git", "printf"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


def call(job: LocalJob, github: Mapping[str, Any] | None = None, **inputs: str) -> ActionCall:
    return job.call("docker/build-push-action@v6", {**GITHUB, **(github or {})}, **inputs)


def asked(client: Path) -> list[str]:
    """Return the command that Buildx was given, without where its own files are."""
    argv = (client / "argv").read_text().split("\0")[:-1]
    hidden = ("--iidfile", "--metadata-file")
    return [
        word for at, word in enumerate(argv) if word not in hidden and argv[at - 1] not in hidden
    ]


def groups(job: LocalJob) -> list[str]:
    return [line[9:] for line in job.lines if line.startswith("##[group]")]
