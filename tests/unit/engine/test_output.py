"""The log path: chunks in; log, views, annotations and results out."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.adapters.file_search import digest_of
from trunkline.adapters.logs.memory import MemoryLogStore
from trunkline.adapters.patterns import compile_pattern
from trunkline.adapters.sandboxes.scripted.sandbox import ScriptedSandboxes
from trunkline.base.errors import Unavailable
from trunkline.engine.job_context import JobContext
from trunkline.engine.job_log import JobLog
from trunkline.engine.output import MOST_ANNOTATIONS, JobOutput, StepOutput
from trunkline.engine.services_access import JobAccess, NoServices, services_job
from trunkline.expr.template import Expression
from trunkline.plan.model import PlannedJob, Source
from trunkline.ports.sandbox import JobPlace
from trunkline.run.events import Annotated, Event, Leg, Summarized
from trunkline.run.job_request import JobRequest
from trunkline.run.matchers import parse_matchers

STAMP = "2023-11-14T22:13:20.0000000Z "
MATCHER = {
    "problemMatcher": [
        {
            "owner": "cc",
            "pattern": [{"regexp": r"^(.+):(\d+): (.*)$", "file": 1, "line": 2, "message": 3}],
        }
    ]
}


class Job:
    """A job's output with everything that came out of it."""

    def __init__(self, **variables: str) -> None:
        self.clock = FakeClock()
        self.logs = MemoryLogStore()
        self.events: list[Event] = []
        self.shown: list[tuple[str, int, bytes]] = []
        self.output = JobOutput(
            JobLog(
                "1",
                "build",
                self.logs,
                self.clock,
                self.events.append,
                lambda *shown: self.shown.append(shown),
            )
        )
        self.sandbox = ScriptedSandboxes([], self.clock, SystemIds()).open("host")
        place = JobPlace(run_id="1", key="build", where="host", repository="o/r", event="{}")
        layout = self.sandbox.prepare(place)
        self.workspace = layout.workspace
        condition = Expression("success()")
        request = JobRequest(
            run_id="1",
            leg=Leg(key="build", name="build"),
            job=PlannedJob(
                id="build", condition=condition, source=Source(path="ci.yml"), permissions={}
            ),
            where="host",
            github={},
            repository="o/r",
            variables=variables,
        )
        access = JobAccess(NoServices(), services_job(request, self.clock.now()))
        context = JobContext(request, self.sandbox, layout, digest_of, access)
        context.open({}, {})
        self.output.serve(context, compile_pattern)

    def step(self) -> StepOutput:
        return self.output.step(3)

    def log(self) -> list[str]:
        self.output.close()
        lines = self.logs.read("1", "build").decode().split("\n")
        assert lines.pop() == ""
        assert b"".join(data for *_, data in self.shown).decode().split("\n")[:-1] == [
            line.partition("Z ")[2] for line in lines
        ]
        return [line.removeprefix(STAMP) for line in lines]

    def annotations(self) -> list[tuple[str, str]]:
        return [
            (event.level, event.message) for event in self.events if isinstance(event, Annotated)
        ]


def fed(data: bytes, *sizes: int, job: Job | None = None) -> tuple[Job, StepOutput]:
    """Feed data in pieces of the given sizes, the rest at once."""
    job = job or Job()
    step = job.step()
    for size in sizes:
        step.feed(data[:size])
        data = data[size:]
    step.feed(data)
    step.close()
    return job, step


def test_lines_are_stamped_as_at_github():
    job, _ = fed(b"one\ntwo\n")
    assert job.logs.read("1", "build").decode() == f"{STAMP}one\n{STAMP}two\n"
    assert job.output.lines == 2
    assert job.log() == ["one", "two"]
    assert ("1", "build") in job.logs.ended


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"no newline", ["no newline"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"1%\r2%\r\n3%\r", ["1%", "2%", "3%"]),
        (b"a\n\n\nb", ["a", "", "", "b"]),
        (b"nul\0byte\n", ["nul byte"]),
        (b"bad \xff\xc3 utf\n", ["bad \ufffd\ufffd utf"]),
        ("grüße ✓\n".encode(), ["grüße ✓"]),
    ],
)
def test_lines_are_read_as_the_runner_reads_them(data, lines):
    for cut in range(len(data) + 1):
        job, _ = fed(data, cut)
        assert job.log() == lines


def test_commands_are_performed_wherever_chunks_end():
    text = (
        b"before\n::set-output name=a::1%0A2\nmiddle ::set-output name=b::x\n"
        b"  ::save-state name=s::v\n##[set-output name=c]old\n::group::G\nin\n::endgroup::\n"
        b"::debug::not shown\nafter\n"
    )
    for cut in range(len(text)):
        job, step = fed(text, cut)
        assert step.outputs == {"a": "1\n2", "c": "old"}
        assert step.state == {"s": "v"}
        assert job.log() == [
            *("before", "middle ::set-output name=b::x", "##[group]G", "in", "##[endgroup]"),
            "after",
        ]


