"""What every store of artifacts does."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest

from trunkline.adapters.artifacts.folder import FolderArtifacts
from trunkline.adapters.artifacts.memory import MemoryArtifacts
from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.base.errors import NotFound
from trunkline.ports.artifacts import ArtifactExists, ArtifactInfo, Artifacts, NewArtifact

RUN = "77"
DAY = 24 * 60 * 60


class TextFile:
    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.size = len(text)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.text.encode())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["folder", "memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Artifacts:
    if request.param == "memory":
        return MemoryArtifacts(clock, [RUN])
    (tmp_path / RUN).mkdir()
    return FolderArtifacts(tmp_path, clock, SystemIds())


def new(name: str, *, overwrite: bool = False, days: int = 0) -> NewArtifact:
    return NewArtifact(run_id=RUN, name=name, overwrite=overwrite, retention_days=days)


def content(artifacts: Artifacts, info: ArtifactInfo) -> dict[str, str]:
    return {path: file.read().decode() for path, file in artifacts.read(info)}


def test_keeps_files_with_their_paths(artifacts: Artifacts) -> None:
    files = [TextFile("a.txt", "one"), TextFile("dir é/b c", "two")]
    info = artifacts.create(new("dist"), files)
    assert (info.run_id, info.name, info.files, info.archived) == (RUN, "dist", 2, True)
    assert info.id.isdecimal()
    assert artifacts.find(RUN) == (info,)
    assert content(artifacts, info) == {"a.txt": "one", "dir é/b c": "two"}


def test_the_digest_and_size_are_those_of_the_kept_file(artifacts: Artifacts) -> None:
    info = artifacts.create(new("dist"), [TextFile("a.txt", "one" * 1000)])
    with artifacts.open(info) as file:
        kept = file.read()
    assert info.digest == f"sha256:{hashlib.sha256(kept).hexdigest()}"
    assert info.size == len(kept)


def test_a_plain_file_stays_as_it_is(artifacts: Artifacts) -> None:
    wanted = NewArtifact(run_id=RUN, name="a.txt", archived=False)
    info = artifacts.create(wanted, [TextFile("some/a.txt", "one")])
    with artifacts.open(info) as file:
        assert file.read() == b"one"
    assert not info.archived


def test_a_name_is_taken_once(artifacts: Artifacts) -> None:
    first = artifacts.create(new("dist"), [TextFile("a", "1")])
    with pytest.raises(ArtifactExists):
        artifacts.create(new("dist"), [TextFile("a", "2")])
    assert artifacts.find(RUN) == (first,)


def test_overwrite_takes_the_place(artifacts: Artifacts) -> None:
    first = artifacts.create(new("dist"), [TextFile("a", "1")])
    second = artifacts.create(new("dist", overwrite=True), [TextFile("a", "2")])
    assert artifacts.find(RUN) == (second,)
    assert second.id != first.id
    assert content(artifacts, second) == {"a": "2"}
    with pytest.raises(NotFound):
        list(artifacts.read(first))


def test_oldest_first(artifacts: Artifacts) -> None:
    made = [artifacts.create(new(name), [TextFile("a", name)]) for name in ("b", "a", "c")]
    assert list(artifacts.find(RUN)) == made


def test_an_expired_artifact_is_gone(artifacts: Artifacts, clock: FakeClock) -> None:
    artifacts.create(new("short", days=1), [TextFile("a", "1")])
    kept = artifacts.create(new("long"), [TextFile("a", "1")])
    clock.advance(DAY + 1)
    assert artifacts.find(RUN) == (kept,)


def test_delete_tells_whether_it_was_there(artifacts: Artifacts) -> None:
    artifacts.create(new("dist"), [TextFile("a", "1")])
    assert artifacts.delete(RUN, "dist")
    assert not artifacts.delete(RUN, "dist")
    assert artifacts.find(RUN) == ()


def test_an_unknown_run_is_named(artifacts: Artifacts) -> None:
    with pytest.raises(NotFound, match="no run 404"):
        artifacts.find("404")


def test_many_jobs_at_once(artifacts: Artifacts) -> None:
    def keep(number: int) -> None:
        artifacts.create(new(f"leg-{number}"), [TextFile("a", str(number))])

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {info.name for info in artifacts.find(RUN)} == {f"leg-{n}" for n in range(8)}


class TestFolder:
    """What users see on disk."""

    @pytest.fixture
    def folder(self, tmp_path: Path, clock: FakeClock) -> FolderArtifacts:
        (tmp_path / RUN).mkdir()
        return FolderArtifacts(tmp_path, clock, SystemIds())

    def test_a_zip_named_as_the_artifact(self, folder: FolderArtifacts, tmp_path: Path) -> None:
        info = folder.create(new("my dist"), [TextFile("sub/a.txt", "one")])
        assert info.path == str(tmp_path / RUN / "artifacts" / "my dist.zip")
        with zipfile.ZipFile(info.path) as archive:
            assert archive.namelist() == ["sub/a.txt"]
            assert archive.read("sub/a.txt") == b"one"

    def test_the_level_of_compression_counts(self, folder: FolderArtifacts) -> None:
        sizes = [
            folder.create(
                NewArtifact(run_id=RUN, name=f"l{level}", compression=level),
                [TextFile("a", "x" * 10_000)],
            ).size
            for level in (0, 9)
        ]
        assert sizes[0] > 10_000 > sizes[1]

    def test_a_plain_file_and_a_zip_of_one_name(self, folder: FolderArtifacts) -> None:
        archive = folder.create(new("a"), [TextFile("f", "1")])
        wanted = NewArtifact(run_id=RUN, name="a.zip", archived=False)
        plain = folder.create(wanted, [TextFile("a.zip", "2")])
        assert archive.path != plain.path
        assert Path(plain.path).name == "a.zip"
        assert Path(plain.path).read_text(encoding="utf-8") == "2"

    def test_a_failed_upload_leaves_nothing(self, folder: FolderArtifacts, tmp_path: Path) -> None:
        class Gone(TextFile):
            def open(self) -> BinaryIO:
                raise NotFound("gone")

        with pytest.raises(NotFound):
            folder.create(new("dist"), [Gone("a", "1")])
        assert folder.find(RUN) == ()
        assert not list(tmp_path.rglob("*.draft"))
