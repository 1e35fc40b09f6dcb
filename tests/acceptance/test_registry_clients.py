"""The registry under the clients that people have: they push, pull, copy, build and delete."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.commands import Place
from tests.docker_engine import Engine
from tests.engine import needed
from tests.image_layouts import Layout
from tests.images import Lacking
from tests.registry_shop import ALICE, WORD, Shop, Skopeo, digest_of, opened, tool
from tests.served_registry import Answered
from tests.sid_clients import client


def uploads(requests: Sequence[Answered]) -> list[Answered]:
    """Return the requests that moved a blob's content."""
    return [each for each in requests if each.method in {"PATCH", "PUT"} and "/blobs/" in each.path]


# --- Docker -------------------------------------------------------------------------------


@pytest.fixture
def image(engine: Engine, busybox_image: str) -> Iterator[str]:
    """Return the id of an image that was never seen before: busybox, and a layer with a mark."""
    name = f"trunkline-test-{secrets.token_hex(8)}"
    engine.docker("create", "--name", name, busybox_image, "true")
    try:
        mark = f"ENV MARK={name}"
        engine.docker("cp", __file__, f"{name}:/mark")
        made = engine.docker("commit", "--change", mark, name)
    finally:
        engine.docker("rm", name)
    yield made
    engine.docker("rmi", "--force", made)


def docker_login(shop: Shop) -> None:
    if shop.asks:
        shop.run("docker", "login", "-u", ALICE, "--password-stdin", shop.address, stdin=WORD)


def test_docker_pushes_pulls_and_runs(shop: Shop, image: str) -> None:
    docker_login(shop)
    name = f"{shop.address}/team/app"
    shop.run("docker", "tag", image, f"{name}:1")
    pushed = shop.run("docker", "push", f"{name}:1").out
    digest = pushed.rpartition("digest: ")[2].split()[0]
    shop.run("docker", "rmi", "--force", image)
    assert shop.run("docker", "images", "--quiet", "--no-trunc").out.find(image) < 0
    shop.run("docker", "pull", f"{name}@{digest}")
    ran = shop.run(
        "docker", "run", "--rm", f"{name}@{digest}", "sh", "-c", "echo $MARK; head -1 /mark"
    )
    assert ran.out.splitlines()[0].startswith("trunkline-test-")
    assert ran.out.splitlines()[1] == Path(__file__).read_text().splitlines()[0]
    shop.run("docker", "logout", shop.address)


def test_a_second_push_moves_no_layer_and_another_repository_shares_them(
    open_shop: Shop, image: str
) -> None:
    first, second = (f"{open_shop.address}/team/{name}:1" for name in ("app", "other"))
    for name in (first, second):
        open_shop.run("docker", "tag", image, name)
    open_shop.run("docker", "push", first)
    assert len(uploads(open_shop.served.requests())) >= 3
    open_shop.run("docker", "push", first)
    assert not uploads(open_shop.served.requests())
    open_shop.run("docker", "push", second)
    requests = open_shop.served.requests()
    mounts = [each for each in requests if each.method == "POST" and "mount=" in each.path]
    assert {each.status for each in mounts} == {201}
    assert len(uploads(requests)) <= 2  # of the configuration alone


def test_docker_says_why_it_may_not(guarded_shop: Shop, image: str) -> None:
    address = guarded_shop.address
    login = ["docker", "login", "-u", ALICE, "--password-stdin", address]
    assert "incorrect username or password" in guarded_shop.run(*login, fails=True, stdin="no").err
    guarded_shop.run("docker", "tag", image, f"{address}/team/app:1")
    refused = guarded_shop.run("docker", "push", f"{address}/team/app:1", fails=True)
    assert "authentication required" in refused.err or "no basic auth" in refused.err
    docker_login(guarded_shop)
    guarded_shop.run("docker", "push", f"{address}/team/app:1")
    guarded_shop.run("docker", "tag", image, f"{address}/library/app:1")
    refused = guarded_shop.run("docker", "push", f"{address}/library/app:1", fails=True)
    assert "denied" in refused.err
    assert "alice has no right to repository:library/app:pull,push" in refused.err