def test_annotations_are_logged_and_reported():
    job, step = fed(b"::warning file=a.c,line=3,col=4,title=T::Careful%0Anow\n")
    assert job.log() == ["##[warning]Careful", "now"]
    (event,) = job.events
    assert event == Annotated(
        key="build",
        level="warning",
        message="Careful\nnow",
        step=3,
        title="T",
        file="a.c",
        line=3,
        column=4,
    )
    assert not step.errors


def test_files_of_annotations_are_relative_to_the_workspace():
    job = Job()
    fed(f"::error file={job.workspace}/src/a.c::x\n".encode(), job=job)
    (event,) = job.events
    assert isinstance(event, Annotated)
    assert event.file == "src/a.c"


def test_ten_annotations_a_level_are_kept():
    job, _ = fed(b"::error::e\n" * 15 + b"::notice::n\n" * 3)
    assert len(job.log()) == 18
    assert len(job.annotations()) == MOST_ANNOTATIONS + 3


def test_a_failed_command_fails_the_step():
    job, step = fed(b"::set-env name=A::b\n")
    assert step.errors[0] == "Unable to process command '::set-env name=A::b' successfully."
    assert [level for level, _ in job.annotations()] == ["error", "error"]


def test_a_step_may_opt_into_old_commands():
    job = Job()
    step = job.step()
    step.allow({"ACTIONS_ALLOW_UNSECURE_COMMANDS": "true"})
    step.feed(b"::set-env name=A::b\n::add-path::/x\n")
    assert (step.env, step.paths, step.errors) == ([("A", "b")], ["/x"], [])


def test_masks_count_from_their_line_on():
    job, _ = fed(b"::add-mask::top secret\nit is top secret\n::stop-commands::long-token\n")
    assert job.log() == ["it is ***", "::stop-commands::***"]


def test_secrets_are_masked_everywhere():
    job = Job()
    job.output.mask(["hunter2"])
    step = job.step()
    step.feed(b"hun")
    step.feed(b"ter2 aHVudGVyMg==\n::error title=hunter2::hunter2\n::set-output name=x::hunter2\n")
    step.line("##[warning]hunter2")
    step.engine_lines(["env:", "  A: hunter2"])
    step.summary(b"# hunter2\n")
    step.close()
    assert step.outputs == {"x": "hunter2"}
    assert "hunter2" not in repr(job.events)
    assert job.log() == ["*** ***", "##[error]***", "##[warning]***", "env:", "  A: ***"]
    assert job.output.masked("x hunter2") == "x ***"
    assert Summarized(key="build", step=3, markdown="# ***\n") in job.events


def test_debug_lines_show_when_asked_for():
    job, _ = fed(
        b"::debug::one%0Atwo\n::set-output name=a::b\n", job=Job(ACTIONS_STEP_DEBUG="true")
    )
    assert job.log() == ["##[debug]one", "##[debug]two", "::set-output name=a::b"]


def test_debug_lines_of_the_engine_show_when_asked_for():
    for job, wanted in ((Job(ACTIONS_STEP_DEBUG="true"), ["##[debug]one"]), (Job(), [])):
        step = job.step()
        step.tell("##[debug]one")
        step.close()
        assert job.log() == wanted


def test_engine_lines_are_no_commands_and_come_after_the_last_line():
    job = Job()
    step = job.step()
    step.feed(b"no newline")
    step.engine_lines(["::error::x", "two\nlines"])
    step.line("##[error]Process completed with exit code 1.")
    assert job.log() == [
        *("no newline", "::error::x", "two", "lines"),
        "##[error]Process completed with exit code 1.",
    ]
    assert job.annotations() == [("error", "Process completed with exit code 1.")]


def test_a_nested_step_has_results_of_its_own_in_the_same_log():
    job = Job()
    outer = job.step()
    inner = outer.nested()
    inner.feed(b"::set-output name=a::1\ninner\n")
    inner.close()
    outer.line("outer")
    assert (inner.outputs, outer.outputs) == ({"a": "1"}, {})
    assert job.log() == ["inner", "outer"]


# --- problem matchers -------------------------------------------------------------------


def with_matcher(*files: str) -> Job:
    job = Job()
    job.sandbox.put(f"{job.workspace}/m.json", json.dumps(MATCHER).encode())
    for file in files:
        job.sandbox.put(f"{job.workspace}/{file}", b"")
    return job


