"""The live view: rows that fit, output that cannot steer the terminal, and the end in full."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.unit.cli.story import START, Story, job_begins, started, step, whole_run
from trunkline.adapters.clock import FakeClock
from trunkline.adapters.logs.memory import MemoryLogStore
from trunkline.cli.views.live import LiveView
from trunkline.cli.views.terminal import readable, tame
from trunkline.cli.views.tree import ASCII, FINE, Scene, rows
from trunkline.run.events import (
    CancelRequested,
    Conclusion,
    JobCompleted,
    Record,
    RunPending,
    StepStarted,
)
from trunkline.services.runs import RunView, take

STAMP = b"2023-11-14T22:13:20.0000000Z "


# --- what jobs print ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain", "coloured"),
    [
        ("\x1b[31mred\x1b[0m", "red", "\x1b[31mred\x1b[0m"),
        ("\x1b[38;2;1;2;3mx\x1b[38:5:1mx", "xx", "\x1b[38;2;1;2;3mx\x1b[38:5:1mx"),
        ("\x1b[2J\x1b[1;1Hgone", "gone", "gone"),
        ("\x1b[?25l\x1b[?1049h\x1b[>4;1mx", "x", "x"),
        ("\x1b]0;title\x07x\x1b]8;;http://e\x1b\\link", "xlink", "xlink"),
        ("\x1bPq#0\x1b\\x\x1b_G\x1b\\y", "xy", "xy"),
        ("\x9b31mx\x9d0;t\x9cy", "xy", "xy"),
        ("\x1bcreset\x1b(0line", "resetline", "resetline"),
        ("bell\x07 back\x08 del\x7f cr\r", "bell back del cr", "bell back del cr"),
        ("a\tb\nc", "a\tb\nc", "a\tb\nc"),
        ("cut \x1b[3", "cut ", "cut "),
        ("cut \x1b]0;never ends\nnext", "cut \nnext", "cut \nnext"),
    ],
)
def test_only_colours_reach_the_terminal(text, plain, coloured):
    assert tame(text, colours=False) == plain
    assert tame(text, colours=True) == coloured


@given(
    st.text(
        st.one_of(
            st.sampled_from("\x1b\x1b[]0;m?2JHABc\x07\\\x9b\x9c\x90P_^X\n\t"), st.characters()
        )
    )
)
def test_hostile_output_never_steers_the_terminal(text):
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", tame(text, colours=False))
    left = re.sub(r"\x1b\[[0-9;:]*m", "", tame(text, colours=True))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", left)


def test_markers_become_words():
    text = "##[group]Run x\n##[endgroup]\n##[error]bad\n not ##[error]\n##[warning]odd\n##[debug]d"
    assert readable(text, colours=False, arrow=">") == (
        "> Run x\nError: bad\n not ##[error]\nWarning: odd\nd"
    )
    assert readable("##[error]bad", colours=True, arrow=">") == "\x1b[31mError: bad\x1b[0m"


# --- a frame ------------------------------------------------------------------------------


def folded(records: list[Record]) -> RunView:
    run = RunView(run_id="42")
    for record in records:
        take(run, record)
    return run


def frame(run: RunView, **changes: Any) -> list[str]:
    scene = Scene(
        run=run,
        tails={},
        expected={},
        planned=(),
        now=START + 10.0,
        width=60,
        height=30,
        signs=FINE,
    )
    return [row.plain.rstrip() for row in rows(scene._replace(**changes))]


def running() -> Story:
    story = Story()
    story.tell(started("build", "test"), *job_begins("build", "Build it"))
    story.tell(*step("build", 1, "Set up job", Conclusion.SUCCESS))
    story.tell(StepStarted(key="build", number=2, name="Run make\nall"))
    return story


def test_what_a_step_is_given_is_folded_away():
    header = b"##[group]Run make\nmake\nenv:\n  A: b\n"
    shown = frame(folded(running().records), tails={("build", 2): header})
    assert not [row for row in shown if "A: b" in row]
    whole = header + b"##[endgroup]\ngcc\n"
    shown = frame(folded(running().records), tails={("build", 2): whole})
    assert [row for row in shown if "│" in row] == ["      │ gcc"]


def test_a_frame_shows_what_runs_with_its_last_lines():
    tails = {("build", 2): b"gcc\n\x1b[31mwarning\x1b[0m \x1b[2Jcut\n##[error]bad\n"}
    found = frame(
        folded(running().records), tails=tails, expected={"build": 60.0}, planned=["test"]
    )
    assert found == [
        "CI #7  Fix it                                           9.0s",
        "⠋ Build it                                    7.0s of ~1m00s",
        "  ✓ Set up job                                          1.5s",
        "  ⠋ Run make all                                        4.0s",
        "      │ gcc",
        "      │ warning cut",
        "      │ Error: bad",
        "◌ test",
        "Ctrl-C cancels",
    ]


def test_a_frame_of_an_ended_job_is_one_row():
    found = frame(folded(whole_run()))
    assert [row.partition("  ")[0] for row in found[1:5]] == [
        "✓ Build it",
        "✗ test",
        "- windows",
        "- deploy",
    ]


def test_a_frame_tells_of_cancelling_and_waiting():
    story = running()
    story.tell(CancelRequested(by="user"))
    assert frame(folded(story.records))[-1] == "Cancelling (user); Ctrl-C again kills"
    story.tell(CancelRequested(by="user", force=True))
    assert frame(folded(story.records))[-1] == "Killing what runs"
    waits = Story()
    waits.tell(started("a"), RunPending(group="g"))
    assert frame(folded(waits.records))[-1] == "Waiting for concurrency group 'g'"


def test_what_does_not_fit_is_counted():
    story = Story()
    story.tell(started())
    for number in range(40):
        story.tell(*job_begins(f"done {number}"))
        conclusion = Conclusion.FAILURE if number == 3 else Conclusion.SUCCESS
        story.tell(JobCompleted(key=f"done {number}", conclusion=conclusion))
    for number in range(9):
        story.tell(*job_begins(f"now {number}"))
    found = frame(folded(story.records), height=14, planned=["x", "y"])
    text = "\n".join(found)
    assert "… 39 more ended" in text
    assert "✗ done 3" in text
    assert "more running" in text
    assert "◌ 2 waiting: x, y" in text


@given(
    st.integers(1, 200),
    st.integers(1, 60),
    st.integers(0, 12),
    st.integers(0, 12),
    st.text(max_size=80),
    st.binary(max_size=300),
)
def test_frames_fit_the_terminal(width, height, running_jobs, ended_jobs, name, tail):
    story = Story()
    story.tell(started())
    for number in range(ended_jobs + running_jobs):
        key = f"{number} {name}"
        story.tell(*job_begins(key), StepStarted(key=key, number=1, name=name))
        if number < ended_jobs:
            story.tell(JobCompleted(key=key, conclusion=Conclusion.FAILURE))
    run = folded(story.records)
    scene = Scene(
        run=run,
        tails={(key, 1): tail for key in run.jobs},
        expected={},
        planned=(name,),
        now=START + 1000,
        width=width,
        height=height,
        signs=ASCII,
    )
    found = rows(scene)
    assert len(found) <= height
    assert all(row.cell_len <= width for row in found), [row.plain for row in found]
    assert not any("\n" in row.plain for row in found)


# --- the view -----------------------------------------------------------------------------


def view(**options: Any) -> tuple[LiveView, io.StringIO, MemoryLogStore]:
    out = io.StringIO()
    settings = {"force_terminal": True, "width": 80, "height": 24, "highlight": False, **options}
    console = Console(file=out, **settings)
    logs = MemoryLogStore()
    return LiveView(console, FakeClock(START + 100), logs, lambda _: {"": 60.0}), out, logs


def test_the_end_tells_all_that_matters():
    live, out, logs = view(no_color=True)
    lines = [b"##[group]Run pytest", b"##[endgroup]", b"F \x1b[2Jfailed", b"##[error]exit code 1."]
    logs.append("42", "test", 0, b"".join(STAMP + line + b"\n" for line in lines))
    for record in whole_run():
        live.record(record)
        live.lines("test", 1, b"F failed\n")
    live.close()
    text = tame(out.getvalue(), colours=False)
    end = text[text.rindex("test ▸ Run pytest more") :]
    for said in (
        *("▸ Run pytest\nF failed\nError: exit code 1.\n", "Warning: a.c:3:4: Odd"),
        *("Built", "summary of Build it", "✓ Build it: success in 6.0s", "artifact dist, 2 files"),
        "✗ test: failure in 4.0s, in step 1 'Run pytest more' (exit code 1)",
        "- windows: skipped, no runner for windows",
    ):
        assert said in end, said
    assert end.count("exit code 1.") == 1
    assert end.rstrip().endswith("Next: trunkline logs 42 -j test")


def test_a_long_failure_is_told_in_full():
    live, out, logs = view(no_color=True)
    count = 12_345
    logs.append("42", "test", 0, b"".join(STAMP + b"line %d\n" % each for each in range(count)))
    story = Story()
    story.tell(started("test"), *job_begins("test"))
    story.tell(*step("test", 1, "Run x", Conclusion.FAILURE, (1, count)))
    story.tell(JobCompleted(key="test", conclusion=Conclusion.FAILURE))
    for record in story.records:
        live.record(record)
    live.close()
    lines = [line for line in out.getvalue().splitlines() if line.startswith("line ")]
    assert lines == [f"line {each}" for each in range(1, count)]


def test_what_could_not_be_stored_is_told():
    live, out, _ = view(no_color=True)
    for record in whole_run():
        live.record(record)
    live.close()
    end = tame(out.getvalue(), colours=False)
    assert "(4 lines of it could not be stored)\nError: Process completed with exit code 1." in end


def test_a_run_that_never_began_says_nothing():
    live, out, _ = view()
    live.close()
    assert not out.getvalue()


def test_a_terminal_without_unicode_gets_ascii():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    console = Console(file=stream, force_terminal=True, width=60, height=20)
    live = LiveView(console, FakeClock(START + 100), MemoryLogStore(), lambda _: {})
    for record in whole_run():
        live.record(record)
    live.close()
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    text = stream.buffer.getvalue().decode("ascii")
    assert "+ Build it: success" in tame(text, colours=False)
    assert "?" not in text.replace("\x1b[?", "")
