"""The registry under crane, oras and cosign: copies, attachments, signatures; plain and with TLS."""

from __future__ import annotations

import json

import pytest

from tests.image_layouts import Layout
from tests.registry_shop import ALICE, WORD, Shop, put_image
from tests.sid_clients import client


class Program:
    """A client that Debian has in sid alone, told how to reach a registry.

    `plainly` is its flag for one without TLS; else it trusts the registry's certificate.
    """

    def __init__(self, shop: Shop, name: str, plainly: str) -> None:
        self._shop = shop
        self._program = client(name)
        trusted = shop.certificates
        self.flags = [] if trusted else [plainly]
        self._env = [("SSL_CERT_FILE", str(trusted.certificate))] if trusted else []

    def __call__(self, verb: str, *args: str, fails: bool = False, stdin: str = "") -> str:
        """Speak to the registry; return what was printed."""
        return self.alone(verb, *args, *self.flags, fails=fails, stdin=stdin)

    def alone(self, verb: str, *args: str, fails: bool = False, stdin: str = "") -> str:
        """Run what takes no such flag."""
        argv = [self._program, *verb.split(), *args]
        return self._shop.run(*argv, fails=fails, stdin=stdin, env=self._env).out


@pytest.mark.registry
def test_crane_copies_lists_validates_and_deletes(shop: Shop, layout: Layout) -> None:
    crane = Program(shop, "crane", "--insecure")
    digest = put_image(shop, layout, "team/app:1")
    if shop.asks:
        crane("auth login", shop.address, "-u", ALICE, "-p", WORD)
    two = f"{shop.address}/team/two"
    crane("copy", f"{shop.address}/team/app:1", f"{two}:2")
    assert crane("digest", f"{two}:2").strip() == digest
    assert crane("ls", two) == "2\n"
    crane("validate", "--remote", f"{two}:2")
    crane("tag", f"{two}:2", "3")
    crane("pull", "--format", "oci", f"{two}:2", "pulled")
    crane("push", "pulled", f"{shop.address}/team/three:1")
    assert crane("digest", f"{shop.address}/team/three:1").strip() == digest
    crane("delete", f"{two}@{digest}")
    crane("digest", f"{two}:3", fails=True)
    crane("digest", f"{shop.address}/team/app:1")


@pytest.mark.registry
def test_oras_attaches_finds_and_copies(shop: Shop, layout: Layout) -> None:
    oras = Program(shop, "oras", "--plain-http")
    digest = put_image(shop, layout, "team/app:1")
    if shop.asks:
        oras("login", shop.address, "-u", ALICE, "--password-stdin", stdin=WORD)
    (shop.folder / "sbom.txt").write_text("a list of parts")
    name, copied = f"{shop.address}/team/app", f"{shop.address}/team/copied"
    oras("attach", "--artifact-type", "application/x-sbom", f"{name}:1", "sbom.txt")
    (referrer,) = json.loads(oras("discover", "--format", "json", f"{name}:1"))["referrers"]
    assert referrer["artifactType"] == "application/x-sbom"
    (shop.folder / "sbom.txt").unlink()
    oras("pull", f"{name}@{referrer['digest']}")
    assert (shop.folder / "sbom.txt").read_text() == "a list of parts"
    # The registry tells referrers itself: no client had to keep a list under a tag.
    assert oras("repo tags", name).split() == ["1"]
    both_sides = [f"--{side}-plain-http" for side in ("from", "to") if oras.flags]
    oras.alone("copy", "--recursive", *both_sides, f"{name}:1", f"{copied}:2")
    (same,) = json.loads(oras("discover", "--format", "json", f"{copied}@{digest}"))["referrers"]
    assert same["digest"] == referrer["digest"]
    oras("push", "--artifact-type", "application/x-notes", f"{name}:notes", "sbom.txt")
    oras("manifest delete", "--force", f"{name}:1")
    assert json.loads(oras("discover", "--format", "json", f"{copied}:2"))["referrers"] == [same]
    oras("manifest fetch", f"{name}@{referrer['digest']}", fails=True)


@pytest.mark.registry
def test_cosign_signs_attests_and_verifies(shop: Shop, layout: Layout) -> None:
    cosign = Program(shop, "cosign", "--allow-http-registry")
    digest = put_image(shop, layout, "team/app:1")
    if shop.asks:
        cosign.alone("login", "-u", ALICE, "-p", WORD, shop.address)
    cosign.alone("generate-key-pair")
    name = f"{shop.address}/team/app@{digest}"
    offline = ["--tlog-upload=false", "--use-signing-config=false", "-y"]
    cosign("sign", "--key", "cosign.key", *offline, name)
    unlogged = "--insecure-ignore-tlog=true"
    (verified,) = json.loads(cosign("verify", unlogged, "--key", "cosign.pub", name))
    assert verified["critical"]["image"]["docker-manifest-digest"] == digest
    (shop.folder / "facts.json").write_text('{"tested": true}')
    facts = ["--predicate", "facts.json", "--type", "https://example.org/facts"]
    cosign("attest", "--key", "cosign.key", *facts, *offline, name)
    cosign("verify-attestation", unlogged, "--key", "cosign.pub", *facts[2:], name)
    (shop.folder / "other").mkdir()
    cosign.alone("generate-key-pair", "--output-key-prefix", "other/cosign")
    cosign("verify", unlogged, "--key", "other/cosign.pub", name, fails=True)
