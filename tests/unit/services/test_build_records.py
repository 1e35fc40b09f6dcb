"""The record of a push: where an image came from, as its run's journal tells."""

from __future__ import annotations

import pytest

from tests.unit.cli.story import started
from trunkline.oci.built import Built
from trunkline.run.events import ImagePushed
from trunkline.services.build_records import built_from

PUSHED = ImagePushed(
    key="build",
    reference="ghcr.io/o/n:1",
    digest="sha256:ab",
    kept_as="ghcr.io/o/n:1",
    commit="c0ffee",
    dirty=True,
    base_name="alpine:3",
    base_digest="sha256:base",
)


def test_a_record_names_source_run_and_base():
    assert built_from(started("build"), 5.0, PUSHED) == Built(
        digest="sha256:ab",
        repository="ghcr.io/o/n",
        created=5.0,
        tags=("1",),
        source="o/r",
        commit="c0ffee",
        dirty=True,
        ref="refs/heads/main",
        run_id="42",
        number=7,
        workflow="CI",
        job="build",
        base_digest="sha256:base",
        base_name="alpine:3",
    )


@pytest.mark.parametrize(
    ("reference", "repository", "tags"),
    [
        ("cat", "docker.io/library/cat", ("latest",)),
        ("o/cat:2", "docker.io/o/cat", ("2",)),
        ("localhost:5000/cat", "localhost_5000/cat", ("latest",)),
        ("Registry.example/cat:1", "registry.example/cat", ("1",)),
        (f"o/cat@sha256:{'a' * 64}", "docker.io/o/cat", ()),
    ],
)
def test_the_repository_is_the_local_registrys(
    reference: str, repository: str, tags: tuple[str, ...]
):
    pushed = ImagePushed(key="build", reference=reference, digest="sha256:ab", kept_as="x")
    built = built_from(started("build"), 5.0, pushed)
    assert (built.repository, built.tags, built.published) == (repository, tags, False)


@pytest.mark.parametrize(
    ("reference", "repository", "tags"),
    [
        ("[::1]:5000/A:1", "[::1]:5000/A", ("1",)),
        ("host:5000/Odd", "host:5000/Odd", ()),
    ],
)
def test_a_name_that_only_its_own_registry_takes_stays(
    reference: str, repository: str, tags: tuple[str, ...]
):
    pushed = ImagePushed(key="build", reference=reference, digest="sha256:ab")
    built = built_from(started("build"), 5.0, pushed)
    assert (built.repository, built.tags, built.published) == (repository, tags, True)
