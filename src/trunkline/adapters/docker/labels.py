"""The labels on everything that a job has at the engine, and who is behind them."""

from __future__ import annotations

import os

from trunkline.adapters.process_table import identity

RUN = "trunkline.run"
JOB = "trunkline.job"
ENGINE = "trunkline.engine"
MACHINE = "trunkline.machine"


def job_labels(run_id: str, key: str) -> dict[str, str]:
    """Return the labels of a job's containers, networks and volumes."""
    return {RUN: run_id, JOB: key, ENGINE: identity(os.getpid()), MACHINE: machine()}


def machine() -> str:
    """Return what tells process numbers of this machine from those of others."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{os.uname().nodename} {space}".strip()


def filters(labels: dict[str, str]) -> dict[str, list[str]]:
    """Return the engine's filter for things that carry all these labels."""
    return {"label": [f"{name}={value}" for name, value in labels.items()]}
