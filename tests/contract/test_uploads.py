"""What every keeper of uploads does: on disk, and the fake."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from pathlib import Path

import pytest

from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.adapters.uploads.files import FileUploads
from trunkline.adapters.uploads.memory import MemoryUploads
from trunkline.base.errors import NotFound, Unavailable
from trunkline.ports.image_store import BrokenOff
from trunkline.ports.uploads import (
    COMMITTED,
    UNCOMMITTED,
    Block,
    Finished,
    Superseded,
    TooLarge,
    UnknownBlock,
    Uploads,
)

LIMIT = 10_000_000


class Broken:
    """Content whose sender stops after some bytes."""

    def __init__(self, data: bytes) -> None:
        self._content = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        data = self._content.read(size)
        if not data:
            raise BrokenOff("gone")
        return data


class Halting:
    """Content that waits in the middle until it is told to go on."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)
        self.waits = threading.Event()
        self.go_on = threading.Event()

    def read(self, _size: int, /) -> bytes:
        if len(self._parts) == 1:
            self.waits.set()
            assert self.go_on.wait(60)
        return self._parts.pop(0) if self._parts else b""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=[FileUploads, MemoryUploads])
def uploads(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Uploads:
    made: Uploads = request.param(str(tmp_path / "uploads"), clock, SystemIds())
    return made


def files(folder: Path) -> list[str]:
    """Return what lies in a folder, which may not be there."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def put(uploads: Uploads, upload: str, block: str, data: bytes) -> None:
    uploads.put_block(upload, block, io.BytesIO(data), len(data))


def whole(uploads: Uploads, upload: str) -> bytes:
    """Return the content of a whole upload, which must be what is told of it."""
    found = uploads.find(upload)
    assert found is not None
    data = Path(found.path).read_bytes()
    assert found.size == len(data)
    assert found.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    return data


def commit(uploads: Uploads, upload: str, *blocks: str) -> bytes:
    uploads.commit(upload, [Block(block) for block in blocks], "text/plain")
    return whole(uploads, upload)


def test_blocks_are_joined_in_the_order_of_the_list(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    put(uploads, upload, "b", b"two")
    put(uploads, upload, "a", b"one")
    assert uploads.find(upload) is None
    assert commit(uploads, upload, "a", "b") == b"onetwo"


def test_blocks_that_came_in_order_are_whole_at_once(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    for name in "abc":
        put(uploads, upload, name, name.encode() * 5)
    assert commit(uploads, upload, "a", "b", "c") == b"aaaaabbbbbccccc"


def test_blocks_come_in_parallel(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    parts = {f"{number:03}": os.urandom(100_000 + number) for number in range(40)}
    names = list(parts)
    order = [*names[1::3], *names[::3], *names[2::3]]
    threads = [
        threading.Thread(target=put, args=(uploads, upload, name, parts[name])) for name in order
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert commit(uploads, upload, *parts) == b"".join(parts.values())


def test_a_block_that_comes_again_replaces_the_first(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    put(uploads, upload, "a", b"old")
    put(uploads, upload, "b", b"tail")
    put(uploads, upload, "a", b"new")
    assert commit(uploads, upload, "a", "b") == b"newtail"


def test_a_block_may_stand_twice_and_be_left_out(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    put(uploads, upload, "a", b"a")
    put(uploads, upload, "b", b"b")
    assert commit(uploads, upload, "b", "b", "b") == b"bbb"


def test_an_empty_list_makes_empty_content(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    assert commit(uploads, upload) == b""


def test_an_empty_block(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    put(uploads, upload, "a", b"")
    put(uploads, upload, "b", b"b")
    put(uploads, upload, "c", b"")
    assert commit(uploads, upload, "a", "b", "c", "a") == b"b"


def test_blocks_are_looked_for_where_the_list_says(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    put(uploads, upload, "a", b"first")
    assert commit(uploads, upload, "a") == b"first"
    put(uploads, upload, "a", b"second")
    put(uploads, upload, "b", b"third")
    blocks = [Block("a", COMMITTED), Block("a", UNCOMMITTED), Block("b"), Block("a")]
    uploads.commit(upload, blocks, "")
    assert whole(uploads, upload) == b"firstsecondthirdsecond"


@pytest.mark.parametrize(
    "block", [Block("none"), Block("a", COMMITTED), Block("none", UNCOMMITTED)]
)
def test_a_list_names_a_block_that_is_not_there(uploads: Uploads, block: Block) -> None:
    upload = uploads.start(LIMIT)
    put(uploads, upload, "a", b"a")
    with pytest.raises(UnknownBlock):
        uploads.commit(upload, [Block("a"), block], "")
    assert uploads.find(upload) is None
    assert commit(uploads, upload, "a") == b"a"


def test_blocks_that_a_list_left_out_are_forgotten(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    put(uploads, upload, "a", b"a")
    put(uploads, upload, "b", b"b")
    assert commit(uploads, upload, "a") == b"a"
    with pytest.raises(UnknownBlock):
        uploads.commit(upload, [Block("b")], "")
    assert whole(uploads, upload) == b"a"


def test_a_shorter_list_and_then_a_longer_one(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    for name in "abc":
        put(uploads, upload, name, name.encode() * 4)
    assert commit(uploads, upload, "a", "b", "c") == b"aaaabbbbcccc"
    assert commit(uploads, upload, "a") == b"aaaa"
    put(uploads, upload, "d", b"d" * 8)
    assert commit(uploads, upload, "a", "d") == b"aaaadddddddd"


def test_all_at_once(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    uploads.put(upload, io.BytesIO(b"all of it"), 9, "application/zip")
    assert whole(uploads, upload) == b"all of it"
    uploads.put(upload, io.BytesIO(b"another"), 7, "text/plain")
    assert whole(uploads, upload) == b"another"
    found = uploads.find(upload)
    assert found is not None
    assert found.content_type == "text/plain"


def test_content_of_unknown_length(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    uploads.put(upload, io.BytesIO(b"x" * 1_500_000), None, "")
    assert whole(uploads, upload) == b"x" * 1_500_000
    other = uploads.start(5)
    with pytest.raises(TooLarge):
        uploads.put_block(other, "a", io.BytesIO(b"123456"), None)
    put(uploads, other, "a", b"12345")
    assert commit(uploads, other, "a") == b"12345"


def test_content_of_unknown_length_counts_with_the_rest(uploads: Uploads) -> None:
    upload = uploads.start(10)
    uploads.put_block(upload, "a", io.BytesIO(b"123456"), None)
    for _ in range(2):  # what was refused does not count
        with pytest.raises(TooLarge):
            uploads.put_block(upload, "b", io.BytesIO(b"12345"), None)
        with pytest.raises(TooLarge):
            uploads.put(upload, io.BytesIO(b"12345"), None, "")
    uploads.put_block(upload, "b", io.BytesIO(b"7890"), None)
    assert commit(uploads, upload, "a", "b") == b"1234567890"


def test_content_of_unknown_length_begins_when_it_has_come(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    late = Halting(b"12345", b"67890")
    thread = threading.Thread(
        target=uploads.put_block, args=(upload, "late", late, None), daemon=True
    )
    thread.start()
    assert late.waits.wait(60)
    put(uploads, upload, "a", b"content")
    assert commit(uploads, upload, "a") == b"content"
    late.go_on.set()
    thread.join()
    assert commit(uploads, upload, "a", "late") == b"content1234567890"


def test_too_much_is_refused_before_it_is_read(uploads: Uploads) -> None:
    upload = uploads.start(10)
    content = io.BytesIO(b"x" * 11)
    with pytest.raises(TooLarge) as caught:
        uploads.put_block(upload, "a", content, 11)
    assert caught.value.limit == 10
    assert content.tell() == 0
    put(uploads, upload, "a", b"123456")
    with pytest.raises(TooLarge):
        put(uploads, upload, "b", b"12345")
    with pytest.raises(TooLarge):
        commit(uploads, upload, "a", "a")
    assert commit(uploads, upload, "a") == b"123456"


@pytest.mark.parametrize("length", [10, None])
def test_a_sender_that_stops_leaves_nothing(uploads: Uploads, length: int | None) -> None:
    upload = uploads.start(20)
    for _ in range(5):  # what came does not count against the limit
        with pytest.raises(BrokenOff):
            uploads.put_block(upload, "a", Broken(b"12345"), length)
        with pytest.raises(BrokenOff):
            uploads.put(upload, Broken(b"12345"), length, "")
    assert uploads.find(upload) is None
    with pytest.raises(UnknownBlock):
        uploads.commit(upload, [Block("a")], "")
    put(uploads, upload, "a", b"0123456789")
    assert commit(uploads, upload, "a") == b"0123456789"


def test_content_that_ends_early(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    with pytest.raises(BrokenOff):
        uploads.put_block(upload, "a", io.BytesIO(b"12"), 3)


def test_a_late_writer_does_not_change_what_is_whole(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    late = Halting(b"12345", b"67890")
    failed: list[BaseException] = []

    def write() -> None:
        try:
            uploads.put_block(upload, "late", late, 10)
        except Superseded as error:
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    assert late.waits.wait(60)
    put(uploads, upload, "a", b"content")
    assert commit(uploads, upload, "a") == b"content"
    taken = uploads.take(upload)
    late.go_on.set()
    thread.join()
    assert len(failed) == 1
    assert Path(taken.path).read_bytes() == b"content"


def test_who_takes_it_has_it(uploads: Uploads) -> None:
    upload = uploads.start(LIMIT)
    with pytest.raises(NotFound):
        uploads.take(upload)
    put(uploads, upload, "a", b"content")
    commit(uploads, upload, "a")
    taken = uploads.take(upload)
    assert isinstance(taken, Finished)
    for use in (uploads.take, uploads.find):
        with pytest.raises(NotFound):
            use(upload)
    with pytest.raises(NotFound):
        put(uploads, upload, "b", b"more")
    assert not uploads.discard(upload)
    assert Path(taken.path).read_bytes() == b"content"


def test_what_is_discarded_is_gone(uploads: Uploads, tmp_path: Path) -> None:
    upload = uploads.start(LIMIT)
    put(uploads, upload, "a", b"content")
    assert uploads.discard(upload)
    assert not uploads.discard(upload)
    assert files(tmp_path / "uploads") == []
    with pytest.raises(NotFound):
        put(uploads, upload, "b", b"more")
    whole_one = uploads.start(LIMIT)
    uploads.put(whole_one, io.BytesIO(b"content"), 7, "")
    assert uploads.discard(whole_one)
    assert files(tmp_path / "uploads") == []


def test_abandoned_uploads_are_swept(uploads: Uploads, clock: FakeClock) -> None:
    old = uploads.start(LIMIT)
    clock.advance(100)
    fresh = uploads.start(LIMIT)
    assert uploads.sweep(clock.now() - 10) == 1
    with pytest.raises(NotFound):
        uploads.find(old)
    assert uploads.find(fresh) is None


def test_what_a_dead_process_left_is_swept(clock: FakeClock, tmp_path: Path) -> None:
    uploads = FileUploads(str(tmp_path / "uploads"), clock, SystemIds())
    clock.advance(100)
    fresh = uploads.start(LIMIT)
    stray = tmp_path / "uploads" / "0123456789abcdef"
    stray.write_bytes(b"")
    os.utime(stray, (clock.now() - 50, clock.now() - 50))
    assert uploads.sweep(clock.now() - 10) == 1
    assert files(tmp_path / "uploads") == [fresh]


def test_a_file_of_the_disk_holds_no_half_of_an_upload(clock: FakeClock, tmp_path: Path) -> None:
    uploads = FileUploads(str(tmp_path / "uploads"), clock, SystemIds())
    upload = uploads.start(5)
    with pytest.raises(TooLarge):
        uploads.put_block(upload, "a", io.BytesIO(b"123456"), None)
    assert files(tmp_path / "uploads") == [upload]


def test_sweeping_before_there_is_anything(uploads: Uploads) -> None:
    assert uploads.sweep(0) == 0


@pytest.mark.parametrize("name", ["../secret", "", "a/b", "none"])
def test_other_names_lead_nowhere(uploads: Uploads, name: str) -> None:
    with pytest.raises(NotFound):
        uploads.find(name)
    with pytest.raises(NotFound):
        put(uploads, name, "a", b"")
    assert not uploads.discard(name)


def test_a_disk_that_refuses(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable):
        FileUploads(str(tmp_path / "file" / "uploads"), clock, SystemIds()).start(1)
