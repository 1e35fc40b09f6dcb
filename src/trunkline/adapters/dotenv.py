"""Reads dotenv files: NAME=value lines, quotes, comments, `export`, values of several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from trunkline.base.errors import Unavailable, UsageError

# Compiled with the first file: most runs have none.
_compiled = cache(re.compile)
_NAME = r"(?a)[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*(=|<<)"
_BLANK = r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)"
_DOUBLE = r'(?s)"((?:[^"\\]|\\.)*)"'
_SINGLE = r"'([^']*)'"
_PLAIN = r"[^\n]*"
_COMMENT = r"(?:^|[ \t]+)#.*"
_ESCAPE = r"(?s)\\(.)"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\n": ""}


def read(path: str) -> dict[str, str]:
    """Return the variables of a dotenv file; none when it is not there. A later line wins.

    Raises UsageError with file and line for what is no dotenv file, Unavailable for a file that
    can't be read.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text.") from None
    return dict(_entries(text, path))


def _entries(text: str, path: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        if blank := _compiled(_BLANK).match(text, position):
            position = blank.end() or len(text)
            continue
        line = f"{path}:{text.count(chr(10), 0, position) + 1}"
        name = _compiled(_NAME).match(text, position)
        if name is None:
            raise UsageError(f"{line}: this is no NAME=value line.")
        if name[2] == "<<":
            value, position = _delimited(text, name.end(), line)
        else:
            value, position = _value(text, name.end(), line)
        yield name[1], value


def _value(text: str, position: int, line: str) -> tuple[str, int]:
    """Return the value that begins at `position`, and where the next line begins.

    In double quotes backslashes escape; in single quotes nothing does. Without quotes a value ends
    before ` #`, and blanks around it do not count. Nothing is expanded: secrets hold `$`.
    """
    while text[position : position + 1] in {" ", "\t"}:
        position += 1
    quote = text[position : position + 1]
    if quote not in {'"', "'"}:
        plain = _compiled(_PLAIN).match(text, position)
        found = plain[0] if plain else ""
        return re.sub(_COMMENT, "", found).rstrip(), position + len(found) + 1
    quoted = _compiled(_DOUBLE if quote == '"' else _SINGLE).match(text, position)
    if quoted is None:
        raise UsageError(f"{line}: the quote {quote} is not closed.")
    rest = _compiled(_BLANK).match(text, quoted.end())
    if rest is None:
        raise UsageError(f"{line}: something follows the closing quote {quote}")
    value = quoted[1]
    if quote == '"':
        value = re.sub(_ESCAPE, lambda escape: _ESCAPES.get(escape[1], escape[1]), value)
    return value, max(rest.end(), quoted.end())


def _delimited(text: str, position: int, line: str) -> tuple[str, int]:
    """Return the lines up to the delimiter (as in GITHUB_ENV), and where the next line begins."""
    delimiter, _, rest = text[position:].partition("\n")
    lines = rest.split("\n")
    if not delimiter or delimiter not in lines:
        raise UsageError(f"{line}: the delimiter '{delimiter}' is missing.")
    value = "\n".join(lines[: lines.index(delimiter)])
    used = (
        len(delimiter) + 1 + (len(value) + 1 if lines.index(delimiter) else 0) + len(delimiter) + 1
    )
    return value, position + used
