"""Workflow commands: their two forms, their effects, their errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.run.annotations import Annotation, integer, relative_to
from trunkline.run.command_line import REGISTERED, Command, command_line, parse_command
from trunkline.run.commands import (
    DISABLED,
    REFUSED_TOKEN,
    AddMask,
    AddMatcher,
    AddPath,
    Allowed,
    Commands,
    Debug,
    Effect,
    Failed,
    Print,
    RemoveMatcher,
    SaveState,
    SetEnv,
    SetOutput,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("::error::text", ("error", {}, "text")),
        ("  \t::ERROR::text", ("error", {}, "text")),
        ("::error file=a.c,line=1::x::y", ("error", {"file": "a.c", "line": "1"}, "x::y")),
        ("::set-output name=a=b::", ("set-output", {"name": "a=b"}, "")),
        ("::error file=a%3Ab%2Cc%0A%2525::%0D%0A%253A%3A", None),
        ("::error title,line=2::", ("error", {"line": "2"}, "")),
        ("::error ::x", ("error", {}, "x")),
        ("::group::", ("group", {}, "")),
        ("##[group]x", ("group", {}, "x")),
        ("before ##[error file=a;line=1]after", ("error", {"file": "a", "line": "1"}, "after")),
        ("##[error]a%3Bb%5D%0A%2525", ("error", {}, "a;b]\n%25")),
    ],
)
def test_lines_that_are_commands(line, expected):
    if expected is None:
        expected = ("error", {"file": "a:b,c\n%25"}, "\r\n%3A%3A")
    assert parse_command(line) == Command(*expected)


@pytest.mark.parametrize(
    "line",
    [
        "text ::error::x",
        "::error",
        "::error:x",
        "::unknown::x",
        "::",
        "::::",
        "##[unknown]x",
        "##[error",
        "tests/a.py::test_b",
        "",
    ],
)
def test_lines_that_are_not(line):
    assert parse_command(line) is None


def one(line: str, *, workspace: str = "", allowed: Allowed | None = None) -> Effect:
    effects = Commands(workspace=workspace, allowed=allowed).process(line)
    assert effects is not None
    assert len(effects) == 1, effects
    return effects[0]


def test_effects():
    assert one("::set-output name=a::1%0A2") == SetOutput("a", "1\n2")
    assert one("::save-state name=a::1") == SaveState("a", "1")
    assert one("::group::My group") == Print("##[group]My group")
    assert one("::endgroup::") == Print("##[endgroup]")
    assert one("::debug::x") == Debug("x")
    assert one("##[add-matcher]a.json") == AddMatcher("a.json", "##[add-matcher]a.json")
    line = "::remove-matcher owner=tsc::"
    assert one(line) == RemoveMatcher("tsc", "", line)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("::set-output::x", "Required field 'name' is missing in ##[set-output] command."),
        ("::save-state x=1::x", "Required field 'name' is missing in ##[save-state] command."),
        ("::set-env name=a::b", DISABLED.format("set-env")),
        ("::add-path::/x", DISABLED.format("add-path")),
        (
            "::echo::maybe",
            "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: 'maybe'.",
        ),
    ],
)
def test_commands_that_cannot_be_processed(line, message):
    assert one(line) == Failed((f"Unable to process command '{line}' successfully.", message))


@pytest.mark.parametrize("token", ["", "pause-logging", "error", "Set-Output"])
def test_stop_tokens_that_are_refused(token):
    found = one(f"::stop-commands::{token}")
    assert found == Failed(
        ("Unable to process command 'stop-commands' successfully.", REFUSED_TOKEN)
    )


def test_stopped_commands_are_plain_output_until_the_token():
    commands = Commands()
    started = commands.process("::stop-commands::Secret-Token")
    assert started is not None
    assert started[:2] == [AddMask(("Secret-Token",)), Print("::stop-commands::Secret-Token")]
    assert commands.process("::error::x") is None
    assert commands.process("##[error]x") is None
    assert commands.process("say ::secret-token::") is None
    resumed = commands.process("::secret-token::")
    assert resumed == [Print("::secret-token::"), Debug("Resume processing commands")]
    assert commands.process("::debug::x") == [Debug("x")]


def test_short_tokens_are_not_masked():
    started = Commands().process("::stop-commands::short6")
    assert started is not None
    assert started[0] == Print("::stop-commands::short6")


def test_masks_are_the_value_and_its_lines():
    assert one("::add-mask::one%0D%0A%0A two") == AddMask(("one\r\n\n two", "one", " two"))


@pytest.mark.parametrize("value", ["", "  ", "%0A"])
def test_nothing_can_not_be_masked(value):
    found = one(f"::add-mask::{value}")
    text = "Can't add secret mask for empty string in ##[add-mask] command."
    assert found == Annotation("warning", text)


def test_echo_prints_commands_but_never_a_mask():
    commands = Commands()
    assert commands.process("::echo::ON ") == [Debug("Setting echo command value to 'on'")]
    line = "::set-output name=a::b"
    assert commands.process(line) == [Print(line), SetOutput("a", "b")]
    assert commands.process("::add-mask::abc") == [
        AddMask(("abc", "abc")),
        Print("::add-mask::***"),
    ]
    assert commands.process("::warning::x") == [Annotation("warning", "x")]
    commands.process("::echo::off")
    assert commands.process(line) == [SetOutput("a", "b")]


def test_old_commands_where_the_step_opted_in():
    allowed = Allowed(commands=True)
    assert one("::set-env name=a::b", allowed=allowed) == SetEnv("a", "b")
    assert one("::add-path::/x", allowed=allowed) == AddPath("/x")
    text = "Can't update NODE_OPTIONS environment variable using ::set-env:: command."
    assert one("::set-env name=node_options::x", allowed=allowed) == Annotation("error", text)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("line=3", (3, 0, 0, 0)),
        ("endLine=4", (4, 4, 0, 0)),
        ("line=3,endLine=4", (3, 4, 0, 0)),
        ("line=3,endLine=4,col=1", (3, 4, 0, 0)),
        ("line=3,endLine=3,col=1,endColumn=2", (3, 3, 1, 2)),
        ("col=1", (0, 0, 0, 0)),
        ("line=4,endLine=3", (0, 0, 0, 0)),
        ("line=4,col=5,endColumn=3", (4, 0, 0, 0)),
        ("line=x,col=2", (0, 0, 0, 0)),
        ("line=99999999999", (0, 0, 0, 0)),
    ],
)
def test_lines_and_columns_that_make_sense_together(properties, expected):
    effects = Commands().process(f"::error {properties}::x")
    assert effects is not None
    found = effects[-1]
    assert isinstance(found, Annotation)
    assert (found.line, found.end_line, found.column, found.end_column) == expected


def test_an_annotation_has_its_title_and_its_file_in_the_repository():
    found = one("::notice file=/w/src/../a.c,title=T%2C::m", workspace="/w")
    assert found == Annotation("notice", "m", title="T,", file="a.c")
    assert relative_to("/other/a.c", "/w") == "/other/a.c"
    assert relative_to("a.c", "/w") == "a.c"


@pytest.mark.parametrize(("text", "number"), [("7", 7), (" +7 ", 7), ("-7", 0), ("7.0", 0)])
def test_integers(text, number):
    assert integer(text) == number


LINES = st.one_of(
    st.text(),
    st.builds(
        "{}{} {}{}{}".format,
        st.sampled_from(["::", "##[", " ::"]),
        st.sampled_from(["error", "stop-commands", "set-env", "add-mask", "echo", "x"]),
        st.text(),
        st.sampled_from(["::", "]"]),
        st.text(),
    ),
)


@given(st.lists(LINES), st.booleans())
def test_hostile_lines_never_crash(lines, echo):
    commands = Commands(echo=echo, allowed=Allowed(commands=True, stop_tokens=True))
    for line in lines:
        commands.process(line)


VALUES = st.text(max_size=20).filter(lambda text: text == text.strip())


@given(
    st.sampled_from(sorted(REGISTERED)),
    st.dictionaries(st.sampled_from(["file", "line", "title"]), VALUES),
    st.text(max_size=40),
)
def test_a_command_that_is_written_is_read_back(name, properties, data):
    assert parse_command(command_line(name, properties, data)) == Command(name, properties, data)
