"""How much jobs hand on: 1 MB each, 50 MB in a run (GitHub: workflow syntax, `jobs.<job_id>.outputs`)."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.expr.characters import utf16_length

JOB_LIMIT = 1024 * 1024
RUN_LIMIT = 50 * 1024 * 1024


class OutputsTooLarge(Exception):
    """A job has more to hand on than it may; it fails with this message, and hands on nothing."""


def outputs_size(outputs: Mapping[str, str]) -> int:
    """Return the bytes that GitHub counts for outputs: those of their values in UTF-16."""
    return 2 * sum(utf16_length(value) for value in outputs.values())


def check_job_outputs(outputs: Mapping[str, str]) -> None:
    """Refuse the outputs of one job when they are too large. Raises OutputsTooLarge."""
    if outputs_size(outputs) > JOB_LIMIT:
        raise OutputsTooLarge(f"Job outputs exceed {JOB_LIMIT:,} bytes")


def check_run_outputs(known: int, outputs: Mapping[str, str]) -> None:
    """Refuse outputs that are too large beside `known` bytes of other jobs. Raises OutputsTooLarge."""
    if known + outputs_size(outputs) > RUN_LIMIT:
        raise OutputsTooLarge(f"The job outputs of the run exceed {RUN_LIMIT:,} bytes")
