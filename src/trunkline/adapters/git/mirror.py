"""Other people's repositories, kept on disk: a bare mirror each, and unpacked trees by commit."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from trunkline.adapters.git.archive import unpack
from trunkline.adapters.git.command import TICK, GitFailed, Stopped, git
from trunkline.adapters.trees import make_cache
from trunkline.base.errors import ActionUnavailable

FULL_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
SHORT_SHA = re.compile(r"[0-9a-f]{7,63}")
REMEMBERED_SECONDS = 24 * 60 * 60
_NETWORK = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}
_NO_REF = "couldn't find remote ref"
_NO_REPOSITORY = ("not found", "does not appear to be a git repository", "could not read Username")


class Mirror:
    """One repository's mirror below the cache folder.

    `<cache>/repositories/<owner>/<name>.git` is the mirror, `<cache>/trees/<owner>/<name>/<sha>` a
    commit's files. A branch or tag is asked for again after a day; a full commit id never.
    """

    def __init__(
        self,
        cache: Path,
        repository: str,
        server_url: str,
        timeout: float,
        unwanted: Callable[[], bool],
    ) -> None:
        """Keep `owner/name` of `server_url` below `cache`.

        One fetch may take `timeout` seconds, and ends when `unwanted` says so.
        """
        self.repository = repository
        self.url = f"{server_url.rstrip('/')}/{repository}"
        self.git_dir = cache / "repositories" / f"{repository.lower()}.git"
        self._trees = cache / "trees" / repository.lower()
        self._timeout = timeout
        self._unwanted = unwanted

    def commit(self, ref: str, *, offline: bool) -> str:
        """Return the commit that `ref` ('' is the default branch) stands for, its objects at hand.

        Raises ActionUnavailable, Unavailable, Stopped.
        """
        with self._locked():
            known = self._known(ref, offline=offline)
            if known:
                return known
            if offline:
                raise self._unavailable(ref, "it is not in the cache, and --offline was given")
            return self._fetched(ref)

    def tree(self, sha: str) -> Path:
        """Return the folder with a commit's files, unpacked as GitHub's archives are."""
        target = self._trees / sha
        if target.is_dir():
            return target
        with self._locked():
            if not target.is_dir():
                self._unpack(sha, target)
        return target

    def _known(self, ref: str, *, offline: bool) -> str:
        if FULL_SHA.fullmatch(ref):
            return ref if (self._trees / ref).is_dir() or self._has(ref) else ""
        try:
            sha, age = self._remembered(ref)
        except FileNotFoundError:
            return ""
        return sha if offline or age < REMEMBERED_SECONDS else ""

    def _has(self, sha: str) -> bool:
        if not self.git_dir.is_dir():
            return False
        try:
            git(str(self.git_dir), "cat-file", "-e", f"{sha}^{{tree}}")
        except GitFailed:
            return False
        return True

    def _note(self, ref: str) -> Path:
        return self.git_dir / "trunkline" / (quote(ref, safe="") or "HEAD")

    def _remembered(self, ref: str) -> tuple[str, float]:
        note = self._note(ref)
        return note.read_text(encoding="ascii"), time.time() - note.stat().st_mtime

    def _fetched(self, ref: str) -> str:
        self._make()
        try:
            self._fetch(ref)
        except GitFailed as error:
            sha = self._stale(ref, error)
            if sha:
                return sha
            raise self._explained(ref, error) from error
        sha = git(str(self.git_dir), "rev-parse", "FETCH_HEAD^{commit}").decode().strip()
        note = self._note(ref)
        note.parent.mkdir(exist_ok=True)
        note.write_text(sha, encoding="ascii")
        return sha

    def _stale(self, ref: str, error: GitFailed) -> str:
        """Return what the ref stood for when the network last answered; '' if it says "gone"."""
        if _NO_REF in error.text or FULL_SHA.fullmatch(ref):
            return ""
        try:
            return self._remembered(ref)[0]
        except FileNotFoundError:
            return ""

    def _make(self) -> None:
        if not (self.git_dir / "HEAD").is_file():
            self.git_dir.mkdir(parents=True, exist_ok=True)
            git(str(self.git_dir), "init", "-q", "--bare", ".")

    def _fetch(self, ref: str) -> None:
        names = [ref or "HEAD"]
        if ref and not ref.startswith("refs/") and not FULL_SHA.fullmatch(ref):
            # GitHub prefers a tag to a branch of the same name.
            names = [f"refs/tags/{ref}", f"refs/heads/{ref}"]
        for name in names:
            try:
                self._ask("--depth=1", "--no-tags", "--end-of-options", self.url, name)
            except GitFailed as error:
                if _NO_REF not in error.text or name == names[-1]:
                    raise
            else:
                return

    def _ask(self, *args: str) -> None:
        git(
            str(self.git_dir),
            *("fetch", "--quiet", "--no-auto-gc", *args),
            timeout=self._timeout,
            more=_NETWORK,
            unwanted=self._unwanted,
        )

    def _explained(self, ref: str, error: GitFailed) -> ActionUnavailable:
        if _NO_REF in error.text:
            return self._no_such_ref(ref)
        if any(words in error.text for words in _NO_REPOSITORY):
            return self._unavailable(ref, "repository not found, or it needs a login")
        return self._unavailable(ref, error.text.splitlines()[-1].removeprefix("fatal: "))

    def _no_such_ref(self, ref: str) -> ActionUnavailable:
        full = self._lengthened(ref) if SHORT_SHA.fullmatch(ref) else ""
        if full:
            return ActionUnavailable(
                f"Unable to resolve action `{self.repository}@{ref}`, the provided ref `{ref}` is "
                "the shortened version of a commit SHA, which is not supported. Please use the "
                f"full commit SHA `{full}` instead."
            )
        return ActionUnavailable(
            f"Unable to resolve action `{self.repository}@{ref}`, unable to find version `{ref}`"
        )

    def _lengthened(self, short: str) -> str:
        """Return the commit that begins with `short`, asking for all commits without their files."""
        every = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        try:
            self._ask("--filter=tree:0", "--no-tags", "--end-of-options", self.url, *every)
            found = git(str(self.git_dir), "rev-parse", "--verify", "-q", f"{short}^{{commit}}")
        except GitFailed:
            return ""
        return found.decode().strip()

    def _unavailable(self, ref: str, cause: str) -> ActionUnavailable:
        spec = f"{self.repository}@{ref}" if ref else self.repository
        return ActionUnavailable(
            f"Unable to resolve action `{spec}`: {cause}.",
            hint=f"--local-repository {self.repository}=DIR takes it from a folder of yours.",
        )

    def _unpack(self, sha: str, target: Path) -> None:
        """Unpack a commit's files, whole or not at all."""
        make_cache(self._trees)
        draft = self._trees / f".draft-{sha}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        if not unpack(str(self.git_dir), sha, draft):
            shutil.rmtree(draft, ignore_errors=True)
            raise self._unavailable(sha, "its files can't be unpacked")
        draft.rename(target)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other threads and processes out of this mirror."""
        make_cache(self.git_dir.parent)
        lock = os.open(self.git_dir.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._lock(lock)
            yield
        finally:
            os.close(lock)

    def _lock(self, lock: int) -> None:
        """Take the lock as soon as it is free. Raises Stopped when that has become unwanted."""
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._unwanted():
                    raise Stopped from None
                time.sleep(TICK)
            else:
                return
