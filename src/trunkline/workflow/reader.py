"""Reads nodes by a schema: tokens out, and every mistake of structure in GitHub's words."""

from __future__ import annotations

from collections import Counter

from trunkline.base.spans import Span
from trunkline.document.problems import Problems, TooMuch
from trunkline.document.scalars import Value
from trunkline.document.yaml import MappingNode, Node, ScalarNode, SequenceNode
from trunkline.expr.characters import fold
from trunkline.expr.memory import text_size
from trunkline.expr.template import Expression, Insert, Literal, Mapping, Sequence, Token
from trunkline.expr.values import to_text
from trunkline.workflow import hints
from trunkline.workflow.expressions import (
    NONE_ALLOWED,
    Allowed,
    ExpressionErrors,
    has_text_around,
    read_condition,
    read_text,
)
from trunkline.workflow.shapes import ANY, ANYTHING, Keys, Shape

NOT_ALLOWED = "A template expression is not allowed in this context"

ALWAYS_TRUE = (
    "Conditional expression contains literal text outside replacement tokens. "
    "This will cause the expression to always evaluate to truthy. "
    "Did you mean to put the entire expression inside ${{ }}?"
)
WHOLE = "Text around `${{ }}` makes it a string, and a string is true."
_OBJECT = 24
_BACKGROUND = frozenset({"background", "wait", "wait-all", "cancel"})


class Rule:
    """A shape at a place: its expressions may use the contexts of all shapes around it too."""

    def __init__(self, shape: Shape, allowed: Allowed) -> None:
        self.shape = shape
        self.allowed = allowed
        self._inner: dict[int, Rule] = {}

    def inner(self, shape: Shape) -> Rule:
        """Return the rule for a shape inside of this one."""
        rule = self._inner.get(id(shape))
        if rule is None:
            rule = self._inner[id(shape)] = _rule(shape, self.allowed)
        return rule


_RULES: dict[tuple[int, Allowed], Rule] = {}


def _rule(shape: Shape, around: Allowed) -> Rule:
    allowed = around.plus(shape.contexts)
    key = (id(shape), allowed)
    if key not in _RULES:
        _RULES[key] = Rule(shape, allowed)
    return _RULES[key]


