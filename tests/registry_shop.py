"""A registry that is open or guarded, for the clients that people have; and images to push to it."""

from __future__ import annotations

import functools
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.certificates import Certificate, make_certificate
from tests.commands import Done, Place
from tests.engine import needed
from tests.image_layouts import Layout
from tests.images import Lacking
from tests.served_registry import Registry, add_user, registry

ALICE, WORD = "alice", "wonder:land"
PATIENCE = 300


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


@functools.cache
def users() -> str:
    """Return the file of users that the command makes for Alice; her password's hash takes a second."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        add_user(place, ALICE, WORD, "team/*=*", "library/*=pull")
        return (place.state / "registry" / "users.yaml").read_text()


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
            file = place.state / "registry" / "users.yaml"
            file.parent.mkdir(parents=True)
            file.write_text(users())
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


def make_layout(folder: Path) -> Layout:
    """Make an image `one` of two layers, and an index `many` of images for two machines."""
    made = Layout(folder)
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


def put_image(shop: Shop, layout: Layout, name: str) -> str:
    """Push the layout's image with skopeo; return its digest."""
    Skopeo(shop)(
        "copy", f"oci:{layout.folder}:one", f"docker://{shop.address}/{name}", sides="dest"
    )
    return digest_of(layout, "one")
