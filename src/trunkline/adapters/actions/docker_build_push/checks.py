"""Build checks: what BuildKit finds odd in a Dockerfile, as annotations where it stands."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Mapping
from typing import Any

from trunkline.adapters.actions.docker_build_push.contexts import Place, Remote
from trunkline.adapters.toolkit.groups import group
from trunkline.ports.actions import ActionJob
from trunkline.run.command_line import command_line

WARNINGS = "buildx.build.warnings"
_LINE = re.compile(r"\s\(line \d+\)$")


def tell_checks(metadata: Mapping[str, Any], where: Place | Remote, job: ActionJob) -> None:
    """Annotate the lines that the checks of a build name, by the command that steps print."""
    commands = [_command(each, where, job) for each in metadata.get(WARNINGS) or ()]
    told = [command for command in commands if command]
    if not told:
        return
    with group(job, f"Generating GitHub annotations ({len(told)} build checks found)"):
        job.run(["printf", "%s\\n", *told])


def _command(warning: Mapping[str, Any], where: Place | Remote, job: ActionJob) -> str:
    """Return the workflow command of a warning, '' for one that says nothing or stands nowhere."""
    title = " ".join(filter(None, map(_text, warning.get("detail") or ())))
    message = _LINE.sub("", _text(warning.get("short")))
    name = str((warning.get("sourceInfo") or {}).get("filename") or "")
    if not title or not message or not name:
        return ""
    if warning.get("url"):
        message += f"\nMore info: {warning['url']}"
    ranges = warning.get("range") or [{}]
    line = int((ranges[0].get("start") or {}).get("line") or 0)
    properties = {"title": title, "file": _file(name, where, job), "line": str(line or "")}
    shown = {key: value for key, value in properties.items() if value}
    return command_line("warning", shown, message)


def _file(name: str, where: Place | Remote, job: ActionJob) -> str:
    """Return a Dockerfile's place in the workspace; a name alone where it is elsewhere."""
    if isinstance(where, Place) and where.dockerfile.startswith(f"{job.layout.workspace}/"):
        return posixpath.relpath(where.dockerfile, job.layout.workspace)
    return name


def _text(encoded: object) -> str:
    try:
        return base64.b64decode(str(encoded or ""), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return ""
