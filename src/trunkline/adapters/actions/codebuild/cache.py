"""A buildspec's `cache`: restored before the build's phases, saved after a build that succeeds."""

from __future__ import annotations

from trunkline.adapters.actions.codebuild.build_action import BuildAction
from trunkline.adapters.actions.codebuild.cache_bucket import CacheBucket, Keys
from trunkline.adapters.toolkit.caching import JobCaches
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.ports.actions import ActionCall, ActionJob

# The home of CodeBuild's builds: a path in it means the job's own home here.
_ROOT = "/root/"
_DEFAULT = "codebuild-"


class _Caching(BuildAction):
    inputs = frozenset({"key", "fallback-keys", "paths", "action", "hit"})

    def bucket(self, inputs: Inputs, call: ActionCall, job: ActionJob) -> CacheBucket:
        """Return where the build's caches lie besides this machine."""
        caches = JobCaches.of(self._world.caches, call, job)
        return CacheBucket(self._world, call, job, caches, _paths(inputs, job))


class RestoreCache(_Caching):
    """Restores by the key, then by what the fallback keys begin."""

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Restore the cache, and say under which key it will be saved."""
        inputs = Inputs(call, {})
        key, fallbacks = inputs.text("key"), inputs.lines("fallback-keys")
        remote = Keys(key, replaced=False, fallbacks=fallbacks)
        if not key:
            # Without a key a project has one cache, which every build replaces.
            key, fallbacks, remote = _own_key(call), [_DEFAULT], _of_project(call)
        job.set_output("key", key)
        if inputs.text("action") == "save":
            return
        bucket = self.bucket(inputs, call, job)
        matched = bucket.caches.restore(bucket.paths, key, fallbacks)
        if not matched and bucket.is_named:
            matched = bucket.restore(remote)
        job.set_output("hit", "true" if matched == key else "false")
        job.log(f"Cache restored from key: {matched}" if matched else f"No cache for key: {key}")


class SaveCache(_Caching):
    """Saves what the build left, unless exactly that key was restored."""

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Save the cache; what goes wrong is told and fails nothing."""
        inputs = Inputs(call, {})
        key = inputs.required("key")
        bucket = self.bucket(inputs, call, job)
        if inputs.text("hit") == "true":
            job.log(f"The cache of key {key} is there already")
        elif bucket.caches.save(bucket.paths, key):
            job.log(f"Cache saved with key: {key}")
        if bucket.is_named:
            one_of_many = Keys(key, replaced=False)
            bucket.save(_of_project(call) if key == _own_key(call) else one_of_many, key)


def _own_key(call: ActionCall) -> str:
    """Return the key on this machine of a cache that has none."""
    return f"{_DEFAULT}{call.run_id}-{call.job_key}"


def _of_project(call: ActionCall) -> Keys:
    """Return the key in a bucket, which projects may share, of a cache that has none."""
    return Keys(f"{_DEFAULT}{call.github.get('repository', '')}", replaced=True)


def _paths(inputs: Inputs, job: ActionJob) -> list[str]:
    home = job.layout.home
    return [
        f"{home}/{path.removeprefix(_ROOT)}" if path.startswith(_ROOT) else path
        for path in inputs.lines("paths")
    ]
