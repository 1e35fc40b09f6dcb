"""`artifacts` and `reports` of a buildspec: files of the build, kept as artifacts of the run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from trunkline.adapters.toolkit.files import find_files
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.uploads import SandboxFile, upload
from trunkline.adapters.toolkit.world import World
from trunkline.expr.glob import Glob
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.artifacts import NewArtifact
from trunkline.ports.sandbox import Found

NO_FILES = "CLIENT_ERROR: no matching artifact paths found"
NO_FOLDER = "CLIENT_ERROR: no matching base directory path found for {}"
OUTSIDE = "CLIENT_ERROR: {} leaves the source folder"
# What no name of an artifact may hold; a name with folders in it becomes one with dashes.
_UNFIT = re.compile(r'[\\/":<>|*?\r\n]+')
COMPRESSION = 6


class _Results:
    """What artifacts and reports share: files below base folders, some left out."""

    has_post = False
    post_condition = "always()"

    def __init__(self, world: World) -> None:
        """Keep artifacts in the store of `world`."""
        self._world = world

    def describe(self, ref: str) -> str:
        """Return the version of CodeBuild's rules."""
        del ref
        return "CodeBuild"

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Nothing to do."""

    def keep(self, name: str, files: Mapping[str, Found], call: ActionCall, job: ActionJob) -> None:
        """Store files under their paths in the artifact."""
        new = NewArtifact(run_id=call.run_id, name=name, compression=COMPRESSION, overwrite=True)
        chosen = [
            SandboxFile(path, file.size, file.path, job.sandbox) for path, file in files.items()
        ]
        upload(self._world.artifacts, new, chosen, call, job)


class Artifacts(_Results):
    """UPLOAD_ARTIFACTS: the primary artifacts of a build, or one of its secondary ones."""

    inputs = frozenset(
        {"identifier", "name", "files", "base-directory", "exclude-paths", "discard-paths"}
        | {"enable-symlinks", "s3-prefix"}
    )

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Find the files and keep them. Raises ActionFailed in CodeBuild's words."""
        inputs = Inputs(call, {})
        files = matching(
            job,
            inputs.text("base-directory"),
            inputs.lines("files"),
            inputs.lines("exclude-paths"),
        )
        if not files:
            raise ActionFailed(NO_FILES)
        if inputs.text("enable-symlinks") == "yes":
            message = "enable-symlinks has no effect here: what links lead to is kept"
            job.annotate("warning", message)
        written = inputs.text("name") or inputs.text("identifier") or _default(call)
        name = _UNFIT.sub("-", written).strip("-")
        job.log(f"Found {len(files)} matching files for artifact {name}")
        self.keep(
            name, flat(files, job) if inputs.text("discard-paths") == "yes" else files, call, job
        )
        job.set_output("name", name)


class Report(_Results):
    """A report group: its files, kept as an artifact whose name tells their format."""

    inputs = frozenset({"group", "files", "file-format", "base-directory", "discard-paths"})

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Find the report files and keep them; that there are none is a warning, as at AWS."""
        inputs = Inputs(call, {})
        group, form = inputs.text("group"), inputs.text("file-format")
        try:
            files = matching(job, inputs.text("base-directory"), inputs.lines("files"), [])
        except ActionFailed as error:
            files = {}
            job.log(f"{error}")
        if not files:
            job.annotate("warning", f"Report {group}: no report files found ({form})")
            return
        written = f"report-{group.rpartition('/')[2]}-{form}"
        name = _UNFIT.sub("-", written).strip("-")
        job.log(f"Report {group}: {len(files)} files of format {form}")
        self.keep(
            name, flat(files, job) if inputs.text("discard-paths") == "yes" else files, call, job
        )


def _default(call: ActionCall) -> str:
    """Return the name of artifacts that have none: their project's, as at AWS."""
    repository = str(call.github.get("repository", "")).rpartition("/")[2] or "artifact"
    identifier = call.env.get("CODEBUILD_BATCH_BUILD_IDENTIFIER", "")
    return f"{repository}-{identifier}" if identifier else repository


def matching(
    job: ActionJob, base: str, patterns: Sequence[str], excluded: Sequence[str]
) -> dict[str, Found]:
    """Return files by their path below the base folders that match. Raises ActionFailed.

    `*` stays within a folder's name, `**` crosses folders (build-spec-ref: artifacts/files).
    """
    workspace = job.layout.workspace
    wanted = [Glob(_within(pattern, workspace)) for pattern in patterns]
    unwanted = [Glob(pattern) for pattern in excluded]
    found: dict[str, Found] = {}
    for folder in _bases(job, base):
        prefix = f"{folder}/"
        for file in find_files(job, f"{folder}/**").files:
            path = file.path.removeprefix(prefix)
            parts = path.split("/")
            if any(glob.matches(parts) for glob in wanted) and not any(
                glob.matches(parts) for glob in unwanted
            ):
                found[path] = file
    return found


def flat(files: Mapping[str, Found], job: ActionJob) -> dict[str, Found]:
    """Return the files by their names alone; of two with one name the last counts."""
    found: dict[str, Found] = {}
    for path, file in files.items():
        name = posixpath.basename(path)
        if name in found:
            job.annotate("warning", f"discard-paths: there are several files named {name}")
        found[name] = file
    return found


def _within(pattern: str, workspace: str) -> str:
    """Return a pattern relative to the source folder. Raises ActionFailed when it lies outside."""
    path = posixpath.normpath(pattern)
    if path.startswith("/"):
        if not path.startswith(f"{workspace}/"):
            raise ActionFailed(OUTSIDE.format(pattern))
        path = path.removeprefix(f"{workspace}/")
    if path == ".." or path.startswith("../"):
        raise ActionFailed(OUTSIDE.format(pattern))
    return path


def _bases(job: ActionJob, base: str) -> list[str]:
    """Return the folders that `base` names. Raises ActionFailed."""
    workspace = job.layout.workspace
    if not base or posixpath.normpath(posixpath.join(workspace, base)) == workspace:
        return [workspace]
    relative = _within(base, workspace)
    glob = Glob(relative)
    depth = relative.count("/") + 1
    listed = job.sandbox.search(workspace, [relative], digests=False)
    found = []
    for each in listed:
        parts = each.path.removeprefix(f"{workspace}/").split("/")
        if each.is_folder and len(parts) == depth and glob.matches(parts):
            found.append(each.path)
    if not found:
        raise ActionFailed(NO_FOLDER.format(base))
    return found
