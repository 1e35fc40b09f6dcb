"""actions/download-artifact as a native action."""

from __future__ import annotations

import hashlib
import posixpath

from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.names import matches_name
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.base.errors import NotFound
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.artifacts import ArtifactInfo

DEFAULTS = {
    "merge-multiple": "false",
    "skip-decompress": "false",
    "digest-mismatch": "error",
}
OWN_RUN = (
    "Input 'run-id' has no effect without 'github-token', at GitHub neither: artifacts of this run."
)
_MISMATCH = ("ignore", "info", "warn", "error")


class DownloadArtifact(VersionedAction):
    """Brings artifacts of this run, or of another local one, into the job."""

    oldest, newest = 4, 8
    inputs = frozenset(
        {
            *("name", "artifact-ids", "path", "pattern", "merge-multiple", "github-token"),
            *("repository", "run-id", "skip-decompress", "digest-mismatch"),
        }
    )

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Download what the inputs name. Raises ActionFailed."""
        inputs = Inputs(call, DEFAULTS)
        on_mismatch = inputs.text("digest-mismatch") or "error"
        if on_mismatch not in _MISMATCH:
            raise ActionFailed(
                f"Invalid value for 'digest-mismatch': '{on_mismatch}'. Valid options are: "
                f"{', '.join(_MISMATCH)}"
            )
        merge = inputs.boolean("merge-multiple")
        plain = inputs.boolean("skip-decompress")
        target = _target(inputs.text("path"), call, job)
        chosen = self._choose(inputs, call, job)
        flat = merge or bool(inputs.text("name")) or self._is_flat(call, chosen)
        if chosen:
            job.log("Preparing to download the following artifacts:")
        broken: list[str] = []
        for info in chosen:
            job.log(
                f"- {info.name} (ID: {info.id}, Size: {info.size}, Expected Digest: {info.digest})"
            )
            if not self._is_sound(info):
                broken.append(info.name)
                _tell_mismatch(on_mismatch, info.name, job)
            self._bring(info, target if flat else f"{target}/{info.name}", job, plain=plain)
        if broken and on_mismatch == "error":
            raise ActionFailed(
                f"Unable to download artifact(s): Digest validation failed for artifact(s): "
                f"{', '.join(broken)}. Use 'digest-mismatch: warn' to continue on mismatch."
            )
        job.log(f"Total of {len(chosen)} artifact(s) downloaded")
        job.set_output("download-path", target)
        job.log("Download artifact has finished successfully")

    def _is_flat(self, call: ActionCall, chosen: list[ArtifactInfo]) -> bool:
        """Since v5 a single artifact gets no folder of its own."""
        return len(chosen) == 1 and self.describe(call.uses.rpartition("@")[2]) != "v4"

    def _choose(self, inputs: Inputs, call: ActionCall, job: ActionJob) -> list[ArtifactInfo]:
        name, ids = inputs.text("name"), inputs.text("artifact-ids")
        if name and ids:
            raise ActionFailed(
                "Unable to download artifact(s): Inputs 'name' and 'artifact-ids' cannot be used "
                "together. Please specify only one."
            )
        known = self._known(_run(inputs.text("run-id"), call, job))
        if name:
            job.log("Downloading single artifact")
            found = [info for info in known if info.name == name]
            if not found:
                raise ActionFailed(
                    f"Unable to download artifact(s): Artifact not found for name: {name}\n"
                    "        Please ensure that your artifact is not expired and the artifact was "
                    "uploaded using a compatible version of toolkit/upload-artifact.\n"
                    f"Artifacts of this run: {', '.join(i.name for i in known) or 'none'}."
                )
            return found
        if ids:
            job.log("Downloading artifacts by ID")
            return _by_ids(known, ids, job)
        pattern = inputs.text("pattern")
        if pattern:
            job.log(f"Filtering artifacts by pattern '{pattern}'")
            return [info for info in known if matches_name(pattern, info.name)]
        job.log(
            "No input name, artifact-ids or pattern filtered specified, downloading all artifacts"
        )
        return known

    def _known(self, run_id: str) -> list[ArtifactInfo]:
        try:
            return list(self._world.artifacts.find(run_id))
        except NotFound as error:
            raise ActionFailed(f"Unable to download artifact(s): {error.message}") from error

    def _is_sound(self, info: ArtifactInfo) -> bool:
        with self._world.artifacts.open(info) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        return info.digest == f"sha256:{digest}"

    def _bring(self, info: ArtifactInfo, target: str, job: ActionJob, *, plain: bool) -> None:
        if plain or not info.archived:
            name = f"{info.name}.zip" if info.archived else info.name
            with self._world.artifacts.open(info) as file:
                job.sandbox.put(f"{target}/{name}", file)
            return
        for path, content in self._world.artifacts.read(info):
            job.sandbox.put(posixpath.normpath(f"{target}/{path}"), content)


def _run(wanted: str, call: ActionCall, job: ActionJob) -> str:
    """Return the run whose artifacts are meant: another one only with a token, whatever it opens."""
    if not wanted or wanted == call.run_id:
        return call.run_id
    if "github-token" not in call.inputs:
        job.annotate("warning", OWN_RUN)
        return call.run_id
    return wanted


def _by_ids(known: list[ArtifactInfo], text: str, job: ActionJob) -> list[ArtifactInfo]:
    ids = [word.strip() for word in text.split(",") if word.strip()]
    if not ids:
        raise ActionFailed(
            "Unable to download artifact(s): No valid artifact IDs provided in 'artifact-ids' input"
        )
    for word in ids:
        if not word.isdecimal():
            raise ActionFailed(
                f"Unable to download artifact(s): Invalid artifact ID: '{word}'. Must be a number."
            )
    found = [info for info in known if info.id in ids]
    if not found:
        raise ActionFailed(
            "Unable to download artifact(s): None of the provided artifact IDs were found"
        )
    missing = [word for word in ids if word not in {info.id for info in found}]
    if missing:
        text = ", ".join(missing)
        job.annotate("warning", f"Could not find the following artifact IDs: {text}")
    return found


def _target(path: str, call: ActionCall, job: ActionJob) -> str:
    if path.startswith("~"):
        path = call.env.get("HOME", job.layout.home) + path[1:]
    return posixpath.normpath(posixpath.join(job.layout.workspace, path or "."))


def _tell_mismatch(on_mismatch: str, name: str, job: ActionJob) -> None:
    message = (
        f"Artifact '{name}' digest validation failed. Please verify the integrity of the artifact."
    )
    if on_mismatch == "info":
        job.log(message)
    elif on_mismatch == "warn":
        job.annotate("warning", message)
