"""A buildspec's `cache`: restored before the build's phases, saved after a build that succeeds."""

from __future__ import annotations

from trunkline.adapters.actions.codebuild.build_action import BuildAction
from trunkline.adapters.toolkit.caching import JobCaches
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.ports.actions import ActionCall, ActionJob

# The home of CodeBuild's builds: a path in it means the job's own home here.
_ROOT = "/root/"
_DEFAULT = "codebuild-"


class _Caching(BuildAction):
    inputs = frozenset({"key", "fallback-keys", "paths", "action", "hit"})


class RestoreCache(_Caching):
    """Restores by the key, then by what the fallback keys begin."""

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Restore the cache, and say under which key it will be saved."""
        inputs = Inputs(call, {})
        key, fallbacks = inputs.text("key"), inputs.lines("fallback-keys")
        if not key:
            # Without a key a project has one cache, which every build replaces.
            key, fallbacks = f"{_DEFAULT}{call.run_id}-{call.job_key}", [_DEFAULT]
        job.set_output("key", key)
        if inputs.text("action") == "save":
            return
        caches = JobCaches.of(self._world.caches, call, job)
        matched = caches.restore(_paths(inputs, job), key, fallbacks)
        job.set_output("hit", "true" if matched == key else "false")
        job.log(f"Cache restored from key: {matched}" if matched else f"No cache for key: {key}")


class SaveCache(_Caching):
    """Saves what the build left, unless exactly that key was restored."""

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Save the cache; what goes wrong is told and fails nothing."""
        inputs = Inputs(call, {})
        key = inputs.required("key")
        if inputs.text("hit") == "true":
            job.log(f"The cache of key {key} is there already")
            return
        if JobCaches.of(self._world.caches, call, job).save(_paths(inputs, job), key):
            job.log(f"Cache saved with key: {key}")


def _paths(inputs: Inputs, job: ActionJob) -> list[str]:
    home = job.layout.home
    return [
        f"{home}/{path.removeprefix(_ROOT)}" if path.startswith(_ROOT) else path
        for path in inputs.lines("paths")
    ]
