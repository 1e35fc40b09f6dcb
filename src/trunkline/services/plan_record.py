"""A prospect as a record for programs: what `trunkline plan --json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.plan.forecast import RunForecast
from trunkline.plan.triggers import Triggered
from trunkline.services.forecasts import undefined_variables
from trunkline.services.planning import Outlook, Prospect


def record(
    found: Prospect, runs: Mapping[str, RunForecast], variables: Mapping[str, str]
) -> dict[str, Any]:
    """Return plain data; `variables` are the configuration variables.

    `workflows[].run` is there for a workflow that is started and has no errors.
    """
    occurrence = found.occurrence
    return {
        "event": occurrence.event,
        "action": occurrence.action,
        "repository": found.facts.full_name,
        "ref": occurrence.ref,
        "sha": occurrence.sha,
        "changed_files": msgspec.to_builtins(occurrence.changed_files),
        "notes": list(occurrence.notes),
        "workflows": [_workflow(each, runs.get(each.file), variables) for each in found.outlooks],
    }


def _workflow(
    outlook: Outlook, run: RunForecast | None, variables: Mapping[str, str]
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "file": outlook.file,
        "name": (outlook.workflow.name if outlook.workflow else None) or outlook.file,
        "started": isinstance(outlook.decision, Triggered) and not outlook.errors,
        "reason": outlook.decision.reason if outlook.decision else "",
        "errors": [
            {
                "file": each.file,
                "line": each.span.line,
                "column": each.span.column,
                "rule": each.rule,
                "message": each.message,
                "hint": each.hint,
            }
            for each in outlook.errors
        ],
    }
    if run is not None:
        made["inputs"] = dict(outlook.occurrence.inputs) if outlook.occurrence else {}
        plan = outlook.plan
        made["undefined_variables"] = list(undefined_variables(plan, variables)) if plan else []
        made["run"] = msgspec.to_builtins(run)
    return made
