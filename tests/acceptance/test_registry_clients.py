"""The registry under the clients that people have: they push, pull, copy, sign and delete."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.certificates import Certificate, make_certificate
from tests.commands import Done, Place
from tests.docker_engine import Engine
from tests.engine import needed
from tests.image_layouts import Layout
from tests.images import Lacking
from tests.served_registry import Answered, Registry, add_user, registry
from tests.sid_clients import client

ALICE, WORD = "alice", "wonder:land"
PATIENCE = 90


class Shop(NamedTuple):
    """A registry, how it is guarded, and a folder for what a client keeps."""

    served: Registry
    guard: str
    folder: Path
    certificates: Certificate | None

    @property
    def address(self) -> str:
        return self.served.address

    @property
    def asks(self) -> bool:
        return self.guard != "open"

    def run(
        self, *argv: str, fails: bool = False, stdin: str = "", env: Sequence[tuple[str, str]] = ()
    ) -> Done:
        """Run a client; assert how it ends."""
        own = {
            "HOME": str(self.folder),
            "REGISTRY_AUTH_FILE": str(self.folder / "auth.json"),
            "DOCKER_CONFIG": str(self.folder / "docker"),
            "COSIGN_PASSWORD": "",
        }
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env={**os.environ, **own, **dict(env)},
            check=False,
            capture_output=True,
            input=stdin.encode(),
            timeout=PATIENCE,
        )
        found = Done(done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))
        assert bool(found.code) is fails, f"{argv}: {found.code}\n{found.text}"
        return found


def tool(name: str) -> str:
    """Return a client's name; skips or fails the test where it is not installed."""
    with needed():
        if shutil.which(name) is None:
            raise Lacking(f"{name} is not installed")
    return name


