"""What the user is told when Trunkline itself breaks."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import traceback


def tell() -> None:
    """Write the traceback of the exception at hand to a file, and one sentence to the user."""
    report = traceback.format_exc()
    place = ""
    with contextlib.suppress(OSError):
        handle, place = tempfile.mkstemp(prefix="trunkline-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(report)
    last = report.strip().rsplit("\n", 1)[-1]
    sys.stderr.write(f"trunkline: this is a bug of ours: {last}\n")
    sys.stderr.write(
        f"  The details are in {place}; please send them to us.\n" if place else report
    )