def test_docker_keeps_no_password(guarded_shop: Shop, engine: Engine) -> None:
    assert engine.host
    docker_login(guarded_shop)
    kept = json.loads((guarded_shop.folder / "docker" / "config.json").read_text())
    assert set(kept["auths"][guarded_shop.address]) == {"auth", "identitytoken"}


@pytest.mark.registry
def test_buildkit_builds_on_what_it_pulls_and_pushes(guarded_shop: Shop, image: str) -> None:
    shop = guarded_shop
    plugins = shop.folder / "docker" / "cli-plugins"
    plugins.mkdir()
    (plugins / "docker-buildx").symlink_to(client("docker-buildx"))
    docker_login(shop)
    base, app = f"{shop.address}/team/base:1", f"{shop.address}/team/app:1"
    shop.run("docker", "tag", image, base)
    shop.run("docker", "push", base)
    shop.run("docker", "rmi", base)
    shop.served.requests()
    (shop.folder / "context").mkdir()
    (shop.folder / "context" / "Dockerfile").write_text(f"FROM {base}\nRUN echo built > /made\n")
    metadata = ["--metadata-file", "metadata.json"]
    shop.run("docker", "buildx", "build", "--push", "--pull", *metadata, "-t", app, "context")
    digest = json.loads((shop.folder / "metadata.json").read_text())["containerimage.digest"]
    requests = shop.served.requests()
    assert Answered("POST", "/token", 200) in requests  # with a form, as no other client does
    assert Answered("PUT", "/v2/team/app/manifests/1", 201) in requests
    shop.run("docker", "pull", f"{shop.address}/team/app@{digest}")
    shop.run("docker", "rmi", "--force", app, f"{shop.address}/team/app@{digest}")


# --- skopeo -------------------------------------------------------------------------------


def test_skopeo_copies_lists_and_deletes(shop: Shop, layout: Layout) -> None:
    skopeo = Skopeo(shop)
    digest = digest_of(layout, "one")
    remote = f"docker://{shop.address}/team/app"
    skopeo("copy", f"oci:{layout.folder}:one", f"{remote}:1", sides="dest")
    skopeo("copy", f"{remote}:1", f"docker://{shop.address}/team/two:2", sides="src dest")
    assert json.loads(skopeo("list-tags", remote).out)["Tags"] == ["1"]
    assert json.loads(skopeo("inspect", f"{remote}@{digest}").out)["Digest"] == digest
    raw = skopeo("inspect", "--raw", f"{remote}@{digest}").out
    assert raw.encode() == (layout.folder / "blobs/sha256" / digest.partition(":")[2]).read_bytes()
    skopeo("copy", f"{remote}@{digest}", f"oci:{shop.folder}/back:1", sides="src")
    assert (shop.folder / "back/blobs/sha256" / digest.partition(":")[2]).exists()
    skopeo("delete", f"{remote}:1")
    assert "manifest unknown" in skopeo("inspect", f"{remote}:1", fails=True).err
    assert skopeo("inspect", f"docker://{shop.address}/team/two:2").out


def test_skopeo_copies_images_for_many_machines(shop: Shop, layout: Layout) -> None:
    skopeo = Skopeo(shop)
    digest = digest_of(layout, "many")
    remote = f"docker://{shop.address}/team/app"
    skopeo("copy", "--all", f"oci:{layout.folder}:many", f"{remote}:many", sides="dest")
    index = json.loads(skopeo("inspect", "--raw", f"{remote}@{digest}").out)
    machines = {each["platform"]["architecture"] for each in index["manifests"]}
    assert machines == {"amd64", "arm64"}
    skopeo("copy", "--all", f"{remote}:many", f"oci:{shop.folder}/back:1", sides="src")