@pytest.fixture(params=["open", "basic", "bearer", "tls"])
def shop(request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> Iterator[Shop]:
    with opened(place, tmp_path, request.param) as found:
        yield found


@pytest.fixture
def open_shop(place: Place, tmp_path: Path) -> Iterator[Shop]:
    with opened(place, tmp_path, "open") as found:
        yield found


@pytest.fixture
def guarded_shop(place: Place, tmp_path: Path) -> Iterator[Shop]:
    with opened(place, tmp_path, "bearer") as found:
        yield found


class opened:  # noqa: N801 - a context manager
    """A registry that is open, or asks for Alice's password in one way or another."""

    def __init__(self, place: Place, folder: Path, guard: str) -> None:
        self._guard = guard
        self._folder = folder / "client"
        self._folder.mkdir()
        (self._folder / "docker").mkdir()
        (self._folder / "auth.json").write_text("{}")
        self._certificates: Certificate | None = None
        options: list[str] = []
        if guard != "open":
            add_user(place, ALICE, WORD, "team/*=*", "library/*=pull")
            options += ["--auth", "basic" if guard == "basic" else "bearer"]
        if guard == "tls":
            made = self._certificates = make_certificate(folder)
            options += ["--tls-cert", str(made.certificate), "--tls-key", str(made.key)]
        self._context = registry(place, *options)

    def __enter__(self) -> Shop:
        served = self._context.__enter__()
        return Shop(served, self._guard, self._folder, self._certificates)

    def __exit__(self, *error: object) -> None:
        self._context.__exit__(*error)  # type: ignore[arg-type]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return an image `one` of two layers, and an index `many` of images for two machines."""
    made = Layout(tmp_path / "layout")
    base = {"base": b"b" * 100_000}
    one = made.image([base, {"mark": secrets.token_bytes()}])
    other = made.image([base, {"mark": secrets.token_bytes()}], "arm64")
    made.tag(one, "one")
    made.tag(made.index([one, other]), "many")
    return made


def digest_of(layout: Layout, tag: str) -> str:
    listed = json.loads((layout.folder / "index.json").read_text())["manifests"]
    names = {each["annotations"]["org.opencontainers.image.ref.name"]: each for each in listed}
    digest: str = names[tag]["digest"]
    return digest


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


class Skopeo:
    """skopeo, told how to reach a registry."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        tool("skopeo")
        if shop.certificates is not None:
            trusted = shop.folder / "trusted"
            trusted.mkdir()
            shutil.copy(shop.certificates.certificate, trusted / "ca.crt")
        if shop.asks:
            login = ["login", "-u", ALICE, "--password-stdin", shop.address]
            shop.run("skopeo", *login, *self._flags(), stdin=WORD)

    def __call__(self, verb: str, *args: str, fails: bool = False, sides: str = "") -> Done:
        """Run a verb; `sides` is `src`, `dest` or both, for those that have flags for each."""
        flags = [flag for side in (sides.split() or [""]) for flag in self._flags(side)]
        return self._shop.run("skopeo", verb, *flags, *args, fails=fails)

    def _flags(self, side: str = "") -> list[str]:
        dash = f"--{side}-" if side else "--"
        if self._shop.guard == "tls":
            return [f"{dash}cert-dir={self._shop.folder}/trusted"]
        return [f"{dash}tls-verify=false"]


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


# --- crane, oras and cosign ---------------------------------------------------------------


def put_image(shop: Shop, layout: Layout, name: str) -> str:
    """Push the layout's image with skopeo; return its digest."""
    Skopeo(shop)(
        "copy", f"oci:{layout.folder}:one", f"docker://{shop.address}/{name}", sides="dest"
    )
    return digest_of(layout, "one")


@pytest.mark.registry
def test_crane_copies_lists_validates_and_deletes(guarded_shop: Shop, layout: Layout) -> None:
    shop = guarded_shop
    crane = [client("crane"), "--insecure"]
    digest = put_image(shop, layout, "team/app:1")
    shop.run(*crane, "auth", "login", shop.address, "-u", ALICE, "-p", WORD)
    shop.run(*crane, "copy", f"{shop.address}/team/app:1", f"{shop.address}/team/two:2")
    assert shop.run(*crane, "digest", f"{shop.address}/team/two:2").out.strip() == digest
    assert shop.run(*crane, "ls", f"{shop.address}/team/two").out == "2\n"
    shop.run(*crane, "validate", "--remote", f"{shop.address}/team/two:2")
    shop.run(*crane, "tag", f"{shop.address}/team/two:2", "3")
    shop.run(*crane, "delete", f"{shop.address}/team/two@{digest}")
    shop.run(*crane, "digest", f"{shop.address}/team/two:3", fails=True)
    shop.run(*crane, "digest", f"{shop.address}/team/app:1")


@pytest.mark.registry
def test_oras_attaches_and_finds(guarded_shop: Shop, layout: Layout) -> None:
    shop = guarded_shop
    program = client("oras")
    put_image(shop, layout, "team/app:1")
    shop.run(
        program, "login", "--plain-http", shop.address, "-u", ALICE, "--password-stdin", stdin=WORD
    )
    (shop.folder / "sbom.txt").write_text("a list of parts")
    name = f"{shop.address}/team/app:1"
    attach = ["attach", "--plain-http", "--artifact-type", "application/x-sbom"]
    shop.run(program, *attach, name, "sbom.txt")
    found = shop.run(program, "discover", "--plain-http", "--format", "json", name).out
    (referrer,) = json.loads(found)["referrers"]
    assert referrer["artifactType"] == "application/x-sbom"
    (shop.folder / "sbom.txt").unlink()
    shop.run(program, "pull", "--plain-http", f"{shop.address}/team/app@{referrer['digest']}")
    assert (shop.folder / "sbom.txt").read_text() == "a list of parts"
    # The registry tells referrers itself: no client had to keep a list under a tag.
    assert json.loads(Skopeo(shop)("list-tags", f"docker://{shop.address}/team/app").out)[
        "Tags"
    ] == ["1"]


@pytest.mark.registry
def test_cosign_signs_and_verifies(guarded_shop: Shop, layout: Layout) -> None:
    shop = guarded_shop
    program = client("cosign")
    digest = put_image(shop, layout, "team/app:1")
    login = ["login", "-u", ALICE, "-p", WORD, shop.address]
    shop.run(program, *login)
    shop.run(program, "generate-key-pair")
    name = f"{shop.address}/team/app@{digest}"
    offline = ["--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry", "-y"]
    shop.run(program, "sign", "--key", "cosign.key", *offline, name)
    verify = ["verify", "--insecure-ignore-tlog=true", "--allow-http-registry", "--key"]
    (verified,) = json.loads(shop.run(program, *verify, "cosign.pub", name).out)
    assert verified["critical"]["image"]["docker-manifest-digest"] == digest
    (shop.folder / "other").mkdir()
    shop.run(program, "generate-key-pair", "--output-key-prefix", "other/cosign")
    shop.run(program, *verify, "other/cosign.pub", name, fails=True)
