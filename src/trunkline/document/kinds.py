"""What kind of pipeline file a text is, without reading it whole."""

from __future__ import annotations

import re

_PHASES = r"(?m:^phases[ \t]*:)"
_JOBS = r"(?m:^jobs[ \t]*:)"
_NAME = r"(?i:(?:^|/)buildspec[^/]*\.ya?ml$)"


def is_buildspec(file: str, text: str) -> bool:
    """Tell whether a file is a buildspec: by its keys, or by its name when they do not tell."""
    if re.search(_JOBS, text):
        return False
    return bool(re.search(_PHASES, text) or re.search(_NAME, file))
