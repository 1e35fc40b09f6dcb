"""What kind of pipeline file a text is, without reading it whole."""

from __future__ import annotations

import re

_PHASES = re.compile(r"^phases[ \t]*:", re.MULTILINE)
_JOBS = re.compile(r"^jobs[ \t]*:", re.MULTILINE)
_NAME = re.compile(r"(?:^|/)buildspec[^/]*\.ya?ml$", re.IGNORECASE)


def is_buildspec(file: str, text: str) -> bool:
    """Tell whether a file is a buildspec: by its keys, or by its name when they do not tell."""
    if _JOBS.search(text):
        return False
    return _PHASES.search(text) is not None or _NAME.search(file) is not None
