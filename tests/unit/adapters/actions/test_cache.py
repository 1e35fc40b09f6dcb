"""actions/cache: what is kept, what is found, and what is told."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.jobs import LocalJob, world
from tests.repositories import write
from trunkline.adapters.actions.cache import Cache, CacheRestore, CacheSave
from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionFailed


def github(ref: str = "refs/heads/main", base: str = "") -> dict[str, Any]:
    return {
        "ref": ref,
        "base_ref": base,
        "event_name": "push",
        "event": {"repository": {"default_branch": "main"}},
    }


class Runs:
    """Runs of one repository, each with a job of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.world: World = world(root, root)
        self.count = 0

    def job(self) -> LocalJob:
        self.count += 1
        return LocalJob(self.root / "state", os.environ, key=f"job-{self.count}")

    def restore(self, job: LocalJob, where: dict[str, Any] | None = None, /, **inputs: str) -> str:
        """Restore; return the `cache-hit` output."""
        Cache(self.world).main(job.call("actions/cache@v4", where or github(), **inputs), job)
        return job.outputs.get("cache-hit", "")

    def save(self, job: LocalJob, where: dict[str, Any] | None = None, /, **inputs: str) -> None:
        Cache(self.world).post(job.call("actions/cache@v4", where or github(), **inputs), job)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_miss_save_hit(runs: Runs) -> None:
    inputs = {"path": "deps\n~/.store", "key": "k"}
    first = runs.job()
    assert runs.restore(first, **inputs) == ""
    assert "Cache not found for input keys: k" in first.lines
    write(first.workspace, {"deps/sub/é a": "1", "other": "2"})
    write(Path(first.layout.home), {".store/x": "3"})
    runs.save(first, **inputs)
    assert "Cache saved with key: k" in first.lines
    second = runs.job()
    assert runs.restore(second, **inputs) == "true"
    assert (second.workspace / "deps/sub/é a").read_text(encoding="utf-8") == "1"
    assert Path(second.layout.home, ".store/x").read_text(encoding="utf-8") == "3"
    assert not (second.workspace / "other").exists()
    assert second.outputs == {
        "cache-hit": "true",
        "cache-primary-key": "k",
        "cache-matched-key": "k",
    }
    runs.save(second, **inputs)
    assert second.lines[-1] == "Cache hit occurred on the primary key k, not saving cache."


def kept(runs: Runs, key: str, text: str, where: dict[str, Any] | None = None) -> None:
    job = runs.job()
    write(job.workspace, {"deps/x": text})
    runs.save(job, where, path="deps", key=key)
    assert f"Cache saved with key: {key}" in job.lines


def test_restore_keys(runs: Runs) -> None:
    kept(runs, "deps-1", "1")
    kept(runs, "deps-2", "2")
    job = runs.job()
    assert runs.restore(job, path="deps", key="deps-3", restore_keys="x-\ndeps-") == "false"
    assert (job.workspace / "deps/x").read_text(encoding="utf-8") == "2"
    assert job.outputs["cache-matched-key"] == "deps-2"


def test_branches_see_the_default_branch_and_not_each_other(runs: Runs) -> None:
    kept(runs, "k", "main")
    kept(runs, "t", "topic", github("refs/heads/topic"))
    pull = github("refs/pull/7/merge", base="topic")
    assert runs.restore(runs.job(), github("refs/heads/other"), path="deps", key="k") == "true"
    assert runs.restore(runs.job(), github("refs/heads/other"), path="deps", key="t") == ""
    assert runs.restore(runs.job(), pull, path="deps", key="t") == "true"
    assert runs.restore(runs.job(), path="deps", key="t") == ""


def test_looking_only(runs: Runs) -> None:
    kept(runs, "k", "1")
    job = runs.job()
    assert runs.restore(job, path="deps", key="k", lookup_only="true") == "true"
    assert not (job.workspace / "deps").exists()
    assert job.lines[-1] == "Cache found and can be restored from key: k"


def test_failing_on_a_miss(runs: Runs) -> None:
    with pytest.raises(ActionFailed, match=r"fail-on-cache-miss is set\. Input key: k"):
        runs.restore(runs.job(), path="deps", key="k", fail_on_cache_miss="true")


def test_other_paths_are_another_cache(runs: Runs) -> None:
    kept(runs, "k", "1")
    assert runs.restore(runs.job(), path="deps\nmore", key="k") == ""


def test_the_workspace_s_place_does_not_matter(runs: Runs) -> None:
    first, second = runs.job(), runs.job()
    write(first.workspace, {"deps/x": "1"})
    runs.save(first, path=f"{first.workspace}/deps", key="k")
    assert runs.restore(second, path=f"{second.workspace}/deps", key="k") == "true"
    assert (second.workspace / "deps/x").exists()


def test_patterns(runs: Runs) -> None:
    job = runs.job()
    write(job.workspace, {"a/cache/x": "", "b/cache/y": "", "b/keep/z": "", "c/cache/no": ""})
    inputs = {"path": "**/cache\n! c/**", "key": "k"}
    runs.save(job, **inputs)
    other = runs.job()
    runs.restore(other, **inputs)
    found = {str(p.relative_to(other.workspace)) for p in other.workspace.rglob("*") if p.is_file()}
    assert found == {"a/cache/x", "b/cache/y"}


