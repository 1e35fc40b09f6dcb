"""What upload-artifact and its merge share: names, paths and the making of an artifact."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.artifacts import (
    ArtifactExists,
    ArtifactFile,
    ArtifactInfo,
    Artifacts,
    NewArtifact,
)
from trunkline.ports.sandbox import Sandbox

# @actions/artifact `path-and-artifact-name-validation.ts`.
_IN_PATHS = {
    '"': ' Double quote "',
    ":": " Colon :",
    "<": " Less than <",
    ">": " Greater than >",
    "|": " Vertical bar |",
    "*": " Asterisk *",
    "?": " Question mark ?",
    "\r": " Carriage return \\r",
    "\n": " Line feed \\n",
}
_IN_NAMES = {**_IN_PATHS, "\\": " Backslash \\", "/": " Forward slash /"}
_WHY = (
    "due to limitations with certain file systems such as NTFS. To maintain file system agnostic "
    "behavior, these characters are intentionally not allowed to prevent potential problems with "
    "downloads on different file systems."
)


class SandboxFile(NamedTuple):
    """A file of the job that goes into an artifact."""

    path: str
    size: int
    place: str
    sandbox: Sandbox

    def open(self) -> BinaryIO:
        """Open it for reading. Raises ActionFailed when it is gone."""
        file = self.sandbox.get(self.place)
        if file is None:
            raise ActionFailed(f"ENOENT: no such file or directory, open '{self.place}'")
        return file


class Settings(NamedTuple):
    """The inputs that both actions have."""

    retention_days: int
    compression: int
    hidden: bool


def read_settings(inputs: Inputs) -> Settings:
    """Read them. Raises ActionFailed."""
    days = inputs.text("retention-days")
    level = inputs.text("compression-level")
    if days and not _is_number(days):
        raise ActionFailed("Invalid retention-days")
    if level and not _is_number(level):
        raise ActionFailed("Invalid compression-level")
    if level and not 0 <= int(level) <= 9:
        raise ActionFailed("Invalid compression-level. Valid values are 0-9")
    return Settings(
        retention_days=max(int(days or 0), 0),
        compression=int(level or 6),
        hidden=inputs.boolean("include-hidden-files"),
    )


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def check_name(name: str) -> None:
    """Raise ActionFailed for a name that no artifact may have."""
    if not name:
        raise ActionFailed("Provided artifact name input during validation is empty")
    for char, text in _IN_NAMES.items():
        if char in name:
            raise ActionFailed(
                f"The artifact name is not valid: {name}. Contains the following character: {text}\n"
                f"\nInvalid characters include: {','.join(_IN_NAMES.values())}\n"
                f"\nThese characters are not allowed in the artifact name {_WHY}"
            )


def _check_path(path: str) -> None:
    for char, text in _IN_PATHS.items():
        if char in path:
            raise ActionFailed(
                f"The path for one of the files in artifact is not valid: {path}. Contains the "
                f"following character: {text}\n"
                f"\nInvalid characters include: {','.join(_IN_PATHS.values())}\n"
                f"\nThe following characters are not allowed in files that are uploaded {_WHY}"
            )


def upload(
    artifacts: Artifacts,
    new: NewArtifact,
    files: Sequence[ArtifactFile],
    call: ActionCall,
    job: ActionJob,
) -> ArtifactInfo:
    """Make the artifact, tell it, and set the step's outputs. Raises ActionFailed."""
    name = new.name if new.archived else posixpath.basename(files[0].path)
    check_name(name)
    for file in files:
        _check_path(file.path)
    try:
        info = artifacts.create(new, files)
    except ArtifactExists as error:
        raise ActionFailed(
            "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) "
            "Conflict: an artifact with this name already exists on the workflow run"
        ) from error
    digest = info.digest.removeprefix("sha256:")
    kind = " zip" if info.archived else ""
    job.log(f"SHA256 digest of uploaded artifact{kind} is {digest}")
    job.log(
        f"Artifact {info.name} has been successfully uploaded! Final size is {info.size} bytes. "
        f"Artifact ID is {info.id}"
    )
    server, repository = call.github["server_url"], call.github["repository"]
    job.set_output("artifact-id", info.id)
    job.set_output("artifact-digest", digest)
    job.set_output(
        "artifact-url", f"{server}/{repository}/actions/runs/{call.run_id}/artifacts/{info.id}"
    )
    job.artifact_stored(info.name, info.digest, info.size, info.files, info.path)
    return info
