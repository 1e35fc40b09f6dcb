"""actions/cache, and its halves restore and save, as native actions."""

from __future__ import annotations

import re

from trunkline.adapters.toolkit.caching import JobCaches
from trunkline.adapters.toolkit.inputs import Inputs, warn_of_unsupported
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob

_SHARED = frozenset({"path", "key", "enablecrossosarchive"})
_RESTORE = _SHARED | {"restore-keys", "fail-on-cache-miss", "lookup-only"}
_DEFAULTS = {"enablecrossosarchive": "false", "fail-on-cache-miss": "false", "lookup-only": "false"}
_UNSUPPORTED = {
    "upload-chunk-size": "caches are kept on this machine.",
    "save-always": "it does not work as intended; use actions/cache/save with `if: always()`.",
}


class _Caching(VersionedAction):
    """What the three actions share."""

    oldest, newest = 4, 5
    inputs = _SHARED
    post_condition = "success()"

    def restore(self, call: ActionCall, job: ActionJob) -> None:
        """Restore a cache and set the outputs. Raises ActionFailed."""
        inputs = Inputs(call, _DEFAULTS)
        key = inputs.required("key")
        restore_keys = inputs.lines("restore-keys")
        look_only = inputs.flag("lookup-only")
        job.save_state("CACHE_KEY", key)
        job.set_output("cache-primary-key", key)
        caches = JobCaches.of(self._world.caches, call, job)
        matched = caches.restore(_paths(inputs), key, restore_keys, look_only=look_only)
        if not matched:
            if inputs.flag("fail-on-cache-miss"):
                raise ActionFailed(
                    "Failed to restore cache entry. Exiting as fail-on-cache-miss is set. "
                    f"Input key: {key}"
                )
            job.log(f"Cache not found for input keys: {', '.join([key, *restore_keys])}")
            return
        job.save_state("CACHE_RESULT", matched)
        job.set_output("cache-matched-key", matched)
        job.set_output("cache-hit", "true" if _is_same(key, matched) else "false")
        found = "found and can be restored" if look_only else "restored"
        job.log(f"Cache {found} from key: {matched}")

    def save(self, call: ActionCall, job: ActionJob) -> bool:
        """Save the cache unless it was restored as it is; tell whether it was kept."""
        inputs = Inputs(call, _DEFAULTS)
        key = call.state.get("CACHE_KEY") or inputs.text("key")
        if not key:
            job.log("[warning]Key is not specified.")
            return True
        if _is_same(key, call.state.get("CACHE_RESULT", "")):
            job.log(f"Cache hit occurred on the primary key {key}, not saving cache.")
            return True
        kept = JobCaches.of(self._world.caches, call, job).save(_paths(inputs), key)
        if kept:
            job.log(f"Cache saved with key: {key}")
        return kept


class Cache(_Caching):
    """Restores a cache, and saves it after the job."""

    inputs = _RESTORE | {"upload-chunk-size", "save-always"}
    has_post = True

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Restore the cache. Raises ActionFailed."""
        warn_of_unsupported(call, job, _UNSUPPORTED)
        self.restore(call, job)

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Save the cache; what goes wrong is a warning."""
        try:
            self.save(call, job)
        except ActionFailed as error:
            job.log(f"[warning]{error}")


class CacheRestore(_Caching):
    """Restores a cache only."""

    inputs = _RESTORE

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Restore the cache. Raises ActionFailed."""
        self.restore(call, job)


class CacheSave(_Caching):
    """Saves a cache at once."""

    inputs = _SHARED | {"upload-chunk-size"}

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Save the cache; what goes wrong is a warning."""
        warn_of_unsupported(call, job, _UNSUPPORTED)
        Inputs(call, _DEFAULTS).required("key")
        try:
            kept = self.save(call, job)
        except ActionFailed as error:
            job.log(f"[warning]{error}")
            kept = False
        if not kept:
            job.annotate("warning", "Cache save failed.")


def _paths(inputs: Inputs) -> list[str]:
    inputs.required("path")
    return [re.sub(r"^!\s+", "!", line) for line in inputs.lines("path")]


def _is_same(key: str, matched: str) -> bool:
    return key.casefold() == matched.casefold()
