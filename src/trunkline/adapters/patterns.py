"""Users' regular expressions, with a time limit: the `regex` library."""

from __future__ import annotations

import regex

from trunkline.run.matchers import Matching


def compile_pattern(source: str, each_line: bool) -> Matching:  # noqa: FBT001 - a callable's shape
    """Compile `source`; with `each_line` `^` and `$` match at every line. Raises ValueError."""
    flags = regex.ASCII | regex.VERSION0 | (regex.MULTILINE if each_line else 0)
    try:
        found: Matching = regex.compile(source, flags, cache_pattern=False)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return found
