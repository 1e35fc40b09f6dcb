"""The artifacts of runs as people ask for them: listed, found by name, removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from trunkline.base.errors import Corrupt, NotFound
from trunkline.base.words import did_you_mean, printable
from trunkline.ports.artifacts import ArtifactInfo, Artifacts
from trunkline.ports.journal import Journals
from trunkline.services.runs import RunView, resolve, view

# A message names no more runs.
MOST_RUNS = 5
LIST = "`trunkline artifacts` lists what is here."


class KeptArtifact(ArtifactInfo, frozen=True, kw_only=True):
    """An artifact, and the run that kept it.

    `id` is digits only and unique for ever. `digest` is of the kept file (the zip, or the file itself
    when it was not `archived`), `size` its bytes, `path` its place; `files` counts what is in it.
    `created` and `expires` are seconds since the epoch (0: it goes with its run). `job` stands for
    the job that uploaded it, '' when that is not known; `content_type` is '' for what follows from
    `archived`. `workflow`, `number` and `ref` are the run's.
    """

    workflow: str
    number: int
    ref: str


class RunArtifacts:
    """The artifacts of all runs of this machine. Every method raises Unavailable."""

    def __init__(self, artifacts: Artifacts, journals: Journals) -> None:
        self._artifacts = artifacts
        self._journals = journals

    def find(self, name: str = "", run: str = "") -> tuple[KeptArtifact, ...]:
        """Return the artifacts of a name ('': all) and of a run ('': all), those of new runs first.

        A run is named as `runs.resolve` takes it. Raises NotFound for a run that is not here, and
        for a name that no artifact has.
        """
        runs = [resolve(self._journals, run)] if run else reversed(self._journals.runs())
        found = [each for run_id in runs for each in self._of(run_id)]
        named = tuple(each for each in found if name in {"", each.name})
        if name and not named:
            raise _absent(name, {each.name for each in found}, run)
        return named

    def one(self, name: str, run: str = "") -> KeptArtifact:
        """Return the one artifact of a name. Raises NotFound for none, and for several."""
        found = self.find(name, run)
        if len(found) > 1:
            ids = ", ".join(each.run_id for each in found[:MOST_RUNS])
            more = f" and {len(found) - MOST_RUNS} more" if len(found) > MOST_RUNS else ""
            raise NotFound(
                f"{len(found)} runs have an artifact '{printable(name)}': {ids}{more}.",
                hint="--run says which: an id, its last digits, or latest.",
            )
        return found[0]

    def remove(self, names: Sequence[str], run: str = "") -> Iterator[KeptArtifact]:
        """Remove artifacts; yield each that is gone. Raises NotFound before any is removed."""
        for each in [self.one(name, run) for name in dict.fromkeys(names)]:
            if self._artifacts.delete(each.run_id, each.name):
                yield each

    def _of(self, run_id: str) -> Iterator[KeptArtifact]:
        try:
            found = self._artifacts.find(run_id)
        except NotFound:  # it was forgotten meanwhile
            return
        if found:
            run = self._begun(run_id)
            for each in found:
                told = msgspec.structs.asdict(each)
                yield KeptArtifact(**told, workflow=run.workflow, number=run.number, ref=run.ref)

    def _begun(self, run_id: str) -> RunView:
        try:
            return view(run_id, self._journals.open(run_id).read()[:1])
        except (Corrupt, NotFound):  # its artifacts are there all the same
            return RunView(run_id=run_id)


def _absent(name: str, known: set[str], run: str) -> NotFound:
    where = f"Run {run}" if run else "No run"
    has = "has no artifact" if run else "has an artifact"
    hint = printable(did_you_mean(name, sorted(known))) or LIST
    return NotFound(f"{where} {has} '{printable(name)}'.", hint=hint)
