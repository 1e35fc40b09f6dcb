"""The graph of jobs: every `needs` is known, and some job can start."""

from __future__ import annotations

from trunkline.base.dependencies import unmet
from trunkline.base.spans import Span
from trunkline.base.words import did_you_mean
from trunkline.document.problems import Problems
from trunkline.expr.characters import fold
from trunkline.workflow.model import CallJob, Job

_NO_START = "The workflow must contain at least one job with no dependencies."


def check_needs(
    jobs: tuple[Job | CallJob, ...], known: tuple[str, ...], span: Span, problems: Problems
) -> None:
    """Tell unknown jobs and cycles. `known` are all job ids as written, `span` is that of `jobs`."""
    if not any(not job.needs for job in jobs):
        problems.error(span, _NO_START, "needs", _why(jobs, known))
        return
    waiting = unmet({fold(job.id): {fold(need.value) for need in job.needs} for job in jobs})
    ids = {fold(name) for name in known}
    for job in jobs:
        for need in job.needs:
            if fold(need.value) not in waiting.get(fold(job.id), ()):
                continue
            if fold(need.value) in ids:
                message = (
                    f"Job '{job.id}' depends on job '{need.value}' "
                    "which creates a cycle in the dependency graph."
                )
                problems.error(need.span, message, "needs")
            else:
                message = f"Job '{job.id}' depends on unknown job '{need.value}'."
                hint = "" if problems.full else did_you_mean(need.value, known)
                problems.error(need.span, message, "needs", hint)


def _why(jobs: tuple[Job | CallJob, ...], known: tuple[str, ...]) -> str:
    """Return why no job can start: one that is needed is not there, or they wait for each other."""
    ids = {fold(name) for name in known}
    for job in jobs:
        for need in job.needs:
            if fold(need.value) not in ids:
                return f"Job '{job.id}' needs '{need.value}', which is no job of this workflow."
    return f"They wait for each other: {', '.join(job.id for job in jobs)}."
