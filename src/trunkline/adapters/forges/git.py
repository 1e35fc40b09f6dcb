"""The forge of this machine: the user's repository and other people's, through git."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from trunkline.adapters.git.command import GitFailed, Stopped, git
from trunkline.adapters.git.facts import read_facts
from trunkline.adapters.git.mirror import FULL_SHA, Mirror
from trunkline.base.errors import ActionUnavailable, NotFound
from trunkline.document.limits import GITHUB
from trunkline.plan.facts import ZERO_SHA, RepositoryFacts
from trunkline.plan.model import FileRef
from trunkline.ports.forge import Fetched, never

FETCH_SECONDS = 300.0

# A repository may be called `.github`, as those for the whole of an organization are.
_REPOSITORY = re.compile(r"[^/.-][^/]*/(?!\.{1,2}$)[^/-][^/]*")


class GitForge:
    """Reads repositories with git. See the port `Forge`."""

    def __init__(
        self,
        cache: str | Path,
        local: Mapping[str, str] | None = None,
        *,
        offline: bool = False,
        server_url: str = "https://github.com",
        timeout: float = FETCH_SECONDS,
    ) -> None:
        """Keep what is fetched below `cache`.

        `local` is the `--local-repository` table: `owner/name` or `owner/name@ref` to a folder. One
        fetch may take `timeout` seconds.
        """
        self._cache = Path(cache)
        self._local = {_key(spec): folder for spec, folder in (local or {}).items()}
        self._offline = offline
        self._server_url = server_url
        self._timeout = timeout
        self._fetched: dict[tuple[str, str], Fetched] = {}

    def facts(self, directory: str, *, committed: bool = False, event: str = "") -> RepositoryFacts:
        """Read what event payloads need from the repository that holds `directory`."""
        return read_facts(directory, committed=committed, event=event)

    def workflow_file(self, ref: FileRef) -> str:
        """Return the text of a workflow file in another repository."""
        fetched = self.fetch(ref.repository, ref.ref)
        spec = f"{ref.repository}/{ref.path}@{ref.ref}"
        root = Path(fetched.path).resolve()
        path = (root / ref.path).resolve()
        if not path.is_relative_to(root):
            raise NotFound(f"{spec} leads out of its repository.")
        try:
            with path.open(encoding="utf-8-sig") as file:
                return file.read(GITHUB.max_characters + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(f"There is no file {ref.path} in {ref.repository}@{ref.ref}.") from error
        except UnicodeDecodeError as error:
            raise NotFound(f"{spec} is not a text file in UTF-8.") from error

    def files(self, directory: str) -> tuple[str, ...] | None:
        """Return the files of the repository at `directory`, ignored ones left out."""
        try:
            listed = git(directory, "ls-files", "-z", "-c", "-o", "--exclude-standard")
        except GitFailed:
            return None
        names = sorted(set(listed.decode(errors="surrogateescape").split("\0")) - {""})
        root = Path(directory)
        return tuple(name for name in names if _is_file(root / name))

    def fetch(self, repository: str, ref: str, unwanted: Callable[[], bool] = never) -> Fetched:
        """Return the files of `owner/name` at `ref` (branch, tag or commit; '': the default)."""
        key = (repository.lower(), ref)
        fetched = self._fetched.get(key)
        if fetched is None:
            folder = self._local.get(f"{key[0]}@{ref}") or self._local.get(key[0])
            fetched = (
                _local(repository, ref, folder)
                if folder
                else self._remote(repository, ref, unwanted)
            )
            self._fetched[key] = fetched
        return fetched

    def _remote(self, repository: str, ref: str, unwanted: Callable[[], bool]) -> Fetched:
        if not _REPOSITORY.fullmatch(repository):
            message = f"Unable to resolve action `{repository}@{ref}`: that is no owner/name."
            raise ActionUnavailable(message)
        mirror = Mirror(self._cache, repository, self._server_url, self._timeout, unwanted)
        try:
            sha = mirror.commit(ref, offline=self._offline)
            path = mirror.tree(sha)
        except Stopped as error:
            message = f"Unable to resolve action `{repository}@{ref}`: it was cancelled."
            raise ActionUnavailable(message) from error
        git_dir = str(mirror.git_dir)
        return Fetched(repository=repository, ref=ref, sha=sha, path=str(path), git_dir=git_dir)


def _is_file(path: Path) -> bool:
    """Tell whether there is a file or link; a submodule's folder is none."""
    return path.is_symlink() or path.is_file()


def _key(spec: str) -> str:
    repository, at, ref = spec.partition("@")
    return f"{repository.lower()}{at}{ref}"


def _local(repository: str, ref: str, folder: str) -> Fetched:
    path = Path(folder).resolve()
    if not path.is_dir():
        raise ActionUnavailable(
            f"Unable to resolve action `{repository}@{ref}`: there is no folder {folder}.",
            hint="--local-repository names it.",
        )
    sha, git_dir = ZERO_SHA, ""
    try:
        top, git_dir, sha = (
            git(str(path), "rev-parse", "--show-toplevel", "--absolute-git-dir", "HEAD")
            .decode(errors="surrogateescape")
            .splitlines()
        )
        git_dir, sha = (git_dir, sha) if Path(top) == path else ("", ZERO_SHA)
    except GitFailed:
        sha = ref if FULL_SHA.fullmatch(ref) else ZERO_SHA
    return Fetched(
        repository=repository, ref=ref, sha=sha, path=str(path), git_dir=git_dir, local=True
    )
