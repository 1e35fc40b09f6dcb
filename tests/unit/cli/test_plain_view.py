"""The plain view: prefixed lines, engine lines, the end; and the JSON view."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.unit.cli.story import ARTIFACT, Story, job_begins, started, whole_run
from tests.yardstick import in_yardsticks
from trunkline.adapters.clock import FakeClock
from trunkline.base.errors import Unavailable
from trunkline.cli.views.plain import PlainView
from trunkline.cli.views.records import RecordsView
from trunkline.cli.views.summary import kept_artifacts
from trunkline.run.events import (
    ArtifactStored,
    Conclusion,
    ImagePushed,
    JobCompleted,
    Record,
    StepStarted,
)
from trunkline.services.runs import RunView, take

LAST = (
    "CI #7: failure in 18s; jobs: 1 succeeded, 1 failed, 1 skipped, "
    "1 skipped for want of a runner here. Next: trunkline logs 42 -j test"
)


def shown(records: list[Record], *, encoding: str = "utf-8", quiet: bool = False) -> list[str]:
    out = io.BytesIO()
    view = PlainView(out, encoding, quiet=quiet)
    for record in records:
        view.record(record)
        if isinstance(record.event, StepStarted) and record.event.key == "test":
            view.lines("test", 1, b"##[group]Run pytest\n##[endgroup]\nF\n\x1b[31mE\x1b[0m\n")
    view.close()
    return out.getvalue().decode(encoding).split("\n")[:-1]


def test_a_whole_run():
    assert shown(whole_run()) == [
        "CI #7: Fix it (run 42, push of refs/heads/main at 0123456789ab)",
        "Build it | Job started",
        "Build it | Step 1: Run make",
        "Build it | Step 1: Run make: success in 1.5s",
        f"Build it | Stored artifact dist, 2 files, 1.5 kB: {ARTIFACT}",
        "Build it | Job success in 6.0s",
        "test | Job started",
        "test | Step 1: Run pytest more",
        "test | ##[group]Run pytest",
        "test | ##[endgroup]",
        "test | F",
        "test | \x1b[31mE\x1b[0m",
        "test | Step 1: Run pytest more: failure in 1.5s (exit code 1)",
        "test | Job failure in 4.0s, in step 1 'Run pytest more' (exit code 1)",
        "windows | Job skipped, no runner for windows",
        "deploy | Job skipped, its condition does not hold",
        "##[warning]vars.X is not defined",
        "summary of Build it:",
        *("  # Built", "  ", "  | a | b |", "  |---|---|", "  | 1 | 2 |"),
        "Build it: success in 6.0s",
        "test: failure in 4.0s, in step 1 'Run pytest more' (exit code 1)",
        "windows: skipped, no runner for windows",
        "deploy: skipped, its condition does not hold",
        "warning: vars.X is not defined",
        f"artifact dist, 2 files, 1.5 kB: {ARTIFACT}",
        "workspace of test kept: /w/test",
        LAST,
    ]


def test_pushed_images_are_told_at_once_and_at_the_end():
    story = Story()
    story.tell(started("build"), *job_begins("build"))
    for tag in ("1", "latest"):
        pushed = ImagePushed(
            key="build",
            reference=f"ghcr.io/o/n:{tag}",
            digest="sha256:ab",
            kept_as=f"ghcr.io/o/n:{tag}",
            size=2_000_000,
        )
        story.tell(pushed)
    story.tell(ImagePushed(key="build", reference="ghcr.io/o/n:1", digest="sha256:ab"))
    story.tell(JobCompleted(key="build", conclusion=Conclusion.SUCCESS))
    lines = shown(story.records)
    assert "build | Pushed image ghcr.io/o/n:1 to the local registry, 2.0 MB, sha256:ab" in lines
    assert "build | Pushed image ghcr.io/o/n:1 to its own registry, sha256:ab" in lines
    assert [line for line in lines if line.startswith("image")] == [
        "image ghcr.io/o/n:1, ghcr.io/o/n:latest in the local registry: sha256:ab",
        "image ghcr.io/o/n:1 published: sha256:ab",
        "images kept here: trunkline images",
    ]


def test_quiet_leaves_the_output_of_jobs_out():
    lines = shown(whole_run(), quiet=True)
    assert not [line for line in lines if "Step" in line or line.startswith("test | ##[")]
    assert "test | Job failure in 4.0s, in step 1 'Run pytest more' (exit code 1)" in lines


def test_lines_wait_for_the_event_that_starts_their_step():
    out = io.BytesIO()
    view = PlainView(out)
    story = Story()
    for record in story.tell(started("a"), *job_begins("a", "Job A")):
        view.record(record)
    view.lines("a", 1, b"early\n")
    assert b"early" not in out.getvalue()
    view.record(story.tell(StepStarted(key="a", number=1, name="First"))[0])
    view.lines("a", 1, b"late\n")
    assert out.getvalue().endswith(b"Job A | Step 1: First\nJob A | early\nJob A | late\n")
    view.lines("a", 2, b"never started\n")
    view.close()
    assert b"Job A | never started\n" in out.getvalue()


def test_who_brings_lines_waits_with_them_when_it_is_to_keep_abreast():
    out = io.BytesIO()
    view = PlainView(out, abreast=True)
    story = Story()
    for record in story.tell(started("a"), *job_begins("a", "Job A")):
        view.record(record)

    def ask() -> None:
        view.lines("a", 1, b"early\n")
        out.write(b"Job A $ ")

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        view.record(story.tell(StepStarted(key="a", number=1, name="First"))[0])
        asking.result()
    assert out.getvalue().endswith(b"Job A | Step 1: First\nJob A | early\nJob A $ ")


def test_many_jobs_that_never_started_share_a_line():
    story = Story()
    story.tell(started())
    for number in range(5):
        begun, _ = job_begins(f"j{number}")
        story.tell(begun, JobCompleted(key=f"j{number}", conclusion=Conclusion.CANCELLED))
    assert "5 jobs (j0, j1, j2, j3, j4): cancelled" in shown(story.records)


def test_other_encodings_get_what_they_can_show():
    story = Story()
    story.tell(started("grün"), *job_begins("grün", "grün ✓"))
    assert "grün ? | Job started" in shown(story.records, encoding="latin-1")


class Gone(io.BytesIO):
    """A pipe that nobody reads any more after a line, or a disk that is full."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, data: Any) -> int:
        if self.tell():
            raise self._error
        return super().write(data)


