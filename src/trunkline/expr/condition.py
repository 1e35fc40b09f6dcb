"""The `if` of a job or step: `success()` is understood where no status function is named."""

from __future__ import annotations

from trunkline.expr.characters import WHITESPACE
from trunkline.expr.parse import SUCCESS, parsed

STATUS_FUNCTIONS = frozenset({"always", "cancelled", "failure", "success"})


def condition(source: str) -> str:
    """Return the expression to evaluate for the `if` `source` (reference appendix A5).

    Blank text is `success()`. A status function anywhere, even in a branch that is never taken, leaves
    the text as it is; otherwise it becomes `success() && (source)`. `action.yml`'s `pre-if` and `post-if`
    are not rewritten. Raises `ExpressionError` when the expression can't be parsed.
    """
    if not source.strip(WHITESPACE):
        return SUCCESS
    if functions_used(source) & STATUS_FUNCTIONS:
        return source
    return f"{SUCCESS} && ({source})"


def functions_used(source: str) -> frozenset[str]:
    """Return the functions that an expression calls anywhere, in lower case.

    Raises `ExpressionError` when the expression can't be parsed.
    """
    mentions = parsed(source).mentions
    return frozenset(m.key for m in mentions if m.arguments is not None)
