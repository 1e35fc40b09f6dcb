"""Lists in an action's inputs, read as Docker's actions read them: one record of CSV a line.

The rules are those of csv-parse, which `@docker/actions-toolkit` uses
(https://csv.js.org/parse/options/).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trunkline.ports.actions import ActionFailed

_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?!")')
_NEWLINE = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"[^\r\n]*")
_PLAIN, _PLAIN_TO_COMMENT = re.compile(r"[^,\r\n]*"), re.compile(r"[^,\r\n#]*")


class Dialect(NamedTuple):
    """How a list is written: `comment` is `#` or '', `infix` lets one begin within a line.

    `relaxed` takes quotes that stand within a field as they are, `quotes` is whether any count.
    """

    comment: str = ""
    infix: bool = True
    relaxed: bool = False
    quotes: bool = True


STRICT = Dialect()
# What `Util.getInputList` takes when it is told no more.
RELAXED = Dialect(relaxed=True)


def parse_list(text: str, dialect: Dialect = RELAXED, *, keep_commas: bool = False) -> list[str]:
    """Return the items of an input, without the space around them, the empty ones left out.

    Commas part items as lines do unless they are kept (`ignoreComma`). Raises ActionFailed.
    """
    items: list[str] = []
    for record in parse_records(text.strip(), dialect):
        items += [",".join(record)] if keep_commas else record
    return [item.strip() for item in items if item.strip()]


def parse_records(text: str, dialect: Dialect = STRICT) -> list[list[str]]:
    """Return the records of a CSV text, empty lines left out. Raises ActionFailed."""
    return _Reader(text, dialect).records()


class _Reader:
    """Reads a text from its start to its end."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self._text = text
        self._dialect = dialect
        self._at = 0

    def records(self) -> list[list[str]]:
        found: list[list[str]] = []
        while self._at < len(self._text):
            record = self._record()
            if record:
                found.append(record)
        return found

    def _record(self) -> list[str]:
        """Read a line, or more of them where quotes hold them together; [] for an empty one."""
        fields: list[str] = []
        while True:
            field, quoted = self._field(len(fields))
            commented = self._skip_comment(begun=bool(fields or field or quoted))
            if not commented and self._text.startswith(",", self._at):
                self._at += 1
                fields.append(field)
                continue
            if found := _NEWLINE.match(self._text, self._at):
                self._at = found.end()
            return [*fields, field] if fields or field or quoted else []

    def _field(self, number: int) -> tuple[str, bool]:
        """Read a field; tell whether it was quoted."""
        if self._dialect.quotes and self._text.startswith('"', self._at):
            return self._quoted()
        start = self._at
        field = self._plain(begun=bool(number))
        if self._dialect.quotes and not self._dialect.relaxed and '"' in field:
            value = field.partition('"')[0].replace("\\", "\\\\")
            raise ActionFailed(
                f"Invalid Opening Quote: a quote is found on field {number} at line "
                f'{self._line(start)}, value is "{value}"'
            )
        return field, False

    def _quoted(self) -> tuple[str, bool]:
        found = _QUOTED.match(self._text, self._at)
        if not found:
            raise ActionFailed(
                "Quote Not Closed: the parsing is finished with an opening quote at line "
                f"{self._line(len(self._text) - 1)}"
            )
        self._at = found.end()
        field = found[1].replace('""', '"')
        after = self._text[self._at : self._at + 1]
        if after in {"", ",", "\r", "\n", self._dialect.comment}:
            # A comment that may not stand here goes on as the field's text.
            return field + ("" if self._dialect.infix else self._plain()), True
        if not self._dialect.relaxed:
            raise ActionFailed(
                f'Invalid Closing Quote: got "{after}" at line {self._line(self._at)} instead of '
                "delimiter, record delimiter, trimable character (if activated) or comment"
            )
        return f'"{field}"{self._plain()}', False

    def _plain(self, *, begun: bool = True) -> str:
        """Read up to a comma, the line's end or a comment."""
        comment = self._dialect.comment
        stops = self._dialect.infix or (not begun and self._text.startswith(comment, self._at))
        found = (_PLAIN_TO_COMMENT if comment and stops else _PLAIN).match(self._text, self._at)
        field = found[0] if found else ""
        self._at += len(field)
        return field

    def _skip_comment(self, *, begun: bool) -> bool:
        """Go to the end of the line when a comment stands here; tell whether one does."""
        comment = self._dialect.comment
        if not comment or (begun and not self._dialect.infix):
            return False
        if not self._text.startswith(comment, self._at):
            return False
        found = _LINE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return True

    def _line(self, at: int) -> int:
        return len(_NEWLINE.findall(self._text, 0, at)) + 1