def test_skopeo_is_told_what_is_wrong(guarded_shop: Shop, layout: Layout) -> None:
    plain = "--dest-tls-verify=false"
    image = f"oci:{layout.folder}:one"
    remote = f"docker://{guarded_shop.address}"
    for credentials in ("alice:wrong", "bob:wonder:land"):
        told = guarded_shop.run(
            *[tool("skopeo"), "copy", plain, "--dest-creds", credentials],
            *[image, f"{remote}/team/app:1"],
            fails=True,
        )
        assert "incorrect username or password" in told.err
    own = ["--dest-creds", f"{ALICE}:{WORD}"]
    told = guarded_shop.run("skopeo", "copy", plain, *own, image, f"{remote}/a/b:1", fails=True)
    assert "403 (Forbidden)" in told.err  # to its HEAD, which has no words
    guarded_shop.run("skopeo", "copy", plain, *own, image, f"{remote}/team/app:1")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    place: Place, tmp_path: Path, layout: Layout
) -> None:
    with opened(place, tmp_path, "tls") as shop:
        argv = [tool("skopeo"), "copy", f"oci:{layout.folder}:one"]
        told = shop.run(*argv, f"docker://{shop.address}/team/app:1", fails=True)
        assert "certificate" in told.err


# --- podman and buildah -------------------------------------------------------------------


class Containers:
    """podman and buildah with a store of their own, told how to reach a registry."""

    def __init__(self, shop: Shop, program: str, store: Path) -> None:
        with needed():
            if os.geteuid() != 0:
                raise Lacking(f"{program} is tested as root")
        self._shop = shop
        self._program = tool(program)
        self._flags = ["--root", f"{store}/root", "--runroot", f"{store}/run"]
        self._flags += ["--storage-driver", "vfs"]
        if shop.asks:
            self("login", "-u", ALICE, "-p", WORD, self.verify, shop.address)

    @property
    def verify(self) -> str:
        """Return the flag of the verbs that speak to a registry."""
        return "--tls-verify=false"

    def __call__(self, verb: str, *args: str, fails: bool = False) -> str:
        argv = [self._program, *self._flags, *verb.split(), *args]
        return self._shop.run(*argv, fails=fails).out.strip()


@pytest.fixture
def store() -> Iterator[Path]:
    """Return a folder for images; podman takes no path of more than 50 characters."""
    folder = Path(tempfile.mkdtemp(prefix="tl-store."))
    yield folder
    shutil.rmtree(folder)


def test_podman_pulls_and_pushes(shop: Shop, layout: Layout, store: Path) -> None:
    Skopeo(shop)(
        "copy", f"oci:{layout.folder}:one", f"docker://{shop.address}/team/app:1", sides="dest"
    )
    podman = Containers(shop, "podman", store)
    name = f"{shop.address}/team/app"
    podman("pull", podman.verify, f"{name}@{digest_of(layout, 'one')}")
    podman("pull", podman.verify, f"{name}:1")
    podman("tag", f"{name}:1", f"{shop.address}/team/again:2")
    podman(
        "push",
        podman.verify,
        "--digestfile",
        f"{shop.folder}/digest",
        f"{shop.address}/team/again:2",
    )
    podman("rmi", "--all", "--force")
    podman("pull", podman.verify, f"{shop.address}/team/again:2")
    digest = (shop.folder / "digest").read_text()
    assert (
        podman("image inspect", "--format", "{{.Digest}}", f"{shop.address}/team/again:2") == digest
    )
    podman("rmi", "--all", "--force")


def test_buildah_builds_on_what_it_pulls(shop: Shop, store: Path) -> None:
    buildah = Containers(shop, "buildah", store)
    with needed():
        if not Path("/bin/busybox").exists():
            raise Lacking("busybox is not installed")
    base, app = f"{shop.address}/team/base:1", f"{shop.address}/team/app:1"
    container = buildah("from", "scratch")
    buildah("copy", "--quiet", container, "/bin/busybox", "/bin/sh")
    buildah("commit", "--format", "oci", container, base)
    buildah("push", buildah.verify, base)
    buildah("rm", "--all")
    buildah("rmi", "--all", "--force")
    (shop.folder / "Dockerfile").write_text(f"FROM {base}\nRUN echo built > /made\n")
    buildah("bud", buildah.verify, "--isolation", "chroot", "-t", app, str(shop.folder))
    buildah("push", buildah.verify, app)
    requests = shop.served.requests()
    assert Answered("PUT", "/v2/team/app/manifests/1", 201) in requests
    buildah("rmi", "--all", "--force")