@pytest.mark.parametrize("error", [BrokenPipeError(), Unavailable("The disk is full.")])
def test_output_that_can_not_be_written_stops_nothing_until_the_end(error: Exception):
    plain, records = PlainView(Gone(error)), RecordsView(Gone(error), FakeClock())
    for record in whole_run():
        plain.record(record)
        records.record(record)
    plain.lines("test", 1, b"x\n")
    records.lines("test", 1, b"x\n")
    for view in (plain, records):
        with pytest.raises(type(error)):
            view.close()


def test_a_view_without_a_run_says_nothing():
    assert shown([]) == []


def test_plain_lines_cost_little():
    data = (b"x" * 49 + b"\n") * 1000
    view = PlainView(io.BytesIO())
    story = Story()
    for record in story.tell(
        started("a"), *job_begins("a"), StepStarted(key="a", number=1, name="")
    ):
        view.record(record)

    def show() -> None:
        for _ in range(200):
            view.lines("a", 1, data)

    assert in_yardsticks(show) < 5


def test_json_records():
    out = io.BytesIO()
    view = RecordsView(out, FakeClock())
    records = whole_run()
    view.record(records[0])
    view.lines("test", 3, "one\n\ngrün\n".encode())
    view.close()
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["number"], first["event"]["type"]) == (1, "RunStarted")
    assert second == {
        "at": 1_700_000_000.0,
        "event": {"type": "log", "key": "test", "step": 3, "lines": ["one", "", "grün"]},
        "version": 1,
    }


def test_artifacts_that_were_overwritten_or_deleted_are_not_told(tmp_path):
    run, story = RunView(run_id="42"), Story()
    for name, size in (("a", 1), ("gone", 2), ("a", 3)):
        path = tmp_path / f"{name}.zip"
        path.touch()
        stored = ArtifactStored(
            key="b", name=name, digest="sha256:0", size=size, files=1, path=str(path)
        )
        for record in story.tell(stored):
            take(run, record)
    (tmp_path / "gone.zip").unlink()
    assert [(each.name, each.size) for each in kept_artifacts(run)] == [("a", 3)]
