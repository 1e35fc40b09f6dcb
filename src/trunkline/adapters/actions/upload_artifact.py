"""actions/upload-artifact as a native action."""

from __future__ import annotations

import posixpath

from trunkline.adapters.toolkit.files import find_files
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.uploads import SandboxFile, check_name, read_settings, upload
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.artifacts import NewArtifact

DEFAULTS = {
    "name": "artifact",
    "if-no-files-found": "warn",
    "compression-level": "6",
    "overwrite": "false",
    "include-hidden-files": "false",
    "archive": "true",
}


class UploadArtifact(VersionedAction):
    """Keeps files of the job as an artifact of its run."""

    oldest, newest = 4, 7
    inputs = frozenset({*DEFAULTS, "path", "retention-days"})

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Find the files and upload them. Raises ActionFailed."""
        inputs = Inputs(call, DEFAULTS)
        patterns = inputs.required("path")
        archive = inputs.boolean("archive")
        overwrite = inputs.boolean("overwrite")
        settings = read_settings(inputs)
        on_none = inputs.text("if-no-files-found")
        if on_none not in {"warn", "error", "ignore"}:
            raise ActionFailed(
                f"Unrecognized if-no-files-found input. Provided: {on_none}. Available options: "
                "warn,error,ignore"
            )
        search = find_files(job, patterns, hidden=settings.hidden)
        if not search.files:
            _tell_none(on_none, patterns, job)
            return
        paths = [file.path for file in search.files]
        root = root_folder(paths, list(search.starts))
        if len(search.starts) > 1:
            job.log(
                f"The least common ancestor is {root}. This will be the root directory of the "
                "artifact"
            )
        s = "" if len(paths) == 1 else "s"
        job.log(f"With the provided path, there will be {len(paths)} file{s} uploaded")
        if not archive and len(paths) > 1:
            raise ActionFailed(
                "When 'archive' is set to false, only a single file can be uploaded. "
                f"Found {len(paths)} files to upload."
            )
        name = inputs.text("name") if archive else posixpath.basename(paths[0])
        check_name(name)
        new = NewArtifact(
            run_id=call.run_id,
            name=name,
            archived=archive,
            compression=settings.compression,
            overwrite=overwrite,
            retention_days=settings.retention_days,
        )
        below = root.rstrip("/") + "/"
        files = [
            SandboxFile(file.path.removeprefix(below), file.size, file.path, job.sandbox)
            for file in search.files
        ]
        upload(self._world.artifacts, new, files, call, job)


def _tell_none(on_none: str, patterns: str, job: ActionJob) -> None:
    message = (
        f"No files were found with the provided path: {patterns}. No artifacts will be uploaded."
    )
    if on_none == "error":
        raise ActionFailed(message)
    if on_none == "warn":
        job.annotate("warning", message)
    else:
        job.log(message)


def root_folder(files: list[str], starts: list[str]) -> str:
    """Return the folder that paths in the artifact start from.

    Where the search started; the folder of a single file that was named; of several starts what
    they have in common (upload-artifact `src/shared/search.ts`).
    """
    if len(starts) > 1:
        return posixpath.commonpath(starts)
    if files == starts:
        return posixpath.dirname(files[0])
    return starts[0]
