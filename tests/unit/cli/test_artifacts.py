"""`trunkline artifacts` and `trunkline caches`: what is here, having it, and how it goes."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from tests.unit.cli.story import started
from trunkline.adapters.artifacts.folder import FolderArtifacts
from trunkline.adapters.caches.folder import FolderCaches
from trunkline.adapters.clock import SystemClock, SystemIds
from trunkline.adapters.journals.files import FileJournals
from trunkline.cli.main import main
from trunkline.ports.artifacts import ArtifactInfo, NewArtifact

MAIN = "octo/cat@refs/heads/main"
DAY = 24 * 60 * 60


class TextFile:
    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.size = len(text)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.text.encode())


class Machine:
    """What this machine keeps, filled by hand."""

    def __init__(self, state: Path) -> None:
        clock = SystemClock()
        self.journals = FileJournals(str(state), clock, str(state / "work"))
        self.artifacts = FolderArtifacts(state / "runs", clock, SystemIds())
        self.caches = FolderCaches(state / "caches", clock, SystemIds())

    def run(self, run_id: str) -> None:
        begun = msgspec.structs.replace(started("build"), run_id=run_id)
        self.journals.create(run_id).append([begun], 0)

    def keep(self, run_id: str, name: str, days: int = 0, **files: str) -> ArtifactInfo:
        """Keep an artifact: an archive, or with one file `plain` a file that is none."""
        new = NewArtifact(
            run_id=run_id, name=name, retention_days=days, archived="plain" not in files
        )
        return self.artifacts.create(
            new, [TextFile(path.replace("__", "/"), text) for path, text in files.items()]
        )

    def cache(self, key: str, size: int, scope: str = MAIN) -> None:
        assert self.caches.save(scope, key, "v", io.BytesIO(b"x" * size)) is not None


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("TRUNKLINE_STATE", str(tmp_path / "state"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Machine(tmp_path / "state")


def shown(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    """Return what a command prints; how long ago things were is `then`."""
    assert main(argv) == 0, capsys.readouterr().err
    return re.sub(r"\b(now|\d+[sm] ago)\b", "then", capsys.readouterr().out).splitlines()


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    assert main(argv) == 2
    return capsys.readouterr().err.splitlines()


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("verb", ["artifacts", "caches"])
def test_where_nothing_is_it_says_how_to_get_some(verb: str, capsys: pytest.CaptureFixture[str]):
    assert shown(capsys, verb)[0].startswith(f"There are no {verb} yet. What jobs of `")
    assert shown(capsys, verb, "--json") == []


def test_artifacts_are_listed_with_their_run(machine: Machine, capsys: pytest.CaptureFixture[str]):
    for run_id in ("101", "102"):
        machine.run(run_id)
    old = machine.keep("101", "app", a="one", b__c="two")
    new = machine.keep("102", "app", days=3, a="three")
    listed = shown(capsys, "artifacts")
    assert listed == [
        "102  CI #7, refs/heads/main",
        f"  app  {new.size} B, 1 file  then, goes in 3d",
        f"      {new.digest}",
        f"      {new.path}",
        "101  CI #7, refs/heads/main",
        f"  app  {old.size} B, 2 files  then",
        f"      {old.digest}",
        f"      {old.path}",
        "",
        f"2 artifacts: {old.size + new.size} B",
        listed[-1],
    ]
    assert listed[-1].endswith(" artifacts download app --run 102`")
    assert shown(capsys, "artifacts", "--run", "101")[0] == listed[4]
    assert shown(capsys, "artifacts", "app") == listed
    record = json.loads(shown(capsys, "artifacts", "--run", "latest", "--json")[0])
    told = msgspec.to_builtins(new)
    assert record == {**told, "workflow": "CI", "number": 7, "ref": "refs/heads/main"}


def test_a_run_without_artifacts_says_so(machine: Machine, capsys: pytest.CaptureFixture[str]):
    machine.run("101")
    machine.run("102")
    machine.keep("101", "app", a="one")
    assert shown(capsys, "artifacts", "--run", "102")[0].startswith("This run kept no artifacts;")


def test_artifacts_of_a_run_whose_journal_is_broken_are_there(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    machine.run("101")
    machine.keep("101", "app", a="one")
    (tmp_path / "state/runs/101/events.jsonl").write_text("broken\n{}\n")
    assert shown(capsys, "artifacts")[0].startswith("101 ")


def test_an_artifact_is_downloaded(machine: Machine, capsys: pytest.CaptureFixture[str]):
    machine.run("101")
    machine.keep("101", "app", a="one", b__c="two")
    assert shown(capsys, "artifacts", "download", "app") == ["app of run 101: 2 files in app"]
    assert Path("app/b/c").read_text() == "two"
    assert refused(capsys, "artifacts", "download", "app")[0] == "trunkline: app is there already."
    Path("empty").mkdir()
    shown(capsys, "artifacts", "download", "app", "--dir", "empty")
    shown(capsys, "artifacts", "download", "app", "--dir", "deep/new")
    assert [Path(each, "a").read_text() for each in ("empty", "deep/new")] == ["one", "one"]
    assert sorted(each.name for each in Path().iterdir()) == ["app", "deep", "empty"]


def test_an_artifact_that_is_one_file_is_downloaded_as_it_is(
    machine: Machine, capsys: pytest.CaptureFixture[str]
):
    machine.run("101")
    machine.keep("101", "report.html", plain="<p>")
    assert shown(capsys, "artifacts", "download", "report.html")[0].endswith(" in report.html")
    shown(capsys, "artifacts", "download", "report.html", "--dir", "out")
    texts = [path.read_text() for path in (Path("report.html"), Path("out/report.html"))]
    assert texts == ["<p>", "<p>"]
    assert refused(capsys, "artifacts", "download", "report.html", "--dir", "out")
    assert sorted(each.name for each in Path("out").iterdir()) == ["report.html"]


def test_of_a_damaged_artifact_nothing_is_left(
    machine: Machine, capsys: pytest.CaptureFixture[str]
):
    machine.run("101")
    kept = Path(machine.keep("101", "app", a="one" * 100, b="two").path)
    kept.write_bytes(kept.read_bytes()[:40])
    assert main(["artifacts", "download", "app"]) == 3
    assert "can't be read" in capsys.readouterr().err
    assert list(Path().iterdir()) == []


def test_where_nothing_can_be_written_it_is_told(
    machine: Machine, capsys: pytest.CaptureFixture[str]
):
    machine.run("101")
    machine.keep("101", "app", a="one")
    Path("file").write_text("")
    assert main(["artifacts", "download", "app", "--dir", "file/app"]) == 3
    assert "file/app can't be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["app"], "2 runs have an artifact 'app': 102, 101."),
        (["ap"], "No run has an artifact 'ap'."),
        (["other", "--run", "101"], "Run 101 has no artifact 'other'."),
        (["app", "--run", "9"], "There is no run '9'."),
    ],
)
@pytest.mark.parametrize("verb", ["download", "rm"])
def test_names_that_fit_no_artifact_or_several(
    machine: Machine, verb: str, argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    for run_id in ("101", "102"):
        machine.run(run_id)
        machine.keep(run_id, "app", a="one")
    lines = refused(capsys, "artifacts", verb, *argv)
    assert lines[0] == f"trunkline: {said}"
    assert len(lines) == 2, "no hint"
    assert len(machine.artifacts.find("101") + machine.artifacts.find("102")) == 2


def test_artifacts_are_deleted(machine: Machine, capsys: pytest.CaptureFixture[str]):
    machine.run("101")
    for name in ("app", "report", "log"):
        machine.keep("101", name, a="one")
    assert refused(capsys, "artifacts", "rm", "app", "nothing")
    assert len(machine.artifacts.find("101")) == 3
    gone = shown(capsys, "artifacts", "rm", "app", "report", "app")
    assert gone == ["deleted app of run 101", "deleted report of run 101"]
    assert [each.name for each in machine.artifacts.find("101")] == ["log"]


@pytest.fixture
def cached(machine: Machine) -> Machine:
    machine.cache("deps-1", 1500)
    machine.cache("deps-2", 100)
    machine.cache("deps-2", 100, "octo/cat@refs/heads/topic")
    machine.cache("other", 100, "octo/dog@refs/tags/v1")
    return machine


@pytest.mark.usefixtures("cached")
def test_caches_are_listed_with_what_they_are_for(capsys: pytest.CaptureFixture[str]):
    assert shown(capsys, "caches") == [
        "octo/cat  refs/heads/main",
        "  deps-2  100 B  made then, used then",
        "  deps-1  1.5 kB  made then, used then",
        "octo/cat  refs/heads/topic",
        "  deps-2  100 B  made then, used then",
        "octo/dog  refs/tags/v1",
        "  other  100 B  made then, used then",
        "",
        "4 caches, 1.8 kB. What was not used for 7 days goes, and the longest unused beyond 10 GB.",
    ]


@pytest.mark.usefixtures("cached")
@pytest.mark.parametrize(
    ("argv", "keys"),
    [
        (["deps-"], ["deps-2", "deps-2", "deps-1"]),
        (["--ref", "topic"], ["deps-2"]),
        (["--ref", "refs/heads/main"], ["deps-2", "deps-1"]),
        (["--ref", "v1"], ["other"]),
        (["--repository", "Octo/Dog"], ["other"]),
        (["eps"], []),
    ],
)
def test_caches_are_found(argv: list[str], keys: list[str], capsys: pytest.CaptureFixture[str]):
    records = [json.loads(line) for line in shown(capsys, "caches", *argv, "--json")]
    assert [each["key"] for each in records] == keys
    assert all({"id", "scope", "size", "created", "used", "version"} <= {*each} for each in records)


@pytest.mark.usefixtures("cached")
def test_where_no_cache_fits_it_is_told(capsys: pytest.CaptureFixture[str]):
    assert shown(capsys, "caches", "eps")[0].startswith("No cache fits; `")


@pytest.mark.parametrize(
    ("argv", "left"),
    [
        (["deps-2"], ["other", "deps-1"]),
        (["deps-2", "--ref", "topic"], ["other", "deps-2", "deps-1"]),
        (["--all", "--repository", "octo/cat"], ["other"]),
        (["--all"], []),
    ],
)
def test_caches_are_deleted(
    cached: Machine, argv: list[str], left: list[str], capsys: pytest.CaptureFixture[str]
):
    lines = shown(capsys, "caches", "rm", *argv)
    assert len(lines) == 4 - len(left) + 1
    assert lines[-1].endswith(" given back")
    assert [each.key for each in cached.caches.entries("")] == left


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["deps-1", "deps"], "There is no cache 'deps'."),
        (["other", "--ref", "main"], "There is no cache 'other'."),
        ([], "Which caches?"),
        (["deps-1", "--all"], "Which caches?"),
    ],
)
def test_what_names_no_cache_deletes_none(
    cached: Machine, argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    lines = refused(capsys, "caches", "rm", *argv)
    assert lines[0] == f"trunkline: {said}"
    assert len(lines) == 2, "no hint"
    assert len(cached.caches.entries("")) == 4
