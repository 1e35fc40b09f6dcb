"""`artifacts` and `reports` of a buildspec: files of the build, kept as artifacts of the run."""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO, NamedTuple

import msgspec

from trunkline.adapters.actions.codebuild.build_action import BuildAction
from trunkline.adapters.actions.codebuild.publishing import FILES, Publication, packaging, publish
from trunkline.adapters.toolkit.files import find_files
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.uploads import SandboxFile, upload
from trunkline.expr.glob import Glob
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.artifacts import ArtifactInfo, NewArtifact
from trunkline.ports.sandbox import Found

NO_FILES = "CLIENT_ERROR: no matching artifact paths found"
NO_FOLDER = "CLIENT_ERROR: no matching base directory path found for {}"
OUTSIDE = "CLIENT_ERROR: {} leaves the source folder"
# What no name of an artifact may hold; a name with folders in it becomes one with dashes.
_UNFIT = re.compile(r'[\\/":<>|*?\r\n]+')
COMPRESSION = 6
# What names of artifacts that are reports begin with.
REPORT = "report-"


class LinkFile(NamedTuple):
    """A symbolic link that stays one in an artifact."""

    path: str
    link: str

    @property
    def size(self) -> int:
        """Return the length of where it leads."""
        return len(self.link.encode())

    def open(self) -> BinaryIO:
        """Open where it leads, as a file."""
        return io.BytesIO(self.link.encode())


class _Results(BuildAction):
    """What artifacts and reports share: files below base folders, some left out."""

    def keep(
        self, name: str, files: Mapping[str, Found], call: ActionCall, job: ActionJob
    ) -> ArtifactInfo:
        """Store files under their paths in the artifact."""
        new = NewArtifact(
            run_id=call.run_id,
            name=name,
            compression=COMPRESSION,
            overwrite=True,
            links=frozenset(path for path, file in files.items() if file.link),
        )
        chosen = [
            LinkFile(path, file.link)
            if file.link
            else SandboxFile(path, file.size, file.path, job.sandbox)
            for path, file in files.items()
        ]
        return upload(self._world.artifacts, new, chosen, call, job)


class Artifacts(_Results):
    """UPLOAD_ARTIFACTS: the primary artifacts of a build, or one of its secondary ones."""

    inputs = frozenset(
        {"identifier", "name", "files", "base-directory", "exclude-paths", "discard-paths"}
        | {"enable-symlinks", "s3-prefix"}
    )

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Find the files and keep them. Raises ActionFailed in CodeBuild's words."""
        inputs = Inputs(call, {})
        wanted = Wanted(
            base=inputs.text("base-directory"),
            patterns=inputs.lines("files"),
            excluded=inputs.lines("exclude-paths"),
            # A bucket has no links: its files by themselves are what links lead to.
            links=inputs.text("enable-symlinks") == "yes" and packaging(call) != FILES,
        )
        files = matching(job, wanted)
        if not files:
            raise ActionFailed(NO_FILES)
        written = inputs.text("name") or inputs.text("identifier") or project(call)
        name = in_batch(_UNFIT.sub("-", written).strip("-"), call)
        job.log(f"Found {len(files)} matching files for artifact {name}")
        info = self.keep(
            name, flat(files, job) if inputs.text("discard-paths") == "yes" else files, call, job
        )
        job.set_output("name", name)
        publish(self._world, Publication(info, written, inputs.text("s3-prefix")), call, job)


class Report(_Results):
    """A report group: its files, kept as an artifact whose name tells their format."""

    inputs = frozenset({"group", "files", "file-format", "base-directory", "discard-paths"})

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Find the report files and keep them; that there are none is a warning, as at AWS."""
        inputs = Inputs(call, {})
        group, form = inputs.text("group"), inputs.text("file-format")
        try:
            wanted = Wanted(base=inputs.text("base-directory"), patterns=inputs.lines("files"))
            files = matching(job, wanted)
        except ActionFailed as error:
            files = {}
            job.log(f"{error}")
        if not files:
            job.annotate("warning", f"Report {group}: no report files found ({form})")
            return
        written = f"{REPORT}{group.rpartition('/')[2]}-{form}"
        name = in_batch(_UNFIT.sub("-", written).strip("-"), call)
        job.log(f"Report {group}: {len(files)} files of format {form}")
        self.keep(
            name, flat(files, job) if inputs.text("discard-paths") == "yes" else files, call, job
        )


def project(call: ActionCall) -> str:
    """Return the name of the build's project: its repository's."""
    return str(call.github.get("repository", "")).rpartition("/")[2] or "artifact"


def in_batch(name: str, call: ActionCall) -> str:
    """Return a name that no other build of the batch gives."""
    identifier = call.env.get("CODEBUILD_BATCH_BUILD_IDENTIFIER", "")
    return f"{name}-{identifier}" if identifier else name


class Wanted(NamedTuple):
    """Which files are wanted: below which base folders, by which patterns; links as such or not."""

    base: str
    patterns: Sequence[str]
    excluded: Sequence[str] = ()
    links: bool = False


def matching(job: ActionJob, wanted: Wanted) -> dict[str, Found]:
    """Return files by their path below the base folders that match. Raises ActionFailed.

    `*` stays within a folder's name, `**` crosses folders (build-spec-ref: artifacts/files).
    """
    workspace = job.layout.workspace
    included = [Glob(_within(pattern, workspace)) for pattern in wanted.patterns]
    excluded = [Glob(pattern) for pattern in wanted.excluded]
    found: dict[str, Found] = {}
    for folder in _bases(job, wanted.base):
        prefix = f"{folder}/"
        for file in _below(job, folder, links=wanted.links):
            path = file.path.removeprefix(prefix)
            parts = path.split("/")
            if any(glob.matches(parts) for glob in included) and not any(
                glob.matches(parts) for glob in excluded
            ):
                found[path] = file
    return found


def _below(job: ActionJob, folder: str, *, links: bool) -> Iterable[Found]:
    """Yield the files below a folder; with `links`, those inside it that are links stay links."""
    if not links:
        for file in find_files(job, f"{folder}/**").files:
            yield msgspec.structs.replace(file, link="")
        return
    for file in job.sandbox.search(job.layout.workspace, [f"{folder}/**"], digests=False):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), file.link))
        if file.link and target.startswith(f"{folder}/"):
            yield msgspec.structs.replace(file, link=file.link)
        elif not file.is_folder:
            yield msgspec.structs.replace(file, link="")


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
