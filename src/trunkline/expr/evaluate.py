"""A tree and its contexts to a value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from trunkline.expr.check import check
from trunkline.expr.dereference import every, item
from trunkline.expr.errors import ExpressionError
from trunkline.expr.functions import BUILTINS, Arguments
from trunkline.expr.memory import MAX_BYTES, Counter, Memory
from trunkline.expr.parse import MAX_LENGTH, parsed
from trunkline.expr.resolve import as_text, check_size, resolve
from trunkline.expr.template import Token
from trunkline.expr.tree import (
    And,
    Call,
    Comparison,
    Constant,
    ContextName,
    Index,
    Node,
    Not,
    Or,
    Wildcard,
)
from trunkline.expr.values import Value, is_truthy, loosely_equal, order

Function = Callable[[list[Value]], Value]
NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})


def evaluate(
    source: str,
    contexts: Mapping[str, Value],
    functions: Mapping[str, Function] = NO_FUNCTIONS,
    *,
    limit: int = MAX_BYTES,
) -> Value:
    """Return the value of an expression (without its `${{ }}`); blank text is null.

    `contexts` holds the contexts by name; `functions` binds what the place adds to the built-in
    functions (`always`, `success`, `failure`, `cancelled`, `hashFiles`): each takes its evaluated
    arguments and may raise `ExpressionError`. Names ignore case. `limit` is in bytes.
    Raises `ExpressionError` with GitHub's message: for what can't be parsed, for a context or function
    that is not there (even in a branch that is not taken), for a bad argument, for too large a result.
    """
    try:
        expression = parsed(source)
    except ExpressionError:
        _explain(source, contexts, functions)
        raise
    for mention in expression.mentions:
        table = contexts if mention.arguments is None else functions
        if mention.key in table or (mention.arguments is not None and mention.key in BUILTINS):
            continue
        contexts, functions = _by_lower_name(contexts), _by_lower_name(functions)
        if mention.key not in (contexts if mention.arguments is None else functions):
            _explain(source, contexts, functions)
    return _Evaluation(expression.root, contexts, functions, limit).value(expression.root, 0)


def evaluate_token(
    token: Token, contexts: Mapping[str, Value], functions: Mapping[str, Function] = NO_FUNCTIONS
) -> Value:
    """Return the value that a token of a file has, with all expressions in it evaluated.

    An item that is an expression with an array as its value is replaced by that array's items. A key that is
    an expression becomes its text; `${{ insert }}` joins the entries of its value to the mapping.
    Raises `ExpressionError`, its `span` being the place of the token, as `evaluate` does and for a
    key that comes twice (ignoring case), an insert without a mapping, too large or too deep a result.
    """
    value = resolve(token, lambda source: evaluate(source, contexts, functions))
    check_size(value, token.span)
    return value


def evaluate_text(
    token: Token, contexts: Mapping[str, Value], functions: Mapping[str, Function] = NO_FUNCTIONS
) -> str:
    """Return the value of a token as text; null is empty.

    Raises `ExpressionError` as `evaluate_token` does, and for an array or an object.
    """
    return as_text(evaluate_token(token, contexts, functions), token.span)


def _by_lower_name(table: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name.lower(): value for name, value in table.items()}


def _explain(source: str, contexts: Collection[str], functions: Collection[str]) -> None:
    """Raise the first mistake of an expression: an unknown name may stand before a wrong symbol."""
    check(source, contexts, dict.fromkeys(functions, (0, MAX_LENGTH)))


class _Evaluation:
    """One evaluation of one tree."""

    def __init__(
        self,
        root: Node,
        contexts: Mapping[str, Value],
        functions: Mapping[str, Function],
        limit: int,
    ) -> None:
        self.contexts = contexts
        self.functions = functions
        self.limit = limit
        self.memory = Memory(root, limit)

    def value(self, node: Node, level: int) -> Value:
        """Return the value of a node; the root's level is 0."""
        result = _HANDLERS[type(node)](self, node, level)
        self.memory.add(level, result)
        return result

    def constant(self, node: Constant, _level: int) -> Value:
        return node.value

    def context(self, node: ContextName, _level: int) -> Value:
        return self.contexts[node.key]

    def negation(self, node: Not, level: int) -> Value:
        return not is_truthy(self.value(node.operand, level + 1))

    def conjunction(self, node: And, level: int) -> Value:
        result: Value = None
        for operand in node.operands:
            result = self.value(operand, level + 1)
            if not is_truthy(result):
                break
        return result

    def disjunction(self, node: Or, level: int) -> Value:
        result: Value = None
        for operand in node.operands:
            result = self.value(operand, level + 1)
            if is_truthy(result):
                break
        return result

    def comparison(self, node: Comparison, level: int) -> Value:
        left = self.value(node.left, level + 1)
        right = self.value(node.right, level + 1)
        return _COMPARE[node.operator](left, right)

    def index(self, node: Index, level: int) -> Value:
        target = self.value(node.target, level + 1)
        if isinstance(node.index, Wildcard):
            counter = Counter(node, self.limit)
            result = every(target, counter)
            self.memory.add_bytes(level, counter.bytes)
            return result
        if not isinstance(target, list | dict):
            return None
        return item(target, self.value(node.index, level + 1))

    def call(self, node: Call, level: int) -> Value:
        builtin = BUILTINS.get(node.key)
        below = level + 1
        if builtin is not None:
            values = Arguments(node.arguments, lambda argument: self.value(argument, below))
            return builtin(values, Counter(node, self.limit))
        function = self.functions[node.key]
        return function([self.value(argument, below) for argument in node.arguments])


def _at_most(left: Value, right: Value) -> bool:
    return loosely_equal(left, right) or order(left, right) == -1


def _at_least(left: Value, right: Value) -> bool:
    return loosely_equal(left, right) or order(left, right) == 1


_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "==": loosely_equal,
    "!=": lambda left, right: not loosely_equal(left, right),
    "<": lambda left, right: order(left, right) == -1,
    ">": lambda left, right: order(left, right) == 1,
    "<=": _at_most,
    ">=": _at_least,
}

_HANDLERS: dict[type[Node], Callable[[_Evaluation, Any, int], Value]] = {
    Constant: _Evaluation.constant,
    ContextName: _Evaluation.context,
    Not: _Evaluation.negation,
    And: _Evaluation.conjunction,
    Or: _Evaluation.disjunction,
    Comparison: _Evaluation.comparison,
    Index: _Evaluation.index,
    Call: _Evaluation.call,
}
