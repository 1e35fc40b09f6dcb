"""What is wrong with an expression, in GitHub's own words."""

from __future__ import annotations

from typing import Literal as Choice

from trunkline.base.spans import NOWHERE, Span

Kind = Choice["lexing", "parsing", "evaluation"]


class ExpressionError(Exception):
    """An expression that can't be read or evaluated.

    The caller turns it into a `Diagnostic` (while a file is read) or into a failed step.
    `kind` tells a symbol that is no part of the language (`lexing`) from one that stands in
    the wrong place or is not known there (`parsing`) and from a value that does not fit (`evaluation`).
    `span` is the place of the value in its file, where the caller gave one.
    """

    def __init__(self, message: str, kind: Kind = "evaluation", span: Span = NOWHERE) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.span = span
