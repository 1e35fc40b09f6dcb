"""Records as the journal keeps them: a golden line for every event, read for ever.

`python -m tests.unit.run.test_codec` writes the golden lines of events that have none; a line that
was released is never written again: the format has changed, and needs a new version.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.base.errors import Corrupt
from trunkline.base.spans import Span
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Sequence
from trunkline.plan.model import Plan, PlannedCall, PlannedJob, Source
from trunkline.run.codec import decode, encode
from trunkline.run.events import (
    Annotated,
    ArtifactStored,
    CancelRequested,
    Conclusion,
    Event,
    Group,
    ImagePushed,
    JobCompleted,
    JobExpanded,
    JobGranted,
    JobPending,
    JobSkipped,
    JobStarted,
    Leg,
    Options,
    Record,
    RepositoryWritten,
    RunCompleted,
    RunGranted,
    RunPending,
    RunStarted,
    SkipReason,
    StepCompleted,
    StepStarted,
    Summarized,
    Warned,
)
from trunkline.workflow.model import RunStep, Text, UsesStep

GOLDEN = Path(__file__).parent / "golden"

CI = Source(path=".github/workflows/ci.yml", repository="octo/cat", ref="refs/heads/main", sha="a")
ALWAYS = Expression("success()")
JOB = PlannedJob(
    id="build",
    condition=ALWAYS,
    source=CI,
    permissions={"contents": "read"},
    name=Expression("format('build {0}', matrix.os)", Span(5, 11)),
    runs_on=Sequence((Literal("ubuntu-latest", Span(6, 15)), Literal(None), Literal(value=True))),
    env=(Mapping(((Literal("A"), Literal(1.5)), (Insert(), Expression("env")))),),
    timeout_minutes=Literal(5.0),
    steps=(
        RunStep(id="__run", run=Literal("make"), condition=ALWAYS),
        UsesStep(id="co", uses=Text("actions/checkout@v4"), condition=ALWAYS),
    ),
    span=Span(4, 3),
)
CALL = PlannedCall(
    id="call",
    condition=ALWAYS,
    source=CI,
    called=Source(path=".github/workflows/called.yml"),
    uses="./.github/workflows/called.yml",
    jobs=(JOB,),
)
EVENTS: tuple[Event, ...] = (
    RunStarted(
        run_id="1001",
        number=7,
        plan=Plan(source=CI, name="CI", event="push", jobs=(JOB, CALL)),
        github={"event": {"commits": [], "forced": False, "before": None}, "run_attempt": "1"},
        inputs={"dry": True, "count": 2.0},
        secret_names=("TOKEN",),
        options=Options(jobs=("build",), matrix=(("os", "linux"),), platforms={"linux": "host"}),
        name="CI of é",
    ),
    RunPending(group="deploy"),
    RunGranted(group="deploy"),
    JobExpanded(
        job="build",
        legs=(
            Leg(
                key="build (linux)",
                name="build linux",
                matrix={"os": "linux", "n": [1.0, None]},
                labels=("ubuntu-latest",),
                groups=(Group(name="deploy", cancel_in_progress=True),),
            ),
        ),
        max_parallel=2,
    ),
    JobPending(key="build", group="deploy"),
    JobGranted(key="build"),
    JobStarted(key="build"),
    JobSkipped(key="test", name="test", reason=SkipReason.NO_RUNNER, detail="windows-latest"),
    StepStarted(key="build", number=2, name="Run make", log_line=14),
    StepCompleted(
        key="build",
        number=2,
        name="Run make",
        outcome=Conclusion.FAILURE,
        conclusion=Conclusion.SUCCESS,
        log_line=20,
        milliseconds=1234,
        exit_code=2,
        step_id="make",
    ),
    Annotated(key="build", level="error", message="bad\n'x'", step=2, file="a.py", line=3),
    Summarized(key="build", step=2, markdown="# Done\n"),
    RepositoryWritten(key="build", kind="release", what="v1, made"),
    ArtifactStored(key="build", name="dist", digest="sha256:00", size=10, files=2, path="/a"),
    ImagePushed(
        key="build",
        reference="ghcr.io/octo/cat:1",
        digest="sha256:00",
        kept_as="127.0.0.1:5000/ghcr.io/octo/cat:1",
        image_id="sha256:11",
        size=1000,
        commit="a",
        dirty=True,
        base_name="docker.io/library/alpine:3",
        base_digest="sha256:22",
    ),
    JobCompleted(key="build", conclusion=Conclusion.SUCCESS, outputs={"x": "1"}),
    CancelRequested(by="user", key="build", force=True),
    Warned(message="vars.X is not defined"),
    RunCompleted(conclusion=Conclusion.CANCELLED),
)
NAMES = [type(event).__name__ for event in EVENTS]


def golden(name: str) -> Path:
    return GOLDEN / f"{name}.json"


def test_every_event_has_an_example() -> None:
    assert sorted(NAMES) == sorted(event.__name__ for event in get_args(Event))


@pytest.mark.parametrize("event", EVENTS, ids=NAMES)
def test_a_record_is_written_as_it_always_was(event: Event) -> None:
    name = type(event).__name__
    assert encode(3, 1700000000.25, event) + b"\n" == golden(name).read_bytes()


@pytest.mark.parametrize("event", EVENTS, ids=NAMES)
def test_a_record_is_read_for_ever(event: Event) -> None:
    line = golden(type(event).__name__).read_bytes()
    assert decode(line) == Record(number=3, at=1700000000.25, event=event)


@pytest.mark.parametrize("path", sorted((GOLDEN / "old").iterdir()), ids=lambda path: path.stem)
def test_an_older_record_is_read_for_ever(path: Path) -> None:
    """What was written before a field came to be has its default."""
    name = path.stem.partition("-")[0]
    assert decode(path.read_bytes()) == decode(golden(name).read_bytes())


def test_a_line_is_one_line() -> None:
    assert b"\n" not in encode(1, 0.0, Warned(message="a\nb\r\n\u2028"))


@given(st.text(), st.floats(0, 4e9))
def test_any_text_comes_back(text: str, at: float) -> None:
    assert decode(encode(1, at, Warned(message=text))) == Record(
        number=1, at=at, event=Warned(message=text)
    )


def test_what_is_no_text_does_not_stop_a_run() -> None:
    event = JobCompleted(key="a\udcff", conclusion=Conclusion.SUCCESS, outputs={"\ud800": "x"})
    assert decode(encode(1, 0.0, event)).event == JobCompleted(
        key="a?", conclusion=Conclusion.SUCCESS, outputs={"?": "x"}
    )


def test_a_newer_record_says_so() -> None:
    line = json.loads(encode(1, 0.0, EVENTS[-1]))
    for event in (line["event"], {"type": "Teleported"}):
        newer = json.dumps({**line, "event": event, "version": 2}).encode()
        with pytest.raises(Corrupt, match=r"Record 1 was written by a newer Trunkline .format 2"):
            decode(newer)


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"\0\0\0", b'{"number":1,"version":1,"at":0,"event":{"type":"X"}}']
)
def test_what_is_no_record_is_corrupt(line: bytes) -> None:
    with pytest.raises(Corrupt):
        decode(line)


@given(st.binary())
def test_nothing_else_ever_comes_of_a_broken_line(line: bytes) -> None:
    with pytest.raises(Corrupt):
        decode(line)


if __name__ == "__main__":
    for example in EVENTS:
        path = golden(type(example).__name__)
        if not path.exists():
            path.write_bytes(encode(3, 1700000000.25, example) + b"\n")
