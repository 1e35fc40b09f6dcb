"""Saving and restoring caches of a job (`@actions/cache`)."""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

from trunkline.adapters.toolkit.files import find_paths
from trunkline.base.errors import NotFound
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.caches import CacheEntry, Caches
from trunkline.run.cache_access import may_read, may_write, why_not

_MOST_KEYS = 10
_LONGEST_KEY = 512
_GLOB = re.compile(r"[*?\[\\]")
# What holds the folder it was made in, and does not work in another run's.
_BOUND = ("pyvenv.cfg", "CMakeCache.txt")


class JobCaches(NamedTuple):
    """The caches that one job may see: its ref's, its base branch's, the default branch's."""

    caches: Caches
    job: ActionJob
    scopes: tuple[str, ...]
    mode: str

    @classmethod
    def of(cls, caches: Caches, call: ActionCall, job: ActionJob) -> JobCaches:
        """Return the caches of a call's job. Raises ActionFailed for an event without a ref."""
        return cls(caches, job, _scopes(call.github), call.cache_mode)

    def restore(
        self,
        paths: Sequence[str],
        key: str,
        restore_keys: Sequence[str],
        *,
        look_only: bool = False,
    ) -> str:
        """Restore the best cache; return its key, '' for a miss. Raises ActionFailed."""
        _check_keys([key, *restore_keys])
        if not may_read(self.mode):
            self.job.log(f"Cache restore skipped: {why_not(self.mode, 'reads')}")
            return ""
        version = self.version(paths)
        entry = self.caches.find(self.scopes, key, restore_keys, version)
        if entry is None:
            return ""
        if look_only or self.is_shared(paths):
            return entry.key
        try:
            with self.caches.open(entry) as content:
                archive = self._archive()
                self.job.sandbox.put(archive, content)
        except NotFound:
            return ""
        size = round(entry.size / (1 << 20))
        self.job.log(f"Cache Size: ~{size} MB ({entry.size} B)")
        command = ["tar", "-xf", archive, "-P", "-C", self.job.layout.workspace]
        if self._zstd():
            command += ["--use-compress-program", f"{self._zstd()} -d"]
        code, output = self.job.capture(command)
        self.job.capture(["rm", "-f", archive])
        if code:
            raise ActionFailed(f"Tar failed with error: {output.strip()}")
        self.job.log("Cache restored successfully")
        return entry.key

    def save(self, paths: Sequence[str], key: str) -> bool:
        """Save a cache of what `paths` name; tell whether it was kept, and in the log why not."""
        _check_keys([key])
        if not may_write(self.mode):
            self.job.log(f"Cache save skipped: {why_not(self.mode, 'writes')}")
            return False
        if self.is_shared(paths):
            return self._keep(paths, key, "/dev/null")
        relative = self._resolve(paths)
        if not relative:
            self.job.log(
                "[warning]Path Validation Error: Path(s) specified in the action for caching "
                "do(es) not exist, hence no cache is being saved."
            )
            return False
        if self._is_bound(relative, key):
            return False
        archive, manifest = self._archive(), f"{self.job.layout.temp}/manifest.txt"
        listed = "".join(f"./{path}\n" if path[0] == "-" else f"{path}\n" for path in relative)
        self.job.sandbox.put(manifest, listed.encode(errors="surrogateescape"))
        command = ["tar", "--posix", "-cf", archive, "-P", "-C", self.job.layout.workspace]
        command += ["--files-from", manifest]
        if self._zstd():
            command += ["--use-compress-program", f"{self._zstd()} -T0"]
        code, output = self.job.capture(command)
        if code:
            self.job.log(f"[warning]Tar failed with error: {output.strip()}")
            return False
        kept = self._keep(paths, key, archive)
        self.job.capture(["rm", "-f", archive, manifest])
        return kept

    def kept(self, paths: Sequence[str], key: str) -> CacheEntry | None:
        """Return what is kept under exactly this key, or None."""
        version = self.version(paths)
        found = (self.caches.find([scope], key, (), version) for scope in self.scopes)
        return next((entry for entry in found if entry and entry.key == key), None)

    def adopt(self, paths: Sequence[str], key: str, archive: BinaryIO) -> CacheEntry | None:
        """Keep an archive that `save` made elsewhere; None when there is one of this key."""
        return self.caches.save(self.scopes[0], key, self.version(paths), archive)

    def is_shared(self, paths: Sequence[str]) -> bool:
        """Tell whether all paths are folders that every job of this machine shares anyway."""
        return self.job.layout.host_paths and all(
            path.startswith("/") and not _GLOB.search(path) and not self._is_own(path)
            for path in paths
        )

    def _is_own(self, path: str) -> bool:
        layout = self.job.layout
        own = (layout.runner_workspace, layout.temp, layout.tool_cache, layout.home)
        return any(f"{path}/".startswith(f"{folder}/") for folder in own)

    def _keep(self, paths: Sequence[str], key: str, archive: str) -> bool:
        content = None
        if archive != "/dev/null":
            content = self.job.sandbox.get(archive)
            if content is None:
                raise ActionFailed(f"ENOENT: no such file or directory, open '{archive}'")
        with content or io.BytesIO() as file:
            entry = self.caches.save(self.scopes[0], key, self.version(paths), file)
        if entry is None:
            self.job.log(
                f"Failed to save: Unable to reserve cache with key {key}, another job may be "
                "creating this cache."
            )
            return False
        return True

    def _resolve(self, paths: Sequence[str]) -> list[str]:
        """Return what the patterns name, relative to the workspace."""
        root = self.job.layout.workspace
        home = self.job.layout.home
        if any(_GLOB.search(path) or path.startswith("!") for path in paths):
            return [posixpath.relpath(path, root) for path in find_paths(self.job, paths)]
        whole = [home + path[1:] if re.match(r"~(/|$)", path) else path for path in paths]
        test = 'for path; do [ -e "$path" ] && printf "%s\\n" "$path"; done; :'
        _, output = self.job.capture(["sh", "-c", test, "sh", *whole], cwd=root)
        return [posixpath.relpath(posixpath.join(root, path), root) for path in output.splitlines()]

    def _is_bound(self, relative: list[str], key: str) -> bool:
        """Tell whether what is to be kept would not work elsewhere: jobs here never share a path."""
        names = [word for name in _BOUND for word in ("-name", name, "-o")][:-1]
        wanted = ("(", *names, ")", "-print", "-quit")
        _, output = self.job.capture(["find", *(f"./{path}" for path in relative), *wanted])
        if output.strip():
            self.job.log(
                f"Cache {key} is not saved: {output.strip()} names the folder it was made in, and "
                "the next run has another."
            )
        return bool(output.strip())

    def version(self, paths: Sequence[str]) -> str:
        """Return what @actions/cache makes too, so that either finds what the other saved.

        It knows neither archives that are not compressed nor caches that hold nothing.
        """
        layout = self.job.layout
        form = "zstd-without-long" if self._zstd() else "none"
        text = "|".join([*paths, "shared" if self.is_shared(paths) else form, "1.0"])
        for folder, name in ((layout.workspace, "."), (layout.home, "~")):
            text = text.replace(folder, name)
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()

    def _archive(self) -> str:
        return f"{self.job.layout.temp}/cache.tzst"

    def _zstd(self) -> str:
        return self.job.sandbox.find("zstd", self.job.layout.env["PATH"]) or ""


