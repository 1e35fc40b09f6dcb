"""What `::error`, `::warning` and `::notice` say about a place (reference section 3.17)."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import msgspec

_LARGEST = 2**31 - 1


class Annotation(msgspec.Struct, frozen=True):
    """An error, warning or notice. 0 stands for a line or column that is not known."""

    level: str
    message: str
    title: str = ""
    file: str = ""
    line: int = 0
    end_line: int = 0
    column: int = 0
    end_column: int = 0


class Place(msgspec.Struct, frozen=True):
    """The lines and columns that hold, and what was wrong with the others (for the debug log)."""

    line: int = 0
    end_line: int = 0
    column: int = 0
    end_column: int = 0
    complaint: str = ""


def annotation(
    level: str, message: str, properties: Mapping[str, str], workspace: str
) -> tuple[Annotation, str]:
    """Return the annotation of a command, and a complaint for the debug log ('' for none).

    A `file` below `workspace` is made relative to it.
    """
    place = placed(level, properties)
    return (
        Annotation(
            level,
            message,
            properties.get("title", ""),
            relative_to(properties.get("file", ""), workspace),
            place.line,
            place.end_line,
            place.column,
            place.end_column,
        ),
        place.complaint,
    )


def placed(level: str, properties: Mapping[str, str]) -> Place:
    """Return the lines and columns of a command that make sense together."""
    line, end_line = integer(properties.get("line")), integer(properties.get("endline"))
    column, end_column = integer(properties.get("col")), integer(properties.get("endcolumn"))
    complaints: list[str] = []

    def complain(text: str) -> None:
        complaints.append(f"Invalid {level} command value. {text}")

    if end_line and not line:
        complain("'endLine' can only be set if 'line' is provided")
        line = end_line
    if (column or end_column) and not line:
        complain("'col' and 'endColumn' can only be set if 'line' value is provided.")
        column = end_column = 0
    if (column or end_column) and end_line and line != end_line:
        complain("'col' and 'endColumn' can only be set if 'line' and 'endLine' are the same value")
        column = end_column = 0
    if end_line and end_line < line:
        complain("'endLine' cannot be less than 'line'")
        line = end_line = 0
    if column and end_column and end_column < column:
        complain("'endColumn' cannot be less than 'col'")
        column = end_column = 0
    return Place(line, end_line, column, end_column, "; ".join(complaints))


def integer(text: str | None) -> int:
    """Return a whole number above 0 that fits 32 bits, 0 for anything else."""
    if text is None or not text.isascii():
        return 0
    text = text.strip().removeprefix("+")
    if not text.isdigit() or len(text) > 10:
        return 0
    number = int(text)
    return number if number <= _LARGEST else 0


def relative_to(file: str, folder: str) -> str:
    """Return `file` relative to `folder` when it is below it, else as it is."""
    if not file.startswith("/") or not folder:
        return file
    normal, root = posixpath.normpath(file), posixpath.normpath(folder)
    return normal[len(root) + 1 :] if normal.startswith(root + "/") else file
