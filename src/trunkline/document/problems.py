"""Collects the mistakes of one file, as many and as long as GitHub keeps them."""

from __future__ import annotations

import msgspec

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.base.spans import NOWHERE, Span
from trunkline.document.limits import Limits

_MOST_NOTES = 1000


class Problems:
    """The diagnostics of one file, in the order they were found."""

    def __init__(self, file: str, limits: Limits) -> None:
        self.file = file
        self.limits = limits
        self._errors: list[Diagnostic] = []
        self._notes: list[Diagnostic] = []
        self._marked: set[Span] = set()

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return bool(self._errors)

    @property
    def full(self) -> bool:
        """Whether further errors are dropped: no need to look for hints."""
        return 0 < self.limits.max_errors <= len(self._errors)

    def error(self, span: Span, message: str, rule: str, hint: str = "") -> None:
        """Record an error; beyond the limit it is dropped, and a long message is cut."""
        limits = self.limits
        if self.full:
            return
        found = Diagnostic(rule=rule, message=message, file=self.file, span=span, hint=hint)
        too_long = len(found.text()) - limits.max_message
        if limits.max_message and too_long > 0:
            cut = message[: max(len(message) - too_long, 0)] + "[...]"
            found = msgspec.structs.replace(found, message=cut)
        self._errors.append(found)

    def warning(self, span: Span, message: str, rule: str, hint: str = "") -> None:
        """Record something that is surely not meant, but that GitHub accepts."""
        self._note(Severity.WARNING, span, message, rule, hint)

    def notice(self, span: Span, message: str, rule: str, hint: str = "") -> None:
        """Record something the user should know about a local run."""
        self._note(Severity.NOTICE, span, message, rule, hint)

    def _note(self, severity: Severity, span: Span, message: str, rule: str, hint: str) -> None:
        if len(self._notes) == _MOST_NOTES:
            return
        self._notes.append(
            Diagnostic(
                rule=rule, message=message, file=self.file, span=span, severity=severity, hint=hint
            )
        )

    def mark(self, span: Span) -> None:
        """Remember that the mapping at `span` has keys that could not be read."""
        self._marked.add(span)

    def is_marked(self, span: Span) -> bool:
        """Return whether what is missing in the mapping at `span` may be a key that is wrong."""
        return span in self._marked

    def found(self) -> tuple[Diagnostic, ...]:
        """Return everything: errors first, then warnings and notices, each in the order found."""
        return (*self._errors, *self._notes)


class TooMuch(Exception):
    """A limit was exceeded or the text is no YAML: reading the file ends here."""

    def __init__(
        self, message: str, span: Span = NOWHERE, hint: str = "", *, rule: str = "limit"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
        self.rule = rule