def test_a_saved_cache_never_changes(runs: Runs) -> None:
    kept(runs, "k", "1")
    job = runs.job()
    write(job.workspace, {"deps/x": "2"})
    CacheSave(runs.world).main(job.call("x@v4", github(), path="deps", key="k"), job)
    assert job.annotations == [("warning", "Cache save failed.")]
    assert "Failed to save: Unable to reserve cache with key k" in job.lines[-1]


def test_nothing_to_save(runs: Runs) -> None:
    job = runs.job()
    runs.save(job, path="deps", key="k")
    assert job.lines[-1].startswith("[warning]Path Validation Error")


def test_a_virtual_environment_is_not_kept(runs: Runs) -> None:
    job = runs.job()
    write(job.workspace, {".venv/pyvenv.cfg": ""})
    runs.save(job, path=".venv", key="k")
    assert "is not saved: ./.venv/pyvenv.cfg names the folder it was made in" in job.lines[-1]
    assert runs.restore(runs.job(), path=".venv", key="k") == ""


def test_folders_that_all_jobs_share_are_left_where_they_are(runs: Runs, tmp_path: Path) -> None:
    write(tmp_path, {"shared/x": "1"})
    inputs = {"path": f"{tmp_path}/shared", "key": "k"}
    runs.save(runs.job(), **inputs)
    write(tmp_path, {"shared/x": "2"})
    assert runs.restore(runs.job(), **inputs) == "true"
    assert (tmp_path / "shared/x").read_text(encoding="utf-8") == "2"


def test_the_client_of_actions_finds_what_is_kept_and_nothing_that_is_empty(
    runs: Runs, tmp_path: Path
) -> None:
    first = runs.job()
    write(first.workspace, {"deps/x": "1"})
    write(tmp_path, {"shared/x": "1"})
    for key, path in (("own", "deps"), ("empty", f"{tmp_path}/shared")):
        runs.restore(first, path=path, key=key)
        runs.save(first, path=path, key=key)
    versions = [
        hashlib.sha256(f"{path}|zstd-without-long|1.0".encode()).hexdigest()
        for path in ("deps", f"{tmp_path}/shared")
    ]
    found = [
        runs.world.caches.find(("@refs/heads/main",), key, (), version)
        for key, version in zip(("own", "empty"), versions, strict=True)
    ]
    assert [entry is not None for entry in found] == [shutil.which("zstd") is not None, False]


@pytest.mark.parametrize(
    ("mode", "hit", "is_kept"),
    [("write", True, True), ("read", True, False), ("write-only", False, True)],
)
def test_what_the_cache_mode_permits(runs: Runs, mode: str, *, hit: bool, is_kept: bool) -> None:
    def call(job: LocalJob, key: str) -> ActionCall:
        made = job.call("actions/cache@v4", github(), path="deps", key=key)
        return msgspec.structs.replace(made, cache_mode=mode)

    first, reader, writer = runs.job(), runs.job(), runs.job()
    write(first.workspace, {"deps/x": "1"})
    runs.save(first, path="deps", key="known")
    Cache(runs.world).main(call(reader, "known"), reader)
    write(writer.workspace, {"deps/x": "2"})
    Cache(runs.world).post(call(writer, "new"), writer)
    assert (reader.outputs.get("cache-hit") == "true") is hit
    assert (runs.restore(runs.job(), path="deps", key="new") == "true") is is_kept
    skipped = [line for line in (*reader.lines, *writer.lines) if " skipped: " in line]
    assert skipped == [
        f"Cache {what} skipped: the effective cache-mode '{mode}' does not permit {acts}."
        for what, acts, may in (("restore", "reads", hit), ("save", "writes", is_kept))
        if not may
    ]


def test_restore_and_save_apart(runs: Runs) -> None:
    job = runs.job()
    write(job.workspace, {"deps/x": "1"})
    call = job.call("x@v4", github(), path="deps", key="k")
    CacheSave(runs.world).main(call, job)
    other = runs.job()
    CacheRestore(runs.world).main(other.call("x@v4", github(), path="deps", key="k"), other)
    assert other.outputs["cache-hit"] == "true"
    assert (other.workspace / "deps/x").exists()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"key": "a,b"}, "Key Validation Error: a,b cannot contain commas."),
        ({"key": "a" * 513}, "cannot be larger than 512 characters."),
        ({"key": "k", "restore_keys": "a\n" * 10}, "Keys are limited to a maximum of 10."),
        ({"key": ""}, "Input required and not supplied: key"),
        ({"key": "k", "path": ""}, "Input required and not supplied: path"),
    ],
)
def test_mistakes(runs: Runs, inputs: dict[str, str], message: str) -> None:
    with pytest.raises(ActionFailed) as caught:
        runs.restore(runs.job(), **{"path": "deps", **inputs})
    assert message in str(caught.value)


def test_an_event_without_a_ref(runs: Runs) -> None:
    with pytest.raises(ActionFailed, match="it's not tied to a branch or tag ref"):
        runs.restore(runs.job(), github(ref=""), path="deps", key="k")
