"""Slips in scripts that are sure to fail: told where they stand, before anything runs."""

from __future__ import annotations

import re

from trunkline.base.spans import Span
from trunkline.document.problems import Problems
from trunkline.expr.template import Expression, Literal, Token
from trunkline.workflow.tokens import string

_SHELLS = frozenset({"bash", "sh", "cmd", "powershell", "pwsh", "python"})
_PIP_INSTALL = re.compile(r"\bpip3?\s+install\s+(?P<arguments>[^;&|#]*)")
_SINGLE_EQUALS = re.compile(
    r"(?<![^\s'\"])(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]\s]*\])?)=(?![=\s])"
)


def check_shell(shell: Token | None, problems: Problems) -> None:
    """Warn of a shell that is none: the step would fail."""
    name = string(shell)
    if shell is None or name is None or "{0}" in name or name.lower() in _SHELLS:
        return
    message = (
        "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) "
        "or a format string containing '{0}'"
    )
    problems.warning(shell.span, message, "shell")


def check_script(run: Token, source: list[str], problems: Problems) -> None:
    """Warn of `pip install name=VERSION`, which pip refuses. `source`: the lines of the file."""
    script = _script(run)
    if "pip" not in script or "=" not in script:
        return
    first = run.span.line - 1
    for number, line in enumerate(source[first : first + script.count("\n") + 2], first + 1):
        for install in _PIP_INSTALL.finditer(line):
            for slip in _SINGLE_EQUALS.finditer(install["arguments"]):
                column = install.start("arguments") + slip.start("name") + 1
                _tell(slip["name"], Span(number, column), problems)


def _script(run: Token) -> str:
    if isinstance(run, Expression):
        return run.source
    return run.value if isinstance(run, Literal) and isinstance(run.value, str) else ""


def _tell(name: str, span: Span, problems: Problems) -> None:
    message = f"pip will refuse '{name}=...': Invalid requirement, '=' is not a valid operator"
    problems.warning(span, message, "pip-requirement", f"Did you mean '{name}==...'?")
