"""`trunkline images`: what is here, how large, where from; and how it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_stores import push_image
from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.clock import FakeClock, SystemClock, SystemIds
from trunkline.adapters.registries.files import FileImageStore
from trunkline.cli.main import main
from trunkline.oci.built import Built
from trunkline.ports.image_store import ImageStore

BASE = b"b" * 2000
# When the images were pushed, seconds ago: however long a test takes, it is three hours.
AGE = 3.5 * 3600
PULLED = "127.0.0.1:5000/docker.io/library/dog:latest"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageStore]:
    monkeypatch.setenv("TRUNKLINE_STATE", str(tmp_path))
    root = str(tmp_path / "registry")
    pushed = FakeClock(SystemClock().now() - AGE)
    made = FileImageStore(root, FileBlobs(root), pushed, SystemIds())
    yield made
    made.close()


@pytest.fixture
def cat(store: ImageStore) -> str:
    """Push an image with two tags, which a run built; and one by hand. Return the first's digest."""
    repository = "ghcr.io/octo/cat"
    digest = push_image(
        store, "1.2", "latest", layers=(BASE, b"c" * 1000), repository=repository
    ).digest
    push_image(store, "latest", layers=(BASE,), repository="docker.io/library/dog")
    for tag in ("1.2", "latest"):
        store.evidence.record(
            Built(
                digest=digest,
                repository=repository,
                created=5.0,
                tags=(tag,),
                source="octo/cat",
                commit="0123456789abcdef",
                dirty=True,
                run_id="217405",
                number=7,
                workflow="CI",
                job="build",
                base_name="alpine:3",
                base_digest=f"sha256:{'a' * 64}",
            )
        )
    return digest


def shown(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    assert main(["images", *argv]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("store")
def test_without_images_it_says_how_to_get_some(capsys: pytest.CaptureFixture[str]):
    assert shown(capsys)[0].startswith("There are no images yet.")
    assert shown(capsys, "--json") == []


def test_images_are_listed_with_what_they_came_from(cat: str, capsys: pytest.CaptureFixture[str]):
    lines = shown(capsys)
    assert lines[:2] == ["docker.io/library/dog", "  latest  2.0 kB, 0 B of it alone  3h ago"]
    assert lines[3:] == [
        "      pushed by hand: no run tells where it came from",
        "ghcr.io/octo/cat",
        "  1.2, latest  3.0 kB, 1.0 kB of it alone  3h ago",
        f"      {cat}",
        "      from octo/cat@0123456789ab with uncommitted work",
        "      by CI #7, job build: trunkline show 217405",
        "      on alpine:3@aaaaaaaaaaaa",
        "",
        "2 images in 2 repositories: 3.0 kB, 2.0 kB shared",
        f"To pull one: `trunkline registry`, then `docker pull {PULLED}`",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "ghcr.io/octo/cat",
        "octo/cat",
        "cat",
        "cat:1.2",
        "ghcr.io/octo/cat:latest",
    ],
)
def test_one_repository_or_image_by_any_of_its_names(
    cat: str, capsys: pytest.CaptureFixture[str], name: str
):
    lines = shown(capsys, name)
    assert lines[0] == "ghcr.io/octo/cat"
    assert cat in lines[2]
    assert len(lines) == 6


@pytest.mark.usefixtures("cat")
@pytest.mark.parametrize("name", ["cat", "ghcr.io/octo/cat"])
def test_one_tag_of_it(capsys: pytest.CaptureFixture[str], name: str):
    (record,) = [json.loads(line) for line in shown(capsys, f"{name}:1.2", "--json")]
    assert record["tag"] == "1.2"


def test_an_image_by_its_digest(cat: str, capsys: pytest.CaptureFixture[str]):
    for digest in (cat, cat[:20], cat[7:15]):
        assert shown(capsys, f"octo/cat@{digest}")[0] == "ghcr.io/octo/cat"


@pytest.mark.usefixtures("cat")
def test_docker_hubs_short_names_are_known(capsys: pytest.CaptureFixture[str]):
    assert shown(capsys, "dog")[0] == "docker.io/library/dog"


@pytest.mark.usefixtures("cat")
def test_what_was_built_from_a_commit(capsys: pytest.CaptureFixture[str]):
    assert shown(capsys, "--commit", "0123456")[0] == "ghcr.io/octo/cat"
    assert shown(capsys, "--commit", "fff") == ["No image fits; `trunkline images` lists all."]


def test_json_has_it_in_full(cat: str, capsys: pytest.CaptureFixture[str]):
    records = [json.loads(line) for line in shown(capsys, "cat", "--json")]
    assert [(each["tag"], each["digest"]) for each in records] == [("1.2", cat), ("latest", cat)]
    assert records[0]["built"][0]["base_digest"] == f"sha256:{'a' * 64}"
    assert (records[0]["size"], records[0]["unique"]) == (3002, 1000)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing", "The registry has no repository 'nothing'."),
        ("octo/none:1.2", "The registry has no repository 'octo/none'."),
        ("octo/cta", "Did you mean"),
        ("cat:2", "Its tags: 1.2, latest."),
        ("cat@sha256:ffff", "names no images"),
        ("", ""),
    ],
)
@pytest.mark.usefixtures("cat")
def test_a_name_that_fits_nothing_is_told(capsys: pytest.CaptureFixture[str], name: str, told: str):
    assert main(["images", name]) == (2 if name else 0)
    assert told in capsys.readouterr().err


