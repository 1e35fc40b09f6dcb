"""Problem matchers that setup actions turn on: what a tool prints of errors, as annotations."""

from __future__ import annotations

import json
from typing import Any

from trunkline.ports.actions import ActionJob

_MATCHERS: dict[str, list[dict[str, Any]]] = {
    # A traceback's last frame, when it raises with a plain text.
    "python": [
        {"regexp": r'^\s*File\s"(.*)",\sline\s(\d+),\sin\s(.*)$', "file": 1, "line": 2},
        {"regexp": r"^\s*raise\s(.*)\('(.*)'\)$", "message": 2},
    ],
    "tsc": [
        {
            "regexp": r"^([^\s].*)[(:](\d+)[,:](\d+)(?:\):\s+|\s+-\s+)(error|warning|info)\s+TS(\d+)"
            r"\s*:\s*(.*)$",
            "file": 1,
            "line": 2,
            "column": 3,
            "severity": 4,
            "code": 5,
            "message": 6,
        }
    ],
    "eslint-stylish": [
        {"regexp": r"^([^\s].*)$", "file": 1},
        {
            "regexp": r"^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*)\s\s+(.*)$",
            "line": 1,
            "column": 2,
            "severity": 3,
            "message": 4,
            "code": 5,
            "loop": True,
        },
    ],
    "eslint-compact": [
        {
            "regexp": r"^(.+):\sline\s(\d+),\scol\s(\d+),\s(Error|Warning|Info)\s-\s(.+)\s\((.+)\)$",
            "file": 1,
            "line": 2,
            "column": 3,
            "severity": 4,
            "message": 5,
            "code": 6,
        }
    ],
}


def add_matchers(job: ActionJob, *owners: str) -> None:
    """Turn matchers on for the steps that follow, as setup actions do."""
    commands: list[str] = []
    for owner in owners:
        path = f"{job.layout.temp}/_matchers/{owner}.json"
        matcher = {"problemMatcher": [{"owner": owner, "pattern": _MATCHERS[owner]}]}
        job.sandbox.put(path, json.dumps(matcher).encode())
        commands.append(f"::add-matcher::{path}")
    job.run(["printf", "%s\\n", *commands])
