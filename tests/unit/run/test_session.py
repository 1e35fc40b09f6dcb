"""Sessions: where one command's output ends, whatever the chunks; what a shell is told."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trunkline.run.session import MarkedOutput, driver, exports, restore, tell

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


def test_a_real_shell_keeps_its_state_and_tells_its_variables(tmp_path: Path) -> None:
    script = tmp_path / "driver"
    script.write_text(driver(str(tmp_path), MARK))
    commands = ["cd /; X=1; f() { echo f$X; }", "f; pwd; false", "export Y='a b'", "exit 3"]
    commands += [tell(str(tmp_path), ["X", "Y", "Z"])]
    for number, command in enumerate(commands):
        (tmp_path / f"{number}").write_text(command)
    first = subprocess.run(
        ["sh", str(script)], input=b"0\n1\n2\n4\n3\n", capture_output=True, check=False
    )
    assert split(letters(first.stdout)) == (b"f1\n/\n", [0, 1, 0, 0])
    assert first.returncode == 3
    assert (tmp_path / "out.X").read_text() == "1"
    assert (tmp_path / "out.Y").read_text() == "a b"
    assert not (tmp_path / "out.Z").exists()
    (tmp_path / "5").write_text(restore(str(tmp_path)))
    (tmp_path / "6").write_text('echo "$Y"; pwd')
    again = subprocess.run(["sh", str(script)], input=b"5\n6\n", capture_output=True, check=True)
    assert split(letters(again.stdout)) == (b"a b\n/\n", [0, 0])
