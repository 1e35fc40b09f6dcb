"""A buildspec's cache, on this machine and in a bucket."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import write
from trunkline.adapters.actions.codebuild.cache import RestoreCache, SaveCache
from trunkline.adapters.buckets.memory import MemoryBuckets
from trunkline.adapters.caches.memory import MemoryCaches
from trunkline.adapters.clock import FakeClock
from trunkline.base.errors import Unavailable
from trunkline.ports.buckets import Buckets, Destination

GITHUB: dict[str, Any] = {"ref": "refs/heads/main", "repository": "octo/demo"}
LOOPBACK = "http://127.0.0.1:5555"
NOT_WRITTEN = "A rehearsal publishes nothing: s3://mine/team/"


class Machine(NamedTuple):
    """A machine with caches of its own; buckets are what machines have in common."""

    folder: Path
    buckets: Buckets
    caches: MemoryCaches
    changes: dict[str, Any]

    def build(self, name: str, files: dict[str, str], **inputs: str) -> LocalJob:
        """Restore, then save what `files` make of the workspace."""
        folder = self.folder / name
        (folder / "runs/1").mkdir(parents=True)
        job = LocalJob(folder / "state", os.environ)
        job.env |= {"CODEBUILD_CACHE_BUCKET": "mine/team/", "CODEBUILD_BUILD_ARN": "arn:x"}
        job.env |= self.changes.get("environment", {})
        changes = {"buckets": lambda: self.buckets, "caches": self.caches, "environment": {}}
        place = world(folder, folder, **(self.changes | changes))
        given = {"paths": "kept/**/*", **inputs}
        RestoreCache(place).main(job.call("x", GITHUB, **given), job)
        write(job.workspace, files)
        given |= {"key": job.outputs["key"], "hit": job.outputs.get("hit", "")}
        SaveCache(place).main(job.call("x", GITHUB, **given), job)
        return job


def machine(tmp_path: Path, buckets: Buckets, **changes: Any) -> Machine:
    number = len(list(tmp_path.iterdir()))
    folder = tmp_path / f"machine-{number}"
    folder.mkdir()
    return Machine(folder, buckets, MemoryCaches(FakeClock()), changes)


def names(buckets: MemoryBuckets) -> list[str]:
    """Return the keys of what is kept without the prefix and the version of the cache."""
    parts = [key.split("/", 2) for _, key in buckets.kept]
    assert all(prefix == "team" and len(version) == 64 for prefix, version, _ in parts)
    return [key for *_, key in parts]


@pytest.fixture
def buckets() -> MemoryBuckets:
    return MemoryBuckets(["mine"])


@pytest.mark.parametrize(
    ("publish", "endpoint", "kept"),
    [
        (False, "", False),
        (False, "https://s3.example.org", False),
        (False, LOOPBACK, True),
        (True, "", True),
    ],
)
def test_a_rehearsal_saves_to_no_bucket_but_one_of_this_machine(
    tmp_path: Path, buckets: MemoryBuckets, endpoint: str, *, publish: bool, kept: bool
):
    environment = {"AWS_ENDPOINT_URL": endpoint}
    here = machine(tmp_path, buckets, publish=publish, environment=environment)
    job = here.build("a", {"kept/a": "1"}, key="npm-1")
    assert names(buckets) == (["npm-1"] if kept else [])
    assert "Cache saved with key: npm-1" in job.lines
    assert job.lines[-1].startswith("Uploaded s3://mine/team/" if kept else NOT_WRITTEN)


def test_another_machine_gets_it_once_and_then_has_it(tmp_path: Path, buckets: MemoryBuckets):
    machine(tmp_path, buckets, publish=True).build("a", {"kept/a": "1"}, key="npm-1")
    assert [about for _, about in buckets.kept.values()] == [{"codebuild-buildarn": "arn:x"}]
    other = machine(tmp_path, buckets)
    job = other.build("a", {}, key="npm-1")
    assert (job.workspace / "kept/a").read_text() == "1"
    assert job.outputs["hit"] == "true"
    assert job.lines[0].startswith("Downloaded s3://mine/team/")
    buckets.kept.clear()
    again = other.build("b", {}, key="npm-1")
    assert (again.workspace / "kept/a").read_text() == "1"
    assert not [line for line in again.lines if line.startswith("Downloaded")]


def test_of_a_fallback_the_newest_counts(tmp_path: Path, buckets: MemoryBuckets):
    first = machine(tmp_path, buckets, publish=True)
    for key in ("npm-9", "npm-1", "pip-1"):
        first.build(key, {"kept/key": key}, key=key)
    job = machine(tmp_path, buckets).build("a", {}, key="npm-5", fallback_keys="gem-\nnpm-\npip-")
    assert (job.workspace / "kept/key").read_text() == "npm-1"
    assert job.outputs["hit"] == "false"
    assert "Cache restored from key: npm-1" in job.lines


def test_a_key_in_a_bucket_is_never_saved_again(tmp_path: Path, buckets: MemoryBuckets):
    machine(tmp_path, buckets, publish=True).build("a", {"kept/a": "1"}, key="k", action="save")
    before = dict(buckets.kept)
    other = machine(tmp_path, buckets, publish=True)
    job = other.build("a", {"kept/a": "2"}, key="k", action="save")
    assert job.lines[-1].endswith("/k is there already")
    assert buckets.kept == before


def test_what_a_rehearsal_kept_here_goes_out_later(tmp_path: Path, buckets: MemoryBuckets):
    here = machine(tmp_path, buckets)
    here.build("a", {"kept/a": "1"}, key="k")
    here._replace(changes={"publish": True}).build("b", {}, key="k")
    assert names(buckets) == ["k"]


def test_without_a_key_a_project_has_one_cache(tmp_path: Path, buckets: MemoryBuckets):
    for text in ("1", "2"):
        machine(tmp_path, buckets, publish=True).build("a", {"kept/a": text})
    assert names(buckets) == ["codebuild-octo/demo"]
    job = machine(tmp_path, buckets).build("a", {})
    assert (job.workspace / "kept/a").read_text() == "2"


def test_other_paths_are_another_cache(tmp_path: Path, buckets: MemoryBuckets):
    machine(tmp_path, buckets, publish=True).build("a", {"kept/a": "1"}, key="k")
    job = machine(tmp_path, buckets).build("a", {}, key="k", paths="other/*")
    assert "No cache for key: k" in job.lines


def test_what_is_no_archive_is_told_and_not_kept(tmp_path: Path, buckets: MemoryBuckets):
    machine(tmp_path, buckets, publish=True).build("a", {"kept/a": "1"}, key="k")
    (place,) = buckets.kept
    buckets.kept[place] = (b"no archive", {})
    other = machine(tmp_path, buckets)
    job = other.build("a", {}, key="k")
    assert any("is not restored: Tar failed with error" in line for line in job.lines)
    assert "No cache for key: k" in job.lines
    assert other.caches.entries("octo/demo") == ()


def test_a_bucket_that_refuses_fails_no_build(tmp_path: Path):
    job = machine(tmp_path, MemoryBuckets(()), publish=True).build("a", {"kept/a": "1"}, key="k")
    told = [line for line in job.lines if line.startswith("[warning]")]
    assert ["is not restored: NoSuchBucket" in told[0], "is not saved to" in told[1]] == [True] * 2
    assert "Cache saved with key: k" in job.lines


def test_without_the_cloud_s_package_no_build_fails(tmp_path: Path):
    class Missing(MemoryBuckets):
        def get(self, source: Destination) -> BinaryIO:
            raise Unavailable(f"boto3 is not installed: {source.bucket}")

    job = machine(tmp_path, Missing(())).build("a", {"kept/a": "1"}, key="k")
    assert any("is not restored: boto3 is not installed" in line for line in job.lines)


def test_offline_asks_nobody(tmp_path: Path, buckets: MemoryBuckets):
    machine(tmp_path, buckets, publish=True).build("a", {"kept/a": "1"}, key="k")
    job = machine(tmp_path, buckets, offline=True).build("a", {}, key="k")
    assert job.lines[0].startswith("Offline: s3://mine/team/")
    assert "No cache for key: k" in job.lines


def test_folders_that_jobs_share_go_nowhere(tmp_path: Path, buckets: MemoryBuckets):
    shared = machine(tmp_path, buckets, publish=True)
    job = shared.build("a", {}, key="k", paths=f"{tmp_path}/shared")
    assert "Cache saved with key: k" in job.lines
    assert not buckets.kept
