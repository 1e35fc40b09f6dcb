"""The steps of a job or of a composite action."""

from __future__ import annotations

from trunkline.base.spans import Span
from trunkline.document.problems import Problems
from trunkline.expr.characters import fold
from trunkline.expr.template import Expression, Literal, Mapping, Token
from trunkline.workflow import ids
from trunkline.workflow.model import (
    CancelStep,
    ParallelStep,
    RunStep,
    Step,
    Text,
    UsesStep,
    WaitStep,
)
from trunkline.workflow.scripts import check_script, check_shell
from trunkline.workflow.tokens import entries, fields, flag, items, string, text, texts
from trunkline.workflow.uses import automatic_name, check_action

SUCCESS = Expression("success()")
_NOT_PARALLEL = ("wait", "wait-all", "cancel")


def steps(token: Token | None, problems: Problems, source: list[str]) -> tuple[Step, ...]:
    """Return the steps, each with an id. `source` holds the lines of the file."""
    reader = _Steps(problems, source)
    reader.take_ids(token)
    return reader.build(token)


class _Steps:
    """Reads one list of steps; its ids are known to all of them, parallel ones included."""

    def __init__(self, problems: Problems, source: list[str]) -> None:
        self._problems = problems
        self._source = source
        self._ids = ids.StepIds()
        self._background: dict[str, bool] = {}
        self._written: dict[str, str] = {}

    # --- ids, in the order of the file ----------------------------------------------------

    def take_ids(self, token: Token | None) -> None:
        """Check the written ids, and what `wait` and `cancel` name, before ids are given."""
        for item in items(token):
            step = fields(item)
            own = text(step.get("id"))
            if own is not None:
                self._take(own)
            for target in (*texts(step.get("wait")), *texts(step.get("cancel"))):
                self._check_target(target, own)
            if own is not None:
                self._background[fold(own.value)] = flag(step.get("background"))
                self._written.setdefault(fold(own.value), own.value)
            if "parallel" in step:
                self.take_ids(step["parallel"])

    def _take(self, own: Text) -> None:
        wrong = self._ids.add(own.value)
        if wrong:
            self._problems.error(own.span, wrong, "id")

    def _check_target(self, target: Text, own: Text | None) -> None:
        name = fold(target.value)
        if target.value.startswith("__"):
            self._problems.error(target.span, ids.reserved(target.value), "id")
        elif own is not None and fold(own.value) == name:
            message = f"Step '{own.value}' cannot reference itself"
            self._problems.error(target.span, message, "wait")
        elif name not in self._background:
            message = f"Step references unknown step ID '{target.value}'"
            hint = "It must be the id of a background step further up."
            self._problems.error(target.span, message, "wait", hint)
        elif not self._background[name]:
            message = f"Step '{target.value}' does not run in the background"
            self._problems.warning(target.span, message, "wait", "Give it 'background: true'.")

    # --- steps ----------------------------------------------------------------------------

    def build(self, token: Token | None) -> tuple[Step, ...]:
        """Return the steps, those without an id with GitHub's automatic one."""
        found = [self._step(item) for item in items(token) if isinstance(item, Mapping)]
        return tuple(step for step in found if step is not None)

    def _step(self, item: Mapping) -> Step | None:
        step = fields(item)
        span = item.span
        if "run" in step:
            return self._run(step, span)
        uses = text(step.get("uses"))
        if uses is not None:
            return self._uses(step, uses, span)
        if "wait" in step or "wait-all" in step:
            return self._wait(step, span)
        target = text(step.get("cancel"))
        if target is not None:
            return CancelStep(
                id=self._id(step, "cancel", span),
                target=self._as_written(target),
                name=step.get("name"),
                continue_on_error=step.get("continue-on-error"),
                span=span,
            )
        if "parallel" in step:
            return self._parallel(step, span)
        return None

    def _run(self, step: dict[str, Token], span: Span) -> RunStep:
        shell = step.get("shell")
        check_shell(shell, self._problems)
        check_script(step["run"], self._source, self._problems)
        return RunStep(
            id=self._id(step, "run", span),
            run=step["run"],
            condition=_condition(step),
            name=step.get("name"),
            env=step.get("env"),
            shell=shell,
            working_directory=step.get("working-directory"),
            continue_on_error=step.get("continue-on-error"),
            timeout_minutes=step.get("timeout-minutes"),
            background=flag(step.get("background")),
            span=span,
        )

    def _uses(self, step: dict[str, Token], uses: Text, span: Span) -> UsesStep:
        check_action(uses, self._problems)
        return UsesStep(
            id=self._id(step, automatic_name(uses.value) or "run", span),
            uses=uses,
            condition=_condition(step),
            with_=step.get("with"),
            name=step.get("name"),
            env=step.get("env"),
            continue_on_error=step.get("continue-on-error"),
            timeout_minutes=step.get("timeout-minutes"),
            background=flag(step.get("background")),
            span=span,
        )

    def _wait(self, step: dict[str, Token], span: Span) -> WaitStep:
        every = step.get("wait-all")
        if every is not None and _is_false(every):
            message = "The value of 'wait-all' must be true or omitted"
            self._problems.error(every.span, message, "wait")
        targets = None if "wait" not in step else texts(step["wait"])
        return WaitStep(
            id=self._id(step, "wait" if targets is not None else "wait-all", span),
            targets=None if targets is None else tuple(map(self._as_written, targets)),
            name=step.get("name"),
            continue_on_error=step.get("continue-on-error"),
            span=span,
        )

    def _parallel(self, step: dict[str, Token], span: Span) -> ParallelStep:
        inner = step["parallel"]
        for item in items(inner):
            self._check_parallel(item)
        found = self.build(inner)
        return ParallelStep(
            id=self._id(step, "parallel", span),
            steps=tuple(one for one in found if isinstance(one, RunStep | UsesStep)),
            span=span,
        )

    def _check_parallel(self, item: Token) -> None:
        for name, span, _ in entries(item):
            if name == "background":
                message = (
                    "'background' is not allowed inside a parallel block. Steps in a parallel "
                    "block are automatically run as background steps."
                )
                self._problems.error(span, message, "parallel")
            elif name in _NOT_PARALLEL:
                message = f"'{name}' is not allowed inside a parallel block."
                self._problems.error(span, message, "parallel")
            elif name == "parallel":
                self._problems.error(span, "Nested 'parallel' blocks are not allowed.", "parallel")

    def _id(self, step: dict[str, Token], kind: str, span: Span) -> str:
        written = string(step.get("id"))
        if written:
            return written
        given = self._ids.automatic(kind)
        if not given:
            self._problems.error(span, "Unable to create a unique name", "id")
        return given

    def _as_written(self, target: Text) -> Text:
        """Return a target by the very id its step has; case does not matter to GitHub."""
        return Text(self._written.get(fold(target.value), target.value), target.span)


def _condition(step: dict[str, Token]) -> Expression:
    found = step.get("if")
    return found if isinstance(found, Expression) else SUCCESS


def _is_false(token: Token) -> bool:
    return isinstance(token, Literal) and token.value is False