def keep_for_post(paths: Sequence[str], key: str, matched: str, job: ActionJob) -> None:
    """Remember what main restored (`matched` is '' for a miss), for `save_if_missed`."""
    job.save_state("cache-paths", "\n".join(paths))
    job.save_state("cache-primary-key", key)
    job.save_state("cache-matched-key", matched)


def save_if_missed(caches: Caches, call: ActionCall, job: ActionJob) -> None:
    """Save the cache of a set-up action that main wanted, unless it was restored by that very key."""
    key = call.state.get("cache-primary-key", "")
    if not key:
        return
    if key == call.state.get("cache-matched-key"):
        job.log(f"Cache hit occurred on the primary key {key}, not saving cache.")
        return
    try:
        if JobCaches.of(caches, call, job).save(call.state["cache-paths"].split("\n"), key):
            job.log(f"Cache saved with the key: {key}")
    except ActionFailed as error:
        job.log(f"[warning]{error}")


def _scopes(github: Any) -> tuple[str, ...]:
    ref = str(github.get("ref") or "")
    if not ref:
        event = github.get("event_name")
        raise ActionFailed(
            f"Event Validation Error: The event type {event} is not supported because it's not tied "
            "to a branch or tag ref."
        )
    event = github.get("event") or {}
    default = (event.get("repository") or {}).get("default_branch") or ""
    base = str(github.get("base_ref") or "")
    branches = [f"refs/heads/{name}" for name in (base, default) if name]
    repository = str(github.get("repository") or "").lower()
    return tuple(dict.fromkeys(f"{repository}@{name}" for name in [ref, *branches]))


def _check_keys(keys: Sequence[str]) -> None:
    if len(keys) > _MOST_KEYS:
        raise ActionFailed("Key Validation Error: Keys are limited to a maximum of 10.")
    for key in keys:
        if len(key) > _LONGEST_KEY:
            raise ActionFailed(f"Key Validation Error: {key} cannot be larger than 512 characters.")
        if "," in key:
            raise ActionFailed(f"Key Validation Error: {key} cannot contain commas.")
