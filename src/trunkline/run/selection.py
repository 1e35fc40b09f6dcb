"""Which jobs of a plan are wanted: the ones asked for, and all that these need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trunkline.plan.model import Plan


def selected(plan: Plan, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the wanted jobs and of what they need, in the plan's order.

    Nothing wanted means all. Ids ignore case; unknown ones select nothing (see `unknown_jobs`).
    """
    needs = {job.id: job.needs for job in plan.jobs}
    if not wanted:
        return tuple(needs)
    by_lower = {job_id.lower(): job_id for job_id in needs}
    waiting = [by_lower[job_id.lower()] for job_id in wanted if job_id.lower() in by_lower]
    found: set[str] = set()
    while waiting:
        job_id = waiting.pop()
        if job_id not in found:
            found.add(job_id)
            waiting.extend(needs[job_id])
    return tuple(job_id for job_id in needs if job_id in found)


def unknown_jobs(plan: Plan, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted ids that the plan does not have."""
    known = {job.id.lower() for job in plan.jobs}
    return tuple(job_id for job_id in wanted if job_id.lower() not in known)