def test_a_matcher_makes_annotations_of_lines():
    job = with_matcher("src/a.c", "vendor/lib/.git/config", "vendor/lib/x.c")
    text = (
        "src/a.c:1: early\n::add-matcher::m.json\nsrc/a.c:2: bad\nmissing.c:3: worse\n"
        "vendor/lib/x.c:4: nested\nplain\n::remove-matcher owner=CC::\nsrc/a.c:5: late\n"
    )
    fed(text.encode(), job=job)
    assert job.log() == [
        *("src/a.c:1: early", "##[error]src/a.c:2: bad", "##[error]missing.c:3: worse"),
        *("##[error]vendor/lib/x.c:4: nested", "plain", "src/a.c:5: late"),
    ]
    found = [event for event in job.events if isinstance(event, Annotated)]
    assert [(each.file, each.line, each.message) for each in found] == [
        ("src/a.c", 2, "bad"),
        ("", 3, "worse"),
        ("x.c", 4, "nested"),
    ]


def test_a_matcher_counts_in_the_steps_that_follow():
    job = with_matcher()
    fed(b"##[add-matcher]m.json\n", job=job)
    fed(b"a.c:2: bad\n", job=job)
    assert job.log() == ["##[error]a.c:2: bad"]
    fed(b"::remove-matcher::m.json\n", job=job)
    assert job.output.log.rules == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Could not find file '{path}'."),
        ('{"problemMatcher": [{"owner": ""}]}', "Owner must not be empty"),
    ],
)
def test_a_bad_matcher_file_fails_the_step(content, message):
    job = Job()
    path = f"{job.workspace}/bad.json"
    if content is not None:
        job.sandbox.put(path, content.encode())
    _, step = fed(b"::add-matcher::bad.json\n", job=job)
    assert step.errors == [
        "Unable to process command '::add-matcher::bad.json' successfully.",
        message.format(path=path),
    ]


# --- endless lines, slow readers, full disks --------------------------------------------


def test_an_endless_line_is_kept_in_pieces_and_memory_stays_small():
    job = Job()
    job.output.mask(["SECRET"])
    step = job.step()
    data = b"x" * 999_997 + b"SECRET"
    for _ in range(8):
        step.feed(data)
    lines = b"".join(data for *_, data in job.shown).split(b"\n")
    assert all(len(line) <= 2_200_000 for line in lines)
    step.close()
    whole = "".join(job.log())
    assert whole.count("***") == 8
    assert whole.count("x") == 8 * 999_997
    assert "SEC" not in whole
    assert "RET" not in whole


def test_a_long_mask_is_taken_whole():
    job = Job()
    step = job.step()
    secret = b"k" * 3_000_000
    command = b"::add-mask::" + secret + b"\n"
    for start in range(0, len(command), 500_000):
        step.feed(command[start : start + 500_000])
    step.feed(b"[" + secret + b"]\n")
    step.close()
    assert job.log() == ["[***]"]


def test_lines_wait_for_a_batch_but_not_long():
    job = Job()
    step = job.step()
    step.feed(b"one\n")
    assert job.logs.read("1", "build") == b""
    assert job.shown
    job.clock.advance(0.1)
    step.tick()
    assert job.logs.read("1", "build").endswith(b"one\n")
    step.feed(b"x" * 300_000 + b"\n")
    assert job.logs.read("1", "build").endswith(b"x\n")


class FullStore(MemoryLogStore):
    """A store on a disk that is full."""

    def append(self, *_: Any, **__: Any) -> int:
        raise Unavailable("No space left on device")


def test_a_full_disk_is_told_once_and_views_go_on():
    job = Job()
    job.output.log._batches._logs = FullStore()  # noqa: SLF001 - the disk fills up
    step = job.step()
    step.feed(b"one\n")
    job.clock.advance(1)
    with pytest.raises(Unavailable):
        step.tick()
    step.line("##[error]No space left on device")
    step.close()
    job.output.close()
    assert [data for *_, data in job.shown] == [b"one\n", b"##[error]No space left on device\n"]


def test_background_steps_share_the_log():
    job = Job()
    job.output.mask(["SECRET"])

    def print_lines(name: bytes) -> None:
        step = job.step()
        for _ in range(50):
            step.feed(b"%s SECRET\n::add-mask::%s-mask\n" % (name, name))
        step.close()

    threads = [threading.Thread(target=print_lines, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = job.log()
    assert sorted(set(lines)) == ["a ***", "b ***", "c ***"]
    assert len(lines) == 150


# --- hostile output ---------------------------------------------------------------------

PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(
                b"::error::",
                b"::stop-commands::t\n",
                b"::t::\n",
                b"::add-mask::",
                b"##[group]",
                b"\n",
            ),
            *(
                b"a.c:1: bad\n",
                b"\r",
                b"::set-output name=a::",
                b"::echo::on\n",
                b"S3CRET",
                b"\x1b[",
            ),
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=20), st.booleans())
def test_hostile_output_never_crashes_and_never_leaks(pieces, with_rules):
    job = Job()
    job.output.mask(["S3CRET"])
    if with_rules:
        job.output.log.add_matchers(parse_matchers(json.dumps(MATCHER), compile_pattern))
    step = job.step()
    for piece in pieces:
        step.feed(piece)
    step.close()
    assert "S3CRET" not in "\n".join(job.log())
    assert "S3CRET" not in repr(job.events)
