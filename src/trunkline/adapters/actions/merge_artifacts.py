"""actions/upload-artifact/merge as a native action."""

from __future__ import annotations

from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.names import matches_name
from trunkline.adapters.toolkit.stored import StoredFile, length
from trunkline.adapters.toolkit.uploads import check_name, read_settings, upload
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.artifacts import ArtifactInfo, NewArtifact

DEFAULTS = {
    "name": "merged-artifacts",
    "pattern": "*",
    "separate-directories": "false",
    "compression-level": "6",
    "delete-merged": "false",
    "include-hidden-files": "false",
}


class MergeArtifacts(VersionedAction):
    """Makes one artifact of several."""

    oldest, newest = 4, 7
    inputs = frozenset({*DEFAULTS, "retention-days"})

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Merge the artifacts of this run that match. Raises ActionFailed."""
        inputs = Inputs(call, DEFAULTS)
        settings = read_settings(inputs)
        pattern = inputs.text("pattern")
        separate = inputs.boolean("separate-directories")
        delete = inputs.boolean("delete-merged")
        name = inputs.text("name")
        check_name(name)
        matching = [
            info
            for info in self._world.artifacts.find(call.run_id)
            if matches_name(pattern, info.name)
        ]
        if not matching:
            raise ActionFailed(f"No artifacts found matching pattern '{pattern}'")
        job.log("Preparing to download the following artifacts:")
        for info in matching:
            job.log(f"- {info.name} (ID: {info.id}, Size: {info.size})")
        files = self._files(matching, separate=separate, hidden=settings.hidden)
        new = NewArtifact(
            run_id=call.run_id,
            name=name,
            compression=settings.compression,
            retention_days=settings.retention_days,
        )
        upload(self._world.artifacts, new, files, call, job)
        job.log(f"The {len(matching)} artifact(s) have been successfully merged!")
        if delete:
            for info in matching:
                self._world.artifacts.delete(call.run_id, info.name)
            job.log(f"The {len(matching)} artifact(s) have been deleted")

    def _files(
        self, infos: list[ArtifactInfo], *, separate: bool, hidden: bool
    ) -> list[StoredFile]:
        """Return the files of all; of one path in several artifacts the last one's."""
        files: dict[str, StoredFile] = {}
        for info in infos:
            for name, content in self._world.artifacts.read(info):
                path = f"{info.name}/{name}" if separate else name
                if hidden or not any(part.startswith(".") for part in path.split("/")):
                    size = length(content)
                    files[path] = StoredFile(path, size, self._world.artifacts, info, name)
        return list(files.values())
