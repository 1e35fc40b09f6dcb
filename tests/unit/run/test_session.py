"""Sessions: where one command's output ends, whatever the chunks; what a shell is told."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.run.session import (
    COMMAND,
    SHORT,
    MarkedOutput,
    driver,
    exports,
    restore,
    spoken,
    tell,
)

MARK = "trunkline-0123"


def split(chunks: list[bytes]) -> tuple[bytes, list[int]]:
    """Return all output and all exit codes of a session's chunks."""
    marked = MarkedOutput(MARK)
    output, codes = b"", []
    for chunk in chunks:
        piece = marked.feed(chunk)
        output += piece.output
        codes += [] if piece.code is None else [piece.code]
    return output + marked.rest(), codes


def letters(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@given(st.binary(max_size=60), st.integers(0, 255), st.lists(st.integers(1, 5), max_size=40))
def test_output_and_code_come_whole_whatever_the_chunks(
    output: bytes, code: int, sizes: list[int]
) -> None:
    stream = output + f"\n{MARK}:{code}\n".encode()
    chunks, at = [], 0
    for size in sizes:
        chunks.append(stream[at : at + size])
        at += size
    found, codes = split([*chunks, stream[at:]])
    whole = not output or output.endswith(b"\n")
    assert found == (output if whole else output + b"\n")
    assert codes == [code]


@given(st.binary(max_size=60).filter(lambda data: MARK.encode() not in data))
def test_what_was_held_back_comes_at_the_end(output: bytes) -> None:
    assert split([output])[0] == output


def test_only_what_changed_is_told() -> None:
    told = exports({"A": "1", "B": "2", "C": "3"}, {"A": "1", "B": "it's", "D": "x", "1X": "no"})
    assert told == "export B='it'\"'\"'s'\nexport D=x\nunset C\n"


@pytest.fixture(params=["sh", "bash"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., tuple[bytes, list[int]]]:
    script = tmp_path / "driver"
    script.write_text(driver(str(tmp_path), MARK))

    def run(*commands: str, code: int = 0) -> tuple[bytes, list[int]]:
        said = b"".join(spoken(command.encode()) or b"0\n" for command in commands)
        done = subprocess.run([request.param, script], input=said, capture_output=True, check=False)
        assert done.returncode == code, done.stderr
        return split(letters(done.stdout))

    return run


def test_a_real_shell_keeps_its_state_and_tells_its_variables(tmp_path: Path, shell) -> None:
    commands = ["cd /; X=1; f() { echo f$X; }", "f; pwd; false", "export Y='a b'"]
    commands += [tell(str(tmp_path), ["X", "Y", "Z"]), "exit 3"]
    assert shell(*commands, code=3) == (b"f1\n/\n", [0, 1, 0, 0])
    assert (tmp_path / "out.X").read_text() == "1"
    assert (tmp_path / "out.Y").read_text() == "a b"
    assert not (tmp_path / "out.Z").exists()
    assert shell(restore(str(tmp_path)), 'echo "$Y"; pwd') == (b"a b\n/\n", [0, 0])


def test_lines_of_a_command_come_as_they_are(shell) -> None:
    text = "\ncat <<'END'\n  two  blanks \\ and \ttabs \\\n\nEND\nprintf '%s\\n' \"a\\\nb\""
    assert shell(text, "", "echo then") == (
        b"  two  blanks \\ and \ttabs \\\n\nab\nthen\n",
        [0, 0, 0],
    )


def test_a_long_command_comes_from_the_file(tmp_path: Path, shell) -> None:
    text = f"echo {'x' * SHORT}"
    assert spoken(text.encode()) is None
    (tmp_path / COMMAND).write_text(text)
    assert shell(text, "echo short") == (b"x" * SHORT + b"\nshort\n", [0, 0])


def test_no_command_reads_what_comes_next_or_takes_the_mark_away(shell) -> None:
    commands = ["cat", "read -r x || echo nothing to read", "exec 3<&- 4>&-", "set -x", "exec >&2"]
    assert shell(*commands, "set +x") == (b"nothing to read\n", [0, 0, 0, 0, 0, 0])