class Reader:
    """Reads one file. `size` is what GitHub says its tokens take in memory, in bytes."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._limits = problems.limits
        self._withheld = frozenset() if self._limits.background_steps else _BACKGROUND
        self.size = text_size(problems.file)

    def read(self, node: Node, shape: Shape) -> Token:
        """Return the tokens of `node`; mistakes go to `problems`.

        Raises:
            TooMuch: when the tokens are larger than the limits allow.
        """
        return self._value(node, _rule(shape, NONE_ALLOWED))

    def _value(self, node: Node, rule: Rule) -> Token:
        if isinstance(node, ScalarNode):
            return self._scalar(node, rule)
        if isinstance(node, MappingNode):
            return self._mapping(node, rule)
        self._account(_OBJECT)
        items = rule.shape.items
        if items is None:
            self._problems.error(node.span, "A sequence was not expected", "structure")
            return Sequence((), node.span)
        inner = rule.inner(items)
        return Sequence(tuple([self._value(item, inner) for item in node.items]), node.span)

    def _account(self, size: int) -> None:
        self.size += size
        if self.size > self._limits.max_size:
            raise TooMuch("Maximum object size exceeded")

    # --- scalars --------------------------------------------------------------------------

    def _scalar(self, node: ScalarNode, rule: Rule) -> Token:
        value, span, shape = node.value, node.span, rule.shape
        if isinstance(value, str) and "${{" in value:
            token = self._expression(value, span, rule)
            if isinstance(token, Expression):
                if shape.condition and has_text_around(value):
                    self._problems.warning(span, ALWAYS_TRUE, "condition", WHOLE)
                return self._placed(token, rule)
            if isinstance(token, Insert):
                self._unexpected(span, value, shape)
                return token
            if token is None and shape.condition:
                return Literal(value, span)
            if token is not None:
                value = token.value
        fitting = self._fit(value, span, shape)
        self._account(_OBJECT + (text_size(fitting) if isinstance(fitting, str) else 0))
        if shape.condition and isinstance(fitting, str):
            return self._condition(fitting, span, rule)
        return Literal(fitting, span)

    def _placed(self, token: Expression, rule: Rule) -> Token:
        """Accept an expression where its place allows one."""
        self._account(_OBJECT + text_size(token.source))
        if not rule.allowed.names:
            self._problems.error(token.span, NOT_ALLOWED, "expression")
        if rule.shape.condition:
            return self._condition(token.source, token.span, rule)
        return token

    def _fit(self, value: Value, span: Span, shape: Shape) -> Value:
        """Return the value as the shape wants it: other scalars become text where text is due."""
        if isinstance(value, str):
            written = value
        elif (
            (value is None and shape.null)
            or (isinstance(value, bool) and shape.boolean)
            or (type(value) is float and shape.number)
        ):
            return value
        else:
            written = to_text(value)
        if not (shape.string == ANY or (shape.string and written) or written in shape.words):
            self._unexpected(span, written, shape)
        return written

    def _unexpected(self, span: Span, written: str, shape: Shape) -> None:
        if self._problems.full:
            return
        message = f"Unexpected value '{written}'"
        self._problems.error(span, message, "value", hints.for_value(written, shape))

    def _expression(
        self, text: str, span: Span, rule: Rule
    ) -> Expression | Insert | Literal | None:
        """Return what text with expressions in it means, or None when they are wrong."""
        try:
            return read_text(text, span, rule.allowed)
        except ExpressionErrors as errors:
            for error in errors.found:
                self._problems.error(span, error.message, "expression", error.hint)
            return None

    def _condition(self, text: str, span: Span, rule: Rule) -> Token:
        """Return the expression of an `if`, rewritten as GitHub does."""
        try:
            return read_condition(text, span, rule.allowed, raw=rule.shape.condition == "raw")
        except ExpressionErrors as errors:
            for error in errors.found:
                self._problems.error(span, error.message, "expression", error.hint)
            return Literal(text, span)

    # --- mappings -------------------------------------------------------------------------

    def _mapping(self, node: MappingNode, rule: Rule) -> Token:
        self._account(_OBJECT)
        if not rule.shape.keys:
            self._problems.error(node.span, "A mapping was not expected", "structure")
            return Mapping((), node.span)
        open_mapping = _Open(list(rule.shape.keys), node.span)
        for key_node, value_node in node.entries:
            key = self._key(key_node, rule)
            if isinstance(key, Literal):
                self._entry(key, value_node, open_mapping, rule)
            elif key is not None:
                open_mapping.has_expression = True
                if rule.allowed.names:
                    source = key.source if isinstance(key, Expression) else ""
                    self._account(_OBJECT + (text_size(source) if source else 0))
                    values = rule.inner(open_mapping.expression_values())
                    open_mapping.entries.append((key, self._value(value_node, values)))
                else:
                    self._problems.error(key.span, NOT_ALLOWED, "expression")
        self._finish(node, open_mapping)
        return Mapping(tuple(open_mapping.entries), node.span)

    def _key(self, node: Node, rule: Rule) -> Token | None:
        """Return a mapping's key: a literal, an expression, or None when it is no scalar."""
        if not isinstance(node, ScalarNode):
            kind = "sequence" if isinstance(node, SequenceNode) else "mapping"
            self._problems.error(node.span, f"A {kind} was not expected", "structure")
            return None
        value = node.value
        if isinstance(value, str):
            if "${{" in value:
                token = self._expression(value, node.span, rule)
                return Literal(value, node.span) if token is None else token
            return Literal(value, node.span)
        return Literal(to_text(value), node.span)

    def _entry(self, key: Literal, node: Node, into: _Open, rule: Rule) -> None:
        """Read one entry of a mapping under its literal key."""
        name = str(key.value)
        folded = fold(name)
        if folded in into.seen:
            self._problems.error(key.span, f"'{name}' is already defined", "duplicate")
            return
        into.seen.add(folded)
        shape = into.match(name)
        if shape is not None and name in self._withheld:
            shape = None
        elif shape is None:
            shape = into.loose()
            if name == "<<" and isinstance(node, MappingNode) and not (shape and shape.keys):
                self._problems.error(key.span, "Unexpected value '<<'", "unknown-key", hints.MERGE)
                return
            if shape is not None and not name and into.candidates[0].filled_keys:
                self._problems.error(key.span, "Unexpected value ''", "value")
        if shape is None:
            self._unknown(key, node, into, rule)
            return
        self._account(_OBJECT + text_size(name))
        into.entries.append((key, self._value(node, rule.inner(shape))))

    def _unknown(self, key: Literal, node: Node, into: _Open, rule: Rule) -> None:
        """Tell an unknown key; when another was surely meant, check the value as that one's."""
        name = str(key.value)
        message = f"Unexpected value '{name}'"
        if into.candidates[0].lenient and not self._limits.strict_dispatch:
            self._problems.warning(key.span, message, "unknown-key", "GitHub ignores this key.")
            return
        self._problems.mark(into.span)
        if self._problems.full:
            return
        meant = hints.meant_key(name, into.candidates)
        hint = hints.for_key(name, meant, rule.shape, into.candidates)
        self._problems.error(key.span, message, "unknown-key", hint)
        if meant is not None and fold(meant) not in into.seen:
            shape = next(keys.known[meant] for keys in into.candidates if meant in keys.known)
            token = self._value(node, rule.inner(shape))
            into.entries.append((Literal(meant, key.span), token))

    def _finish(self, node: MappingNode, mapping: _Open) -> None:
        """Check that one kind of mapping is left, and that it has what it needs."""
        if len(mapping.candidates) > 1:
            counts = Counter(name for keys in mapping.candidates for name in keys.known)
            names = sorted(
                n for n, count in counts.items() if count == 1 and n not in self._withheld
            )
            message = (
                "There's not enough info to determine what you meant. "
                f"Add one of these properties: {', '.join(names)}"
            )
            self._problems.error(node.span, message, "structure")
        elif not mapping.has_expression:
            for name in mapping.candidates[0].required:
                if fold(name) not in mapping.seen:
                    message = f"Required property is missing: {name}"
                    self._problems.error(node.span, message, "missing-key")


class _Open:
    """A mapping that is being read: the kinds it may still be, and what it holds so far."""

    def __init__(self, candidates: list[Keys], span: Span) -> None:
        self.candidates = candidates
        self.span = span
        self.entries: list[tuple[Token, Token]] = []
        self.seen: set[str] = set()
        self.has_expression = False

    def match(self, name: str) -> Shape | None:
        """Return the shape of a known key, and drop the kinds that do not know it."""
        candidates = self.candidates
        if len(candidates) == 1:
            return candidates[0].known.get(name)
        matching = [keys for keys in candidates if name in keys.known]
        if not matching:
            return None
        self.candidates = matching
        return matching[0].known[name]

    def loose(self) -> Shape | None:
        """Return the shape of a key the user names, where there may be such keys."""
        return self.candidates[0].loose

    def expression_values(self) -> Shape:
        """Return the shape of a value whose key is an expression."""
        keys = self.candidates[0]
        return keys.loose if keys.loose is not None and not keys.known else ANYTHING
