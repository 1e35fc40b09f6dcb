"""Workflows for tests: a small valid one, and shorthands to read text."""

from __future__ import annotations

from textwrap import dedent

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.document.limits import Limits
from trunkline.workflow.model import CallJob, Job, Step, Workflow
from trunkline.workflow.parse import parse

FILE = "ci.yml"
# Most examples say nothing of steps.
RELAXED = Limits(need_steps=False)
SMALL = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo hi
"""


def valid(text: str) -> Workflow:
    """Return the workflow in `text`, which must have no errors."""
    workflow, found = parse(dedent(text), FILE, limits=RELAXED)
    assert workflow is not None, [one.text() for one in found]
    return workflow


def problems(text: str, severity: Severity, limits: Limits = RELAXED) -> list[Diagnostic]:
    """Return what is wrong with `text`, of one severity."""
    return [one for one in parse(dedent(text), FILE, limits=limits)[1] if one.severity is severity]


def errors(text: str, limits: Limits = RELAXED) -> list[str]:
    """Return the errors of `text`, each as `line:column message`."""
    return [_short(one) for one in problems(text, Severity.ERROR, limits)]


def warnings(text: str) -> list[str]:
    """Return the warnings of `text`, each as `line:column message`."""
    return [_short(one) for one in problems(text, Severity.WARNING)]


def _short(found: Diagnostic) -> str:
    return f"{found.span.line}:{found.span.column} {found.message}"


def job(body: str) -> Job:
    """Return the job with steps whose keys are in `body`."""
    found = valid(with_job(body)).jobs[0]
    assert isinstance(found, Job)
    return found


def call(body: str) -> CallJob:
    """Return the calling job whose keys are in `body`."""
    found = valid(with_job(body)).jobs[0]
    assert isinstance(found, CallJob)
    return found


def with_job(body: str) -> str:
    """Return a workflow with one job, its keys from line 4 on in column 5."""
    return "on: push\njobs:\n  build:\n" + _indented(body, 4)


def with_steps(body: str) -> str:
    """Return a workflow with one job whose steps are in `body`, from line 6 on in column 7."""
    return with_job("runs-on: ubuntu-latest\nsteps:\n" + _indented(body, 2))


def steps(body: str) -> tuple[Step, ...]:
    """Return the steps in `body`."""
    found = valid(with_steps(body)).jobs[0]
    assert isinstance(found, Job)
    return found.steps


def _indented(text: str, by: int) -> str:
    lines = dedent(text).strip("\n").splitlines()
    return "".join(f"{' ' * by}{line}\n" if line else "\n" for line in lines)
