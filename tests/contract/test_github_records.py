"""What the documents behind GitHub's API do: those of a run on disk, and the fake's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.actions_services import job_of
from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.blobs.memory import MemoryBlobs
from trunkline.adapters.clock import FakeIds
from trunkline.adapters.github_data.local import LocalGitHubData
from trunkline.adapters.github_data.memory import MemoryGitHubData
from trunkline.adapters.github_data.memory_git import MemoryGit
from trunkline.ports.github_data import Records


@pytest.fixture(params=["local", "memory"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Records:
    if request.param == "memory":
        return MemoryGitHubData(FakeIds(), MemoryGit, MemoryBlobs).records(job_of())
    source = tmp_path / "source"
    source.mkdir()
    return LocalGitHubData(tmp_path / "runs", str(source), FakeIds(), FileBlobs).records(job_of())


def test_records(records: Records) -> None:
    first = records.add("releases", {"tag": "v1"})
    second = records.add("releases", {"tag": "v2", "files": [1, None]})
    assert second > first
    assert records.find("releases", first) == {"tag": "v1"}
    assert records.find("releases", 1) is None
    assert records.find("check-runs", first) is None
    records.replace("releases", first, {"tag": "v0"})
    assert records.every("releases") == (
        (first, {"tag": "v0"}),
        (second, {"tag": "v2", "files": [1, None]}),
    )
    assert records.remove("releases", first)
    assert not records.remove("releases", first)
    assert [number for number, _ in records.every("releases")] == [second]
    assert records.every("none") == ()


def test_records_are_copies(records: Records) -> None:
    document = {"a": [1]}
    number = records.add("releases", document)
    document["a"].append(2)
    document["b"] = []
    assert records.find("releases", number) == {"a": [1]}


@pytest.mark.parametrize("kind", ["", "../x", "A", "a/b", "a\0"])
def test_kinds_that_there_are_not(records: Records, kind: str) -> None:
    for use in (records.every, lambda kind: records.find(kind, 1)):
        with pytest.raises(ValueError, match="no kind of documents"):
            use(kind)
