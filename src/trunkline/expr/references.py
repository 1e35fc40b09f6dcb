"""Which properties of contexts does an expression read?"""

from __future__ import annotations

from trunkline.expr.parse import parse
from trunkline.expr.tree import Constant, ContextName, Index, Node, children
from trunkline.expr.values import to_text


def references(source: str) -> tuple[tuple[str, ...], ...]:
    """Return the dereference paths of an expression, such as `("vars", "X")`, as written and in order.

    A path ends where the next name is computed (`vars[env.X]`) or is `*`. Names are as written:
    compare them ignoring case. Raises `ExpressionError` when the expression can't be parsed.
    """
    found: list[tuple[str, ...]] = []
    waiting: list[Node] = [parse(source)]
    while waiting:
        node = waiting.pop()
        path = _path(node)
        if path:
            found.append(path)
            while isinstance(node, Index):
                if not isinstance(node.index, Constant):
                    waiting.append(node.index)
                node = node.target
        else:
            waiting.extend(reversed(children(node)))
    return tuple(found)


def _path(node: Node) -> tuple[str, ...]:
    """Return the path of a chain of dereferences that starts at a context; empty for other nodes."""
    names: list[str] = []
    while isinstance(node, Index):
        if isinstance(node.index, Constant):
            names.append(to_text(node.index.value))
        else:
            names.clear()
        node = node.target
    return (node.name, *reversed(names)) if isinstance(node, ContextName) else ()
