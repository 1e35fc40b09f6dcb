"""How results of legs, jobs and called workflows become one (reference sections 3.1, 3.5, A14)."""

from __future__ import annotations

from collections.abc import Iterable

from trunkline.run.events import Conclusion
from trunkline.run.state import LegNode, RunState

# The worst wins; skipped counts only where everything was skipped.
ORDER = (Conclusion.FAILURE, Conclusion.CANCELLED, Conclusion.SUCCESS, Conclusion.SKIPPED)


def merged(results: Iterable[Conclusion | None]) -> Conclusion | None:
    """Return the result of several; None (absent) ones do not count. None when none counts."""
    found = {result for result in results if result is not None}
    return next((result for result in ORDER if result in found), None)


def seen_result(leg: LegNode) -> Conclusion | None:
    """Return what dependents see of an ended leg: a tolerated failure is a success."""
    if not leg.counts:
        return None
    if leg.leg.continue_on_error and leg.conclusion is Conclusion.FAILURE:
        return Conclusion.SUCCESS
    return leg.conclusion


def run_conclusion(state: RunState) -> Conclusion:
    """Return the conclusion of a run whose jobs have all ended.

    A cancelled run without a failed job is cancelled, also when its last jobs were let finish.
    """
    result = merged(state.jobs[key].result for key in state.roots) or Conclusion.SKIPPED
    if state.cancelled_by and result is not Conclusion.FAILURE:
        return Conclusion.CANCELLED
    return result
