"""JavaScript actions in images with musl, where a node for glibc does not run: a node for musl does."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.commands import NEEDS_NODE, Done, Place, assert_no_traceback, missing
from tests.docker_engine import Engine
from tests.engine import needed
from tests.images import Lacking, Layer, busybox_layer, debian_mirror
from tests.repositories import repository

pytestmark = [pytest.mark.registry, NEEDS_NODE]

# Debian's musl that is new enough for node; the one of Debian 12 is not.
NEW = "pool/main/m/musl/musl_1.2.5-3_amd64.deb"
NEW_DIGEST = "4288deaf14438e6c237491be45f10e3e7badb2e723cedfb08ff1fe687b646c84"
OLD = Path("/lib/x86_64-linux-musl/libc.so")
PATIENCE = 60
WORKFLOW = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    container: {image}
    steps:
      - uses: actions/checkout@v4
      - uses: ./
        with: {{who: Ada}}
"""
ACTION = {
    "action.yml": "inputs: {who: {required: true}}\n"
    "runs: {using: node20, main: main.js, post: post.js}\n",
    "main.js": "console.log(process.version.split('.')[0], process.env.INPUT_WHO);\n"
    "const loaded = process.report.getReport().sharedObjects;\n"
    "console.log(loaded.filter((each) => each.includes('musl')).length, 'of musl');\n",
    "post.js": "console.log('post ran');\n",
}

Images = Callable[[Layer, bytes], str]


@pytest.fixture
def images(engine: Engine, tmp_path: Path) -> Iterator[Images]:
    """Yield what makes an image of a root file system and a C library."""
    with ExitStack() as stack:
        yield lambda layer, libc: stack.enter_context(imported(engine, tmp_path, layer, libc))


@contextmanager
def imported(engine: Engine, folder: Path, layer: Layer, libc: bytes) -> Iterator[str]:
    name = f"trunkline-test/musl:{os.urandom(4).hex()}"
    layer.data("lib/ld-musl-x86_64.so.1", libc, 0o755)
    layer.link("lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1")
    engine.docker("import", str(layer.saved(folder / "musl.tar").tarball), name)
    try:
        yield name
    finally:
        engine.docker("rmi", name)


@pytest.fixture(scope="module")
def new_libc(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a musl as Alpine 3.18 and newer have it."""
    with needed():
        if platform.machine() != "x86_64" or shutil.which("dpkg-deb") is None:
            raise Lacking("musl is taken out of a package of Debian for x86_64")
        try:
            with urlopen(f"{debian_mirror()}/{NEW}", timeout=PATIENCE) as answer:  # noqa: S310
                package: bytes = answer.read()
        except (OSError, HTTPException) as error:
            raise Lacking(f"Debian's musl 1.2.5 can't be had: {error}") from error
    assert hashlib.sha256(package).hexdigest() == NEW_DIGEST
    folder = tmp_path_factory.mktemp("musl")
    (folder / "musl.deb").write_bytes(package)
    subprocess.run(["dpkg-deb", "-x", folder / "musl.deb", folder], check=True)
    return (folder / "usr/lib/x86_64-linux-musl/libc.so").read_bytes()


def run(place: Place, image: str) -> Done:
    """Run a JavaScript action in an image."""
    root = place.root / image.partition(":")[2]
    repository(root, {".github/workflows/ci.yml": WORKFLOW.format(image=image), **ACTION})
    done = place.run("run", "--plain", cwd=root, patience=400)
    assert_no_traceback(done)
    return done


def test_javascript_runs_in_images_with_musl(
    docked: Place, images: Images, new_libc: bytes
) -> None:
    wanted = ["test | v20 Ada", "test | 1 of musl", "test | post ran"]
    done = run(docked, images(busybox_layer(), new_libc))
    assert done.code == 0, done.text
    assert not missing(wanted, done.out.splitlines()), done.text
    # One without any program is kept running by that node.
    done = run(docked, images(Layer(), new_libc))
    assert done.code == 0, done.text
    assert not missing(wanted, done.out.splitlines()), done.text


def test_a_musl_that_is_too_old_is_told(docked: Place, images: Images) -> None:
    with needed():
        if not OLD.exists() or b"1.2.3\0" not in OLD.read_bytes():
            raise Lacking("Debian 12's musl is not installed")
    done = run(docked, images(busybox_layer(), OLD.read_bytes()))
    assert done.code == 1
    assert "a JavaScript action needs an image with glibc and libstdc++" in done.out
    assert "or with musl (Alpine 3.18 or newer)" in done.out
