"""Collects the mistakes of one file, as many and as long as GitHub keeps them."""

from __future__ import annotations

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.base.spans import NOWHERE, Span
from trunkline.workflow.limits import Limits


class Problems:
    """The diagnostics of one file, in the order they were found."""

    def __init__(self, file: str, limits: Limits) -> None:
        self.file = file
        self.limits = limits
        self._errors: list[Diagnostic] = []
        self._notes: list[Diagnostic] = []

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return bool(self._errors)

    def error(self, span: Span, message: str, rule: str, hint: str = "") -> None:
        """Record an error; beyond the limit it is dropped, and a long message is cut."""
        limits = self.limits
        if limits.max_errors and len(self._errors) >= limits.max_errors:
            return
        if limits.max_message and len(message) > limits.max_message:
            message = message[: limits.max_message] + "[...]"
        self._errors.append(
            Diagnostic(rule=rule, message=message, file=self.file, span=span, hint=hint)
        )

    def warning(self, span: Span, message: str, rule: str, hint: str = "") -> None:
        """Record something that is surely not meant, but that GitHub accepts."""
        self._note(Severity.WARNING, span, message, rule, hint)

    def notice(self, span: Span, message: str, rule: str, hint: str = "") -> None:
        """Record something the user should know about a local run."""
        self._note(Severity.NOTICE, span, message, rule, hint)

    def _note(self, severity: Severity, span: Span, message: str, rule: str, hint: str) -> None:
        self._notes.append(
            Diagnostic(
                rule=rule, message=message, file=self.file, span=span, severity=severity, hint=hint
            )
        )

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
