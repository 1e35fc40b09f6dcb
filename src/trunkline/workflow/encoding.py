"""Bytes of a pipeline file to text."""

from __future__ import annotations

import codecs

from trunkline.base.diagnostics import Diagnostic
from trunkline.base.spans import Span
from trunkline.document.limits import MOST_BYTES


def decode(data: bytes, file: str) -> tuple[str, Diagnostic | None]:
    """Return the text of a UTF-8 file, and the mistake when it is no UTF-8.

    A byte order mark is left out; what is no UTF-8 becomes U+FFFD, so that places stay right. Of a
    file that reaches MOST_BYTES only the size counts, which the parser tells: it may end anywhere.
    """
    if len(data) >= MOST_BYTES:
        return data[:MOST_BYTES].decode("utf-8", "replace"), None
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode(), None
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        span = Span(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return data.decode("utf-8", "replace"), Diagnostic(
            rule="syntax",
            message="The file is not UTF-8 text",
            file=file,
            span=span,
            hint="Save it as UTF-8.",
        )
