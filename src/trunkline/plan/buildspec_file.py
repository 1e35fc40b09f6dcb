"""A buildspec and those its batch names: texts in, the workflow they stand for out."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

import msgspec

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.buildspec.model import Buildspec
from trunkline.buildspec.parse import parse
from trunkline.plan.codebuild import other_files, workflow_of
from trunkline.workflow.encoding import decode
from trunkline.workflow.model import Workflow

Load = Callable[[str], bytes | None]
# CodeBuild's status code of a build whose buildspec is wrong.
ERROR = "YAML_FILE_ERROR"


def read_buildspec(
    text: str, file: str, load: Load
) -> tuple[Workflow | None, tuple[Diagnostic, ...]]:
    """Return the workflow that a buildspec stands for, and what is wrong with it.

    `load` returns another file of the repository by its path, None when it is not there.
    """
    spec, found = _parsed(text, file)
    if spec is None:
        return None, tuple(found)
    diagnostics = found
    others: dict[str, Buildspec] = {}
    for path, task in other_files(spec):
        data = load(posixpath.normpath(path))
        if data is None:
            diagnostics.append(
                Diagnostic(
                    rule="call",
                    message=f"{ERROR}: stat {path}: no such file or directory",
                    file=file,
                    span=task.span,
                    hint="The path of a batch's buildspec is from the root of the source.",
                )
            )
            continue
        other, told = _parsed(decode(data, path)[0], path)
        diagnostics += told
        if other is not None:
            others[path] = other
    if any(one.severity is Severity.ERROR for one in diagnostics):
        return None, tuple(diagnostics)
    return workflow_of(spec, others), tuple(diagnostics)


def _parsed(text: str, file: str) -> tuple[Buildspec | None, list[Diagnostic]]:
    """Read one file; errors begin with CodeBuild's word for them."""
    spec, found = parse(text, file)
    return spec, [
        msgspec.structs.replace(one, message=f"{ERROR}: {one.message}")
        if one.severity is Severity.ERROR
        else one
        for one in found
    ]
