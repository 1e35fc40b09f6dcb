"""The user's mistakes as values: what is wrong, where, and what to do."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.base.spans import NOWHERE, Span


class Severity(StrEnum):
    """How much a diagnostic matters: only an error stops a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in a pipeline file.

    `message` is GitHub's own wording where GitHub has one, else one that looks like it: a capital,
    'quotes' around what is written in the file, no full stop. `hint` is ours, a whole sentence that
    says what to do. `rule` is a stable short name (`syntax`, `unknown-key`, `expression`, ...).
    """

    rule: str
    message: str
    file: str = ""
    span: Span = NOWHERE
    severity: Severity = Severity.ERROR
    hint: str = ""

    def text(self) -> str:
        """Return GitHub's form: `<file> (Line: L, Col: C): <message>`."""
        if self.span == NOWHERE:
            return f"{self.file}: {self.message}" if self.file else self.message
        return f"{self.file} (Line: {self.span.line}, Col: {self.span.column}): {self.message}"
