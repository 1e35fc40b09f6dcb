"""JavaScript's regular expressions on Python's `regex`, with a time limit."""

from __future__ import annotations

import re

import regex

from trunkline.ports.actions import ActionFailed

_SECONDS = 1.0
_SLASHED = re.compile(r"/(.+)/(.*)", re.DOTALL)
# What means another thing in Python: `$`, braces that count nothing, empty classes, `\k<name>`.
_TOKEN = re.compile(
    r"\\k<(\w+)>|\\.|\[\^\]|\[\]|\[(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[${}]", re.DOTALL
)
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}
_WITHOUT_EFFECT = "gduvy"


def match_groups(pattern: str, text: str) -> list[str | None] | None:
    """Return what `text.match(pattern)` gives: the groups, or with flag `g` all matches.

    A pattern may stand between slashes, with flags after them. None when nothing matches. Raises
    ActionFailed for a pattern that can't be read or takes too long.
    """
    slashed = _SLASHED.fullmatch(pattern)
    source, flags = (slashed[1], slashed[2]) if slashed else (pattern, "")
    if set(flags) - set(_FLAGS) - set(_WITHOUT_EFFECT) or len(set(flags)) < len(flags):
        raise ActionFailed(f"Invalid flags supplied to RegExp constructor '{flags}'")
    options = regex.VERSION0 | regex.ASCII
    for flag in flags:
        options |= _FLAGS.get(flag, 0)
    try:
        expression = regex.compile(_translated(source, flags), options, cache_pattern=False)
        found = list(expression.finditer(text, timeout=_SECONDS))
    except (regex.error, OverflowError, RecursionError) as error:
        raise ActionFailed(f"Invalid regular expression: /{source}/: {error}") from error
    except TimeoutError as error:
        raise ActionFailed(f"The pattern {source} takes too long.") from error
    if not found:
        return None
    if "g" in flags:
        return [each[0] for each in found]
    return [found[0][0], *found[0].groups()]


def _translated(source: str, flags: str) -> str:
    def translate(token: re.Match[str]) -> str:
        text = token[0]
        if token[1]:
            return f"(?P={token[1]})"
        if text == "$":
            return text if "m" in flags else r"\Z"
        return {"[^]": r"(?s:.)", "[]": r"(?!)", "{": r"\{", "}": r"\}"}.get(text, text)

    return _TOKEN.sub(translate, source)
