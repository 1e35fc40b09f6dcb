"""What a step writes to GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE, GITHUB_PATH and its summary.

Source of the rules: the runner's file commands (reference section 3.16 and appendix A9).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

SUMMARY_LIMIT = 1024 * 1024
# The other files: GitHub's runner knows no bound. No expression holds more than 10 MiB of a value.
FILE_LIMIT = 16 * 1024 * 1024
SUMMARY_HELP = (
    "https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions"
    "#adding-a-markdown-summary"
)
REFUSED_VARIABLES = frozenset({"NODE_OPTIONS"})


class StepFileError(Exception):
    """A step wrote something that can't be read; the step fails with this message."""


def parse_key_values(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the (name, value) pairs of a file, in order.

    `NAME=value` on one line, or `NAME<<DELIMITER`, lines and the delimiter. What comes first in
    a line decides. Carriage returns stay in the value. Pairs before a mistake count: they are
    yielded before StepFileError is raised.
    """
    text = decode(data)
    position = 0
    while position < len(text):
        line, position, _ = _next_line(text, position)
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
            yield name, value
        elif heredoc >= 0:
            name, _, delimiter = line.partition("<<")
            if not name or not delimiter:
                raise StepFileError(
                    f"Invalid format '{line}'. Name must not be empty and delimiter must not be empty"
                )
            value, position = _value_until(text, position, delimiter)
            yield name, value
        else:
            raise StepFileError(f"Invalid format '{line}'")


def parse_paths(data: bytes) -> list[str]:
    """Return the folders of a GITHUB_PATH file, one a line, empty lines skipped."""
    lines = decode(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line for line in lines if line]


def refused_variable(name: str) -> str:
    """Return the error for a variable that GITHUB_ENV may not set, '' if it may.

    The variable is left out and the step goes on: only an annotation tells it.
    """
    for refused in REFUSED_VARIABLES:
        if name.upper() == refused:
            return f"Can't store {refused} output parameter using '$GITHUB_ENV' command."
    return ""


def summary_refusal(size: int) -> str:
    """Return why a step summary of so many bytes is not kept. The step does not fail for it."""
    return (
        "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of "
        f"{SUMMARY_LIMIT // 1024}k, got {size // 1024}k. "
        f"For more information see: {SUMMARY_HELP}"
    )


def file_refusal(kind: str, size: int) -> str:
    """Return why the file of a kind (`env`, `output` ...) with so many bytes is not read."""
    return (
        f"$GITHUB_{kind.upper()} supports content up to a size of {FILE_LIMIT // 1024}k, "
        f"got {size // 1024}k."
    )


def decode(data: bytes) -> str:
    """Return a step file's text: UTF-8 (UTF-16 after its byte order mark), bad bytes replaced."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")


def _next_line(text: str, start: int) -> tuple[str, int, bool]:
    """Return the line at `start`, where the next one begins, and whether a newline ended it."""
    end = text.find("\n", start)
    if end < 0:
        return text[start:], len(text), False
    return text[start:end], end + 1, True


def _value_until(text: str, start: int, delimiter: str) -> tuple[str, int]:
    end = position = start
    while position < len(text):
        line, position, ended = _next_line(text, position)
        if line == delimiter:
            return text[start:end], position
        if not ended:
            raise StepFileError("Invalid value. EOF marker missing new line.")
        end = position - 1
    raise StepFileError(f"Invalid value. Matching delimiter not found '{delimiter}'")
