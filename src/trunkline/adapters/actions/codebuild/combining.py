"""COMBINE_ARTIFACTS of a batch: what its builds kept under one name becomes one artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trunkline.adapters.actions.codebuild.build_action import BuildAction
from trunkline.adapters.actions.codebuild.publishing import Publication, publish
from trunkline.adapters.actions.codebuild.results import COMPRESSION, REPORT
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.stored import StoredFile, length
from trunkline.adapters.toolkit.uploads import upload
from trunkline.ports.actions import ActionCall, ActionJob
from trunkline.ports.artifacts import ArtifactInfo, NewArtifact


class CombineArtifacts(BuildAction):
    """Joins the artifacts of a batch's builds; of one path in several the later build's counts."""

    inputs = frozenset({"builds"})

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Make one artifact of each name's. Raises ActionFailed."""
        builds = Inputs(call, {}).lines("builds")
        for name, infos in self._by_name(call.run_id, builds).items():
            files = self._files(infos, job)
            new = NewArtifact(
                run_id=call.run_id, name=name, compression=COMPRESSION, overwrite=True
            )
            job.log(f"Combining {len(infos)} artifacts into {name}")
            made = upload(self._world.artifacts, new, list(files.values()), call, job)
            publish(self._world, Publication(made, name), call, job)
            for info in infos:
                self._world.artifacts.delete(call.run_id, info.name)

    def _by_name(self, run_id: str, builds: Sequence[str]) -> Mapping[str, list[ArtifactInfo]]:
        found: dict[str, dict[int, ArtifactInfo]] = {}
        longest = sorted(builds, key=len, reverse=True)
        for info in self._world.artifacts.find(run_id):
            build = next((each for each in longest if info.name.endswith(f"-{each}")), "")
            if build and not info.name.startswith(REPORT):
                name = info.name.removesuffix(f"-{build}")
                found.setdefault(name, {})[builds.index(build)] = info
        return {name: [of[at] for at in sorted(of)] for name, of in found.items()}

    def _files(self, infos: Sequence[ArtifactInfo], job: ActionJob) -> dict[str, StoredFile]:
        files: dict[str, StoredFile] = {}
        for info in infos:
            for path, content in self._world.artifacts.read(info):
                if path in files:
                    job.annotate(
                        "warning", f"Several builds have {path}: that of {info.name} counts"
                    )
                size = length(content)
                files[path] = StoredFile(path, size, self._world.artifacts, info, path)
        return files
