"""Are all names of an expression known where it stands? The whole tree is checked, dead branches too."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from trunkline.expr.arity import BUILTIN_ARITY, Arity
from trunkline.expr.errors import ExpressionError
from trunkline.expr.lex import located
from trunkline.expr.parse import check_arity, parsed, read
from trunkline.expr.tree import Mention


def check(
    source: str,
    contexts: Collection[str],
    functions: Mapping[str, tuple[int, int]],
) -> None:
    """Raise `ExpressionError` for the first mistake of an expression, in GitHub's order.

    `contexts` names the contexts allowed where the expression stands; `functions` adds to the
    built-in functions, each with the least and the greatest number of arguments
    (`always`, `success`, `failure`, `cancelled`, `hashFiles`: reference section 1.6). Names ignore case.
    """
    known = BUILTIN_ARITY
    if functions:
        known = known | {name.lower(): Arity(*arity) for name, arity in functions.items()}
    names = {name.lower() for name in contexts}

    def accept(mention: Mention) -> None:
        if mention.arguments is not None and mention.key in known:
            check_arity(mention, known, source)
        elif mention.arguments is not None:
            raise located("Unrecognized function", mention.name, mention.position, source)
        elif mention.key not in names:
            raise located("Unrecognized named-value", mention.name, mention.position, source)

    try:
        for mention in parsed(source).mentions:
            accept(mention)
    except ExpressionError:
        # Parsing stops at a wrong symbol; an unknown name may stand before it.
        read(source, accept)
        raise
