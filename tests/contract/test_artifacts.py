"""What every store of artifacts does."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import zipfile
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from trunkline.adapters.artifacts.folder import FolderArtifacts
from trunkline.adapters.artifacts.memory import MemoryArtifacts
from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.base.errors import Corrupt, NotFound
from trunkline.ports.artifacts import (
    ArtifactExists,
    ArtifactInfo,
    Artifacts,
    NewArtifact,
    ReceivedArtifact,
)

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


def received(place: Path, name: str, data: bytes, **more: object) -> ReceivedArtifact:
    file = place / "uploaded"
    file.write_bytes(data)
    facts = {
        "run_id": RUN,
        "name": name,
        "path": str(file),
        "digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "size": len(data),
        "archived": False,
    }
    return msgspec.convert({**facts, **more}, ReceivedArtifact)


def test_a_file_that_came_whole_is_kept(artifacts: Artifacts, tmp_path: Path) -> None:
    given = received(tmp_path, "a.txt", b"content", job="3", content_type="text/plain")
    info = artifacts.adopt(given)
    assert not Path(given.path).exists()
    assert (info.job, info.content_type, info.files, info.expires) == ("3", "text/plain", 1, 0.0)
    assert (info.digest, info.size) == (given.digest, 7)
    assert artifacts.find(RUN) == (info,)
    with artifacts.open(info) as file:
        assert file.read() == b"content"
    assert content(artifacts, info) == {"a.txt": "content"}


def test_a_file_is_gone_when_its_name_is_taken(artifacts: Artifacts, tmp_path: Path) -> None:
    first = artifacts.create(new("dist"), [TextFile("a.txt", "one")])
    given = received(tmp_path, "dist", b"content")
    with pytest.raises(ArtifactExists):
        artifacts.adopt(given)
    assert not Path(given.path).exists()
    assert artifacts.find(RUN) == (first,)


def test_an_adopted_artifact_expires(
    artifacts: Artifacts, clock: FakeClock, tmp_path: Path
) -> None:
    artifacts.adopt(received(tmp_path, "dist", b"content", expires=clock.now() + 60))
    clock.advance(60)
    assert artifacts.find(RUN) == ()


def test_artifacts_by_id(artifacts: Artifacts, clock: FakeClock, tmp_path: Path) -> None:
    info = artifacts.create(new("dist"), [TextFile("a.txt", "one")])
    assert artifacts.by_id(info.id) == info
    for wrong in ("0", "", "x", "../1", "*"):
        assert artifacts.by_id(wrong) is None
    short = artifacts.adopt(received(tmp_path, "b", b"b", expires=clock.now() + 60))
    clock.advance(60)
    assert artifacts.by_id(short.id) is None
    artifacts.delete(RUN, "dist")
    assert artifacts.by_id(info.id) is None


def test_files_of_an_archive_are_counted_and_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / RUN).mkdir()
    store = FolderArtifacts(tmp_path, FakeClock(), SystemIds())
    for number, count in enumerate((0, 1, 3, 70_000)):  # the last needs the 64 bit form
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for each in range(count):
                archive.writestr(f"{each}", b"")
        given = received(tmp_path, f"zip{number}", data.getvalue(), archived=True)
        assert store.adopt(given).files == count


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"no zip", b"PK\x05\x06", b"PK\x05\x06" + b"\xff" * 18),
        b"PK\x06\x07" + b"\xff" * 16 + b"PK\x05\x06" + b"\xff" * 18,
    ],
)
def test_what_only_says_that_it_is_an_archive(tmp_path: Path, data: bytes) -> None:
    (tmp_path / RUN).mkdir()
    store = FolderArtifacts(tmp_path, FakeClock(), SystemIds())
    info = store.adopt(received(tmp_path, "dist", data, archived=True))
    assert info.files in {0, 0xFFFF}
    with pytest.raises(Corrupt):
        content(store, info)


def test_a_name_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / RUN).mkdir()
    store = FolderArtifacts(tmp_path, FakeClock(), SystemIds())
    store.adopt(received(tmp_path, ".about", b"content"))
    store.adopt(received(tmp_path, "../x", b"content"))
    folder = tmp_path / RUN / "artifacts"
    assert all(Path(info.path).is_relative_to(folder) for info in store.find(RUN))
    assert not (tmp_path / RUN / "x").exists()


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of names and contents."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, text in entries:
            archive.writestr(name, text)
    return data.getvalue()


def overlapping(times: int) -> bytes:
    """Return a zip whose entries are all the same bytes of it: 1 MB of zeros, so many times."""
    once = zipped(("a", bytes(1 << 20)))
    at = once.index(b"PK\x01\x02")
    entry, end = once[at : once.index(b"PK\x05\x06")], once[once.index(b"PK\x05\x06") :]
    counted = struct.pack("<HHII", times, times, len(entry) * times, at)
    return once[:at] + entry * times + end[:8] + counted + end[20:]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (overlapping(2000), "a zip bomb: its 9[0-9],[0-9]{3} bytes would become 2,097,152,000"),
        (zipped(("a", b"a"), ("../../b", b"b")), r"Malicious entry: \.\./\.\./b"),
        (zipped(("a", b"a" * 99)).replace(b"KL", b"XX")[:-30], "can't be read"),
    ],
    ids=["a bomb", "a way out", "torn"],  # a zip tells the time that it was made at
)
def test_archives_that_do_harm_are_not_unpacked(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / RUN).mkdir()
    store = FolderArtifacts(tmp_path, FakeClock(), SystemIds())
    info = store.adopt(received(tmp_path, "dist", data, archived=True))
    with pytest.raises(Corrupt, match=why):
        next(store.read(info))
    with store.open(info) as kept:
        assert kept.read() == data


def test_an_encrypted_archive(tmp_path: Path) -> None:
    (tmp_path / RUN).mkdir()
    store = FolderArtifacts(tmp_path, FakeClock(), SystemIds())
    data = bytearray(zipped(("a", b"text")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    info = store.adopt(received(tmp_path, "dist", bytes(data), archived=True))
    with pytest.raises(Corrupt, match=r"a is encrypted\.") as caught:
        next(store.read(info))
    assert "skip-decompress" in caught.value.hint


def test_folders_absolute_names_and_links_of_an_archive(tmp_path: Path) -> None:
    (tmp_path / RUN).mkdir()
    store = FolderArtifacts(tmp_path, FakeClock(), SystemIds())
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.mkdir("sub")
        archive.writestr("sub/deep/a", "text")
        archive.writestr("/etc/b", "text")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    info = store.adopt(received(tmp_path, "dist", data.getvalue(), archived=True))
    assert content(store, info) == {"sub/deep/a": "text", "/etc/b": "text", "link": "/etc/passwd"}