@pytest.mark.usefixtures("cat")
def test_a_tag_goes_and_the_image_stays(store: ImageStore, capsys: pytest.CaptureFixture[str]):
    assert shown(capsys, "rm", "cat:1.2")[0] == "deleted ghcr.io/octo/cat:1.2"
    assert [tag.name for tag in store.manifests.tags("ghcr.io/octo/cat") or ()] == ["latest"]


def test_an_image_goes_by_its_digest(
    cat: str, store: ImageStore, capsys: pytest.CaptureFixture[str]
):
    assert shown(capsys, "rm", f"cat@{cat[7:19]}")[0] == f"deleted ghcr.io/octo/cat@{cat}"
    assert store.manifests.find("ghcr.io/octo/cat", cat) is None


@pytest.mark.usefixtures("cat")
def test_a_slip_among_several_names_deletes_nothing(
    store: ImageStore, capsys: pytest.CaptureFixture[str]
):
    assert main(["images", "rm", "cat:1.2", "cat:nothing"]) == 2
    assert capsys.readouterr().out == ""
    assert len(store.manifests.tags("ghcr.io/octo/cat") or ()) == 2
    assert shown(capsys, "rm", "cat:1.2", "octo/cat:latest", "cat:1.2")[:2] == [
        "deleted ghcr.io/octo/cat:1.2",
        "deleted ghcr.io/octo/cat:latest",
    ]
    assert "1 image in 1 repository" in " ".join(shown(capsys))


@pytest.mark.usefixtures("cat")
def test_a_repository_is_not_deleted_at_once(capsys: pytest.CaptureFixture[str]):
    assert main(["images", "rm", "cat"]) == 2
    assert "NAME:TAG or NAME@DIGEST" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "octo/app", "quay.io/octo/app:1", "app:1"])
def test_what_was_published_is_known_too(
    store: ImageStore, capsys: pytest.CaptureFixture[str], name: str
):
    assert shown(capsys, "--published") == ["No run has published an image."]
    built = Built(
        digest=f"sha256:{'d' * 64}",
        repository="quay.io/octo/app",
        created=5.0,
        tags=("1",),
        source="octo/app",
        commit="0123456789abcdef",
        run_id="217405",
        published=True,
    )
    store.evidence.record(built)
    lines = shown(capsys, "--published", name)
    assert lines[0].startswith("quay.io/octo/app:1  ")
    assert lines[1:3] == [f"      sha256:{'d' * 64}", "      from octo/app@0123456789ab"]
    (record,) = [json.loads(line) for line in shown(capsys, "--published", "--json", name)]
    assert record["published"] is True
    assert shown(capsys, "--published", "--commit", "fff") == ["No run has published an image."]
    assert shown(capsys, "--published", "pp:1") == ["No run has published an image."]


def test_a_name_that_ends_several_is_told(store: ImageStore, capsys: pytest.CaptureFixture[str]):
    for host in ("ghcr.io", "quay.io"):
        push_image(store, "1", layers=(BASE,), repository=f"{host}/octo/cat")
    assert main(["images", "octo/cat"]) == 2
    assert "ghcr.io/octo/cat, quay.io/octo/cat" in capsys.readouterr().err
