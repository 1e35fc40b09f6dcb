"""How scripts run: GitHub's table of shells, and templates as .NET reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.run.shells import DEFAULT_SHELLS, INVALID_SHELL, ShellError, shell_command

SCRIPT = "/tmp/my scripts/it's.sh"  # noqa: S108 - never written


@pytest.mark.parametrize(
    ("shell", "program", "arguments", "extension"),
    [
        ("bash", "bash", ["--noprofile", "--norc", "-e", "-o", "pipefail", SCRIPT], ".sh"),
        ("sh", "sh", ["-e", SCRIPT], ".sh"),
        ("pwsh", "pwsh", ["-command", f". '{SCRIPT}'"], ".ps1"),
        ("powershell", "powershell", ["-command", f". '{SCRIPT}'"], ".ps1"),
        ("python", "python", [SCRIPT], ".py"),
        ("bash -e {0}", "bash", ["-e", SCRIPT], ".sh"),
        ("bash -l {0}", "bash", ["-l", SCRIPT], ".sh"),
        ("bash ", "bash", ["--noprofile", "--norc", "-e", "-o", "pipefail", SCRIPT], ".sh"),
        ("perl {0}", "perl", [SCRIPT], ""),
        ("perl   -w {0} {0}", "perl", ["-w", SCRIPT, SCRIPT], ""),
        ("awk -f {0} {{print}}", "awk", ["-f", SCRIPT, "{print}"], ""),
        ('env "A B=c d" x={0}', "env", ["A B=c d", f"x={SCRIPT}"], ""),
        (r'x "a \" b" c\d {0}', "x", ['a " b', r"c\d", SCRIPT], ""),
        ("bash -c 'source {0}'", "bash", ["-c", "'source", f"{SCRIPT}'"], ".sh"),
    ],
)
def test_how_a_script_runs(shell, program, arguments, extension):
    plan = shell_command(shell)
    assert (plan.program, plan.arguments(SCRIPT), plan.extension) == (
        program,
        arguments,
        extension,
    )


@pytest.mark.parametrize("shell", ["fish", "Bash", "perl -w", "", " ", "perl {{0}", "{0}"])
def test_an_unknown_shell_is_told_in_githubs_words(shell):
    with pytest.raises(ShellError):
        shell_command(shell)


def test_the_words():
    with pytest.raises(ShellError) as caught:
        shell_command("fish")
    assert str(caught.value) == INVALID_SHELL


def test_a_lone_brace_is_a_mistake():
    with pytest.raises(ShellError):
        shell_command("perl {0} {")


def test_powershell_scripts_stop_at_errors_and_keep_the_exit_code():
    assert shell_command("pwsh").fix_up("Get-Item x").split("\n") == [
        "$ErrorActionPreference = 'stop'",
        "Get-Item x",
        r"if ((Test-Path -LiteralPath variable:\LASTEXITCODE)) { exit $LASTEXITCODE }",
    ]


def test_other_scripts_stay_as_they_are():
    assert shell_command("bash").fix_up("a\nb") == "a\nb"


def test_the_default_shells_are_bash_then_sh():
    assert [program for program, _ in DEFAULT_SHELLS] == ["bash", "sh"]
    assert shell_command(DEFAULT_SHELLS[0][1]).arguments("f") == ["-e", "f"]


@given(st.text())
def test_hostile_shells_are_plans_or_errors(shell):
    try:
        plan = shell_command(shell)
    except ShellError:
        return
    assert any("SCRIPT" in argument for argument in plan.arguments("SCRIPT"))
