"""Groups of log lines, which viewers fold under a title."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trunkline.ports.actions import ActionJob


@contextmanager
def group(job: ActionJob, title: str) -> Iterator[None]:
    """Fold the lines that are printed meanwhile under a title."""
    job.log(f"##[group]{title}")
    try:
        yield
    finally:
        job.log("##[endgroup]")
