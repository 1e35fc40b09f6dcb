"""Caches as jobs see them: who finds what, who may make what, and what is refused."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trunkline.adapters.caches.folder import FolderCaches
from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.adapters.uploads.files import FileUploads
from trunkline.base.errors import NotFound, UsageError
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.caches import JobCaches, ReadDenied, WriteDenied
from trunkline.services.actions.kept_caches import KeptCaches, record
from trunkline.services.actions.refusals import Refused

MAIN, TOPIC, PULL = "refs/heads/main", "refs/heads/topic", "refs/pull/7/merge"
VERSION = "v" * 64
HOUR = 60 * 60


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> FolderCaches:
    return FolderCaches(tmp_path / "caches", clock, SystemIds())


@pytest.fixture
def uploads(tmp_path: Path, clock: FakeClock) -> FileUploads:
    return FileUploads(str(tmp_path / "uploads"), clock, SystemIds())


@pytest.fixture
def caches(store: FolderCaches, uploads: FileUploads, clock: FakeClock) -> JobCaches:
    return JobCaches(store, uploads, clock, SystemIds(), largest=1000)


def job(*scopes: str, number: int = 1, **changes: Any) -> ServicesJob:
    made = ServicesJob(
        run_id="77",
        key="build",
        number=number,
        repository="Octo/Demo",
        github={},
        permissions={},
        scopes=scopes or (MAIN,),
        deadline=FakeClock().now() + 6 * HOUR,
    )
    return msgspec.structs.replace(made, **changes)


class Uploader:
    """Saves caches as clients do: reserve, upload, finish."""

    def __init__(self, caches: JobCaches, uploads: FileUploads) -> None:
        self._caches = caches
        self._uploads = uploads

    def save(self, key: str, text: str = "", made_by: ServicesJob | None = None) -> str:
        by = made_by or job()
        content = (text or key).encode()
        reserved = self._caches.reserve(by, key, VERSION)
        self._uploads.put(reserved.upload, io.BytesIO(content), len(content), "")
        return self._caches.finish(by, key, VERSION, len(content)).id

    def chunk(self, reserved: str, first: int, content: bytes, last: int | None = None) -> None:
        end = first + len(content) - 1 if last is None else last
        self._caches.put_chunk(job(), reserved, io.BytesIO(content), first, end)


@pytest.fixture
def uploader(caches: JobCaches, uploads: FileUploads) -> Uploader:
    return Uploader(caches, uploads)


def read(caches: JobCaches, number: str, by: ServicesJob | None = None) -> str:
    _, file = caches.open(by or job(), number)
    with file:
        return file.read().decode()


def found(caches: JobCaches, by: ServicesJob, key: str, *restore: str) -> str:
    entry = caches.find(by, key, restore, VERSION)
    return entry.key if entry else ""


def refusal(code: str) -> Any:
    return pytest.raises(Refused, check=lambda error: error.code == code)


class TestFinding:
    """Which cache a job finds."""

    def test_what_was_saved(self, caches: JobCaches, uploader: Uploader) -> None:
        number = uploader.save("k1", "content")
        entry = caches.find(job(), "k1", (), VERSION)
        assert entry is not None
        assert (entry.id, entry.key, entry.size) == (number, "k1", 7)
        assert entry.scope == f"octo/demo@{MAIN}"
        assert read(caches, number) == "content"

    def test_another_version_is_another_cache(self, caches: JobCaches, uploader: Uploader) -> None:
        uploader.save("k1")
        assert caches.find(job(), "k1", (), "other") is None

    def test_prefixes_newest_first(self, caches: JobCaches, uploader: Uploader) -> None:
        for key in ("deps-1", "deps-2", "other"):
            uploader.save(key)
        assert found(caches, job(), "deps-3", "none-", "deps-") == "deps-2"
        assert found(caches, job(), "deps-") == "deps-2"
        assert found(caches, job(), "deps-1", "deps-") == "deps-1"
        assert found(caches, job(), "x", "y") == ""

    def test_own_ref_then_base_then_default(self, caches: JobCaches, uploader: Uploader) -> None:
        uploader.save("k", made_by=job(MAIN))
        pull = job(PULL, TOPIC, MAIN)
        assert read(caches, caches_id(caches, pull, "k"), pull) == "k"
        uploader.save("k", "of topic", made_by=job(TOPIC, MAIN))
        assert read(caches, caches_id(caches, pull, "k"), pull) == "of topic"
        uploader.save("k", "of pull", made_by=pull)
        assert read(caches, caches_id(caches, pull, "k"), pull) == "of pull"
        assert read(caches, caches_id(caches, job(MAIN), "k")) == "k"

    def test_what_a_change_made_is_not_found_by_branches(
        self, caches: JobCaches, uploader: Uploader
    ) -> None:
        number = uploader.save("k", made_by=job(PULL, MAIN))
        assert found(caches, job(MAIN), "k") == ""
        with pytest.raises(NotFound):
            caches.open(job(MAIN), number)

    def test_other_repositories_find_nothing(self, caches: JobCaches, uploader: Uploader) -> None:
        number = uploader.save("k")
        other = job(repository="octo/demo2")
        assert found(caches, other, "k") == ""
        with pytest.raises(NotFound):
            caches.open(other, number)
        assert found(caches, job(repository="octo/demo"), "k") == "k"

    def test_a_cache_that_was_removed_meanwhile(
        self, caches: JobCaches, uploader: Uploader, tmp_path: Path
    ) -> None:
        number = uploader.save("k")
        (tmp_path / "caches" / f"{number}.data").unlink()
        with pytest.raises(NotFound):
            caches.open(job(), number)

    def test_others_of_a_like_key(self, caches: JobCaches, uploader: Uploader) -> None:
        uploader.save("k-1")
        uploader.save("k-2", made_by=job(TOPIC))
        assert [entry.key for entry in caches.alike(job(), "k-")] == ["k-1"]

    def test_a_job_without_a_ref(self, caches: JobCaches) -> None:
        with pytest.raises(Refused, match="cache read denied:"):
            caches.find(job(scopes=()), "k", (), VERSION)

    @pytest.mark.parametrize(
        ("keys", "version"),
        [
            (["", "a"], VERSION),
            (["k" * 513], VERSION),
            (["a", "b,c"], VERSION),
            (["k"] * 12, VERSION),
            (["k"], ""),
            (["k"], "v" * 513),
        ],
    )
    def test_names_that_no_cache_has(
        self, caches: JobCaches, keys: list[str], version: str
    ) -> None:
        with refusal("invalid_argument"):
            caches.find(job(), keys[0], keys[1:], version)

    def test_names_are_only_names(self, caches: JobCaches, uploader: Uploader) -> None:
        names = ["../../etc/passwd", "a/b", "nul\0", "a b", "é" * 512, "."]
        for name in names:
            number = uploader.save(name, "content")
            assert read(caches, number) == "content"
        assert [found(caches, job(), name) for name in names] == names


def caches_id(caches: JobCaches, by: ServicesJob, key: str) -> str:
    entry = caches.find(by, key, (), VERSION)
    assert entry is not None
    return entry.id


class TestMaking:
    """Who makes a cache, and who does not."""

    def test_a_cache_never_changes(self, caches: JobCaches, uploader: Uploader) -> None:
        number = uploader.save("k")
        with refusal("already_exists"):
            caches.reserve(job(), "k", VERSION)
        assert read(caches, number) == "k"

    def test_a_longer_key_is_another(self, caches: JobCaches, uploader: Uploader) -> None:
        uploader.save("k-1")
        uploader.save("k")
        assert found(caches, job(), "k") == "k"

    @pytest.mark.parametrize("mode", ["read", "none"])
    def test_jobs_that_may_not_write_make_none(self, caches: JobCaches, mode: str) -> None:
        with pytest.raises(WriteDenied, match=r"^cache write denied:"):
            caches.reserve(job(cache_mode=mode), "k", VERSION)

    @pytest.mark.parametrize("mode", ["write-only", "none"])
    def test_jobs_that_may_not_read_find_none(
        self, caches: JobCaches, uploader: Uploader, mode: str
    ) -> None:
        uploader.save("k")
        number = caches_id(caches, job(), "k")
        blind = job(number=2, cache_mode=mode)
        for ask in (
            lambda: caches.find(blind, "k", (), VERSION),
            lambda: caches.alike(blind, "k"),
            lambda: caches.open(blind, number),
        ):
            with pytest.raises(ReadDenied, match=rf"^cache read denied: .*'{mode}'"):
                ask()

    def test_one_of_many_makes_it(self, caches: JobCaches) -> None:
        def reserve(number: int) -> str:
            try:
                return caches.reserve(job(number=number), "k", VERSION).id
            except Refused as refused:
                return refused.code

        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(reserve, range(8)))
        assert codes.count("already_exists") == 7

    def test_it_is_not_seen_before_it_is_finished(
        self, caches: JobCaches, uploads: FileUploads
    ) -> None:
        reserved = caches.reserve(job(), "k", VERSION)
        uploads.put(reserved.upload, io.BytesIO(b"abc"), 3, "")
        assert found(caches, job(), "k") == ""
        caches.finish(job(), "k", VERSION, 3)
        assert found(caches, job(), "k") == "k"

    def test_finishing_what_was_not_uploaded(self, caches: JobCaches) -> None:
        caches.reserve(job(), "k", VERSION)
        with refusal("failed_precondition"):
            caches.finish(job(), "k", VERSION, 0)

    def test_finishing_what_was_not_reserved(self, caches: JobCaches) -> None:
        with refusal("not_found"):
            caches.finish(job(), "k", VERSION, 0)

    def test_finishing_with_another_size(self, caches: JobCaches, uploads: FileUploads) -> None:
        reserved = caches.reserve(job(), "k", VERSION)
        uploads.put(reserved.upload, io.BytesIO(b"abc"), 3, "")
        with pytest.raises(Refused, match="4 bytes were announced, 3 were uploaded"):
            caches.finish(job(), "k", VERSION, 4)
        assert found(caches, job(), "k") == ""
        caches.finish(job(), "k", VERSION, 3)

    def test_another_job_does_not_finish_it(self, caches: JobCaches, uploads: FileUploads) -> None:
        reserved = caches.reserve(job(), "k", VERSION)
        uploads.put(reserved.upload, io.BytesIO(b"abc"), 3, "")
        other = job(number=2)
        with refusal("not_found"):
            caches.finish(other, "k", VERSION, 3)
        with refusal("not_found"):
            caches.finish_chunks(other, reserved.id, 3)
        with refusal("not_found"):
            caches.put_chunk(other, reserved.id, io.BytesIO(b"x"), 0, 0)

    def test_what_the_job_did_not_finish_is_forgotten_with_it(
        self, caches: JobCaches, tmp_path: Path
    ) -> None:
        caches.reserve(job(), "k", VERSION)
        caches.end(job())
        assert list((tmp_path / "uploads").iterdir()) == []
        caches.reserve(job(number=2), "k", VERSION)

    def test_what_nobody_finishes_is_forgotten_after_a_time(
        self, caches: JobCaches, clock: FakeClock
    ) -> None:
        first = caches.reserve(job(), "k", VERSION)
        clock.advance(2 * HOUR - 1)
        with refusal("already_exists"):
            caches.reserve(job(number=2), "k", VERSION)
        clock.advance(1)
        caches.reserve(job(number=2), "k", VERSION)
        with refusal("not_found"):
            caches.finish_chunks(job(), first.id, 0)

    def test_an_upload_that_was_given_up(self, caches: JobCaches, uploads: FileUploads) -> None:
        reserved = caches.reserve(job(), "k", VERSION)
        uploads.discard(reserved.upload)
        with refusal("not_found"):
            caches.finish(job(), "k", VERSION, 0)

    def test_somebody_else_was_faster(
        self, caches: JobCaches, uploads: FileUploads, store: FolderCaches
    ) -> None:
        reserved = caches.reserve(job(), "k", VERSION)
        store.save(f"octo/demo@{MAIN}", "k", VERSION, io.BytesIO(b"native"))
        uploads.put(reserved.upload, io.BytesIO(b"abc"), 3, "")
        with refusal("already_exists"):
            caches.finish(job(), "k", VERSION, 3)
        assert read(caches, caches_id(caches, job(), "k")) == "native"

    def test_too_large(self, caches: JobCaches) -> None:
        with pytest.raises(Refused, match=r"\(1001 B\) is over the"):
            caches.reserve(job(), "k", VERSION, 1001)
        with refusal("invalid_argument"):
            caches.reserve(job(), "k", VERSION, -1)
        caches.reserve(job(), "k", VERSION, 1000)


class TestChunks:
    """Version 1 of the service: parts in any order."""

    def test_in_any_order(self, caches: JobCaches, uploader: Uploader, tmp_path: Path) -> None:
        reserved = caches.reserve(job(), "k", VERSION, 9).id
        for first, content in ((6, b"ghi"), (0, b"abc"), (3, b"xxx"), (3, b"def")):
            uploader.chunk(reserved, first, content)
        entry = caches.finish_chunks(job(), reserved, 9)
        assert read(caches, entry.id) == "abcdefghi"
        assert list((tmp_path / "uploads").iterdir()) == []

    def test_too_many_again_and_again(self, caches: JobCaches, uploader: Uploader) -> None:
        reserved = caches.reserve(job(), "k", VERSION, 600).id
        uploader.chunk(reserved, 0, b"x" * 600)
        with refusal("resource_exhausted"):
            uploader.chunk(reserved, 0, b"x" * 600)

    def test_an_empty_cache(self, caches: JobCaches) -> None:
        reserved = caches.reserve(job(), "k", VERSION, 0).id
        assert read(caches, caches.finish_chunks(job(), reserved, 0).id) == ""

    @pytest.mark.parametrize(
        ("chunks", "size", "told"),
        [
            ([(0, b"abc")], 4, "4 bytes were announced, 3 were uploaded"),
            ([(0, b"abc")], 2, "2 bytes were announced, 3 were uploaded"),
            ([(0, b"abc"), (4, b"e")], 5, "from 3 on"),
            ([(0, b"abc"), (2, b"c")], 3, "from 3 on"),
            ([(1, b"b")], 2, "from 0 on"),
            ([], 1, "0 were uploaded"),
        ],
    )
    def test_chunks_that_are_not_the_whole(
        self,
        caches: JobCaches,
        uploader: Uploader,
        chunks: list[tuple[int, bytes]],
        size: int,
        told: str,
    ) -> None:
        reserved = caches.reserve(job(), "k", VERSION).id
        for first, content in chunks:
            uploader.chunk(reserved, first, content)
        with pytest.raises(Refused, match=told):
            caches.finish_chunks(job(), reserved, size)
        assert found(caches, job(), "k") == ""

    @pytest.mark.parametrize(("first", "last"), [(0, 10), (9, 10), (5, 4), (10, 10), (-1, 3)])
    def test_chunks_beyond_the_size(self, caches: JobCaches, first: int, last: int) -> None:
        reserved = caches.reserve(job(), "k", VERSION, 10).id
        with refusal("invalid_argument"):
            caches.put_chunk(job(), reserved, io.BytesIO(b"x" * 11), first, last)

    def test_a_chunk_longer_than_it_says(self, caches: JobCaches, uploader: Uploader) -> None:
        reserved = caches.reserve(job(), "k", VERSION, 10).id
        with refusal("invalid_argument"):
            uploader.chunk(reserved, 0, b"abcd", last=2)

    def test_a_chunk_that_stops_can_come_again(self, caches: JobCaches, uploader: Uploader) -> None:
        reserved = caches.reserve(job(), "k", VERSION, 3).id
        with refusal("invalid_argument"):
            uploader.chunk(reserved, 0, b"ab", last=2)
        with refusal("invalid_argument"):
            caches.finish_chunks(job(), reserved, 3)
        uploader.chunk(reserved, 0, b"abc")
        assert read(caches, caches.finish_chunks(job(), reserved, 3).id) == "abc"

    def test_chunks_keep_a_reservation(
        self, caches: JobCaches, uploader: Uploader, clock: FakeClock
    ) -> None:
        reserved = caches.reserve(job(), "k", VERSION, 3).id
        clock.advance(HOUR)
        uploader.chunk(reserved, 0, b"abc")
        clock.advance(HOUR)
        with refusal("already_exists"):
            caches.reserve(job(number=2), "k", VERSION)
        caches.finish_chunks(job(), reserved, 3)


class TestKept:
    """What GitHub's REST API tells of caches."""

    @pytest.fixture
    def kept(self, store: FolderCaches, uploader: Uploader, clock: FakeClock) -> KeptCaches:
        for key, text, scope in (("a-1", "12345", MAIN), ("a-2", "1", TOPIC), ("b", "123", MAIN)):
            uploader.save(key, text, job(scope))
            clock.advance(10)
        return KeptCaches(store)

    def keys(self, kept: KeptCaches, **asked: Any) -> list[str]:
        return [entry.key for entry in kept.find("OCTO/demo", **asked)]

    def test_listing(self, kept: KeptCaches, caches: JobCaches) -> None:
        assert self.keys(kept) == ["b", "a-2", "a-1"]
        assert self.keys(kept, key="a-") == ["a-2", "a-1"]
        assert self.keys(kept, ref=MAIN) == ["b", "a-1"]
        assert self.keys(kept, sort="size_in_bytes") == ["a-1", "b", "a-2"]
        assert self.keys(kept, sort="created_at", ascending=True) == ["a-1", "a-2", "b"]
        read(caches, caches_id(caches, job(), "a-1"))
        assert self.keys(kept) == ["a-1", "b", "a-2"]
        assert kept.find("octo/other") == ()
        with pytest.raises(UsageError, match="not by 'name'"):
            kept.find("octo/demo", sort="name")

    def test_usage(self, kept: KeptCaches) -> None:
        usage = kept.usage("octo/demo")
        assert (usage.caches, usage.size) == (3, 9)

    def test_removing(self, kept: KeptCaches, caches: JobCaches) -> None:
        number = caches_id(caches, job(), "a-1")
        assert not kept.remove("octo/other", number)
        assert kept.remove("octo/demo", number)
        assert not kept.remove("octo/demo", number)
        assert found(caches, job(), "a-1") == ""

    def test_removing_a_key(self, kept: KeptCaches) -> None:
        assert kept.remove_key("octo/demo", "a-") == ()
        assert kept.remove_key("octo/demo", "a-2", MAIN) == ()
        assert [entry.key for entry in kept.remove_key("octo/demo", "a-2", TOPIC)] == ["a-2"]
        assert self.keys(kept) == ["b", "a-1"]

    def test_the_record(self, kept: KeptCaches) -> None:
        entry = kept.find("octo/demo", key="a-1")[0]
        assert record(entry) == {
            "id": int(entry.id),
            "ref": MAIN,
            "key": "a-1",
            "version": VERSION,
            "last_accessed_at": "2023-11-14T22:13:20.000000Z",
            "created_at": "2023-11-14T22:13:20.000000Z",
            "size_in_bytes": 5,
        }
