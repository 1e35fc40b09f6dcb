"""Reads a repository for a checkout: where its objects are, its refs, and its files as on disk."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

from trunkline.adapters.git.command import GitFailed, Running, git
from trunkline.base.errors import Unavailable

_CONFIG = r"^(remote\..*\.url|core\.(autocrlf|eol|symlinks|ignorecase|filemode)|filter\.lfs\..*)$"
_EVERY_REF = ("for-each-ref", "--format=%(objectname) %(*objectname) %(refname)")
_MODULE = "160000"


class Tip(NamedTuple):
    """What a ref points to; `peeled` is the commit of an annotated tag, '' otherwise."""

    sha: str
    peeled: str

    @property
    def commit(self) -> str:
        """The commit."""
        return self.peeled or self.sha


class Repository(NamedTuple):
    """A repository on the engine's machine. `sha` is '' without commits, `branch` '' when detached.

    `git_dir` holds HEAD and the index, `objects` the objects (a worktree has both apart).
    `parents` are HEAD's, `shallow` the commits behind which a shallow clone has nothing.
    """

    root: str
    git_dir: str
    objects: str
    object_format: str
    sha: str
    branch: str
    parents: tuple[str, ...]
    shallow: tuple[str, ...]
    config: dict[str, str]
    refs: dict[str, Tip]


class Files(NamedTuple):
    """The files of a work tree: tracked ones that are there, and untracked ones not ignored.

    `modules` are submodules as (path, commit); `skipped` tracked files that a sparse checkout
    left out; `nested` folders that hold repositories of their own.
    """

    paths: tuple[str, ...]
    modules: tuple[tuple[str, str], ...] = ()
    skipped: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


def read_repository(directory: str) -> Repository | None:
    """Read the repository at `directory` (a work tree's root, or a bare one); None without git.

    Raises Unavailable when git refuses.
    """
    place = Running(
        directory,
        (
            *("rev-parse", "--path-format=absolute", "--git-dir", "--git-path", "objects"),
            *("--git-path", "shallow", "--show-object-format"),
            *("HEAD", "HEAD^@", "--symbolic-full-name", "HEAD"),
        ),
    )
    tips = Running(directory, _EVERY_REF)
    config = Running(directory, ("config", "-z", "--get-regexp", _CONFIG))
    try:
        lines = _text(place.output()).splitlines()
    except GitFailed as error:
        lines = _text(error.output).splitlines()
        if "not a git repository" in error.text:
            tips.stop()
            config.stop()
            return None
        if len(lines) < 4:
            raise Unavailable(f"git can't read {directory}: {error.text}") from error
        lines[4:] = ["", _text(git(directory, "symbolic-ref", "HEAD")).strip()]
    return Repository(
        root=directory,
        git_dir=lines[0],
        objects=lines[1],
        object_format=lines[3],
        sha=lines[4],
        branch=lines[-1] if lines[-1] != "HEAD" else "",
        parents=tuple(lines[5:-1]),
        shallow=_read_shallow(lines[2]),
        config=_parse_config(_text(config.output_or_nothing())),
        refs=_parse_refs(_text(tips.output())),
    )


def read_refs(git_dir: str) -> dict[str, Tip]:
    """Read the refs of a git directory, whose work tree may be gone."""
    more = {"GIT_DIR": git_dir, "GIT_WORK_TREE": git_dir}
    return _parse_refs(_text(git(git_dir, *_EVERY_REF, more=more)))


def list_files(root: str) -> Files:
    """List the files of the work tree at `root`, ignored ones left out.

    A folder without git is listed as if one had been made there: its `.gitignore` counts.
    """
    wanted = ("ls-files", "-z", "-t", "-s", "-c", "-o", "--exclude-standard")
    try:
        listed = git(root, *wanted)
    except GitFailed:
        with tempfile.TemporaryDirectory(prefix="trunkline-") as empty:
            git(empty, "init", "-q", "--bare", ".")
            place = {"GIT_DIR": empty, "GIT_WORK_TREE": root}
            listed = git(root, "-c", "core.bare=false", *wanted, more=place)
    return _parse_files(root, os.fsdecode(listed))


def _parse_files(root: str, listed: str) -> Files:
    folders = _Folders(root)
    paths: dict[str, None] = {}
    modules: list[tuple[str, str]] = []
    skipped: list[str] = []
    nested: list[str] = []
    for entry in filter(None, listed.split("\0")):
        tag, rest = entry[0], entry[2:]
        mode, sha, path = "", "", rest
        if tag != "?":
            head, _, path = rest.partition("\t")
            mode, sha, _ = head.split(" ")
        if mode == _MODULE:
            modules.append((path, sha))
        elif tag == "S":
            skipped.append(path)
        elif path.endswith("/"):
            nested.append(path)
        elif folders.has_file(path):
            paths[path] = None
    return Files(tuple(paths), tuple(modules), tuple(skipped), tuple(nested))


class _Folders:
    """Tells which files are really there: not deleted, not behind a link that replaced a folder."""

    def __init__(self, root: str) -> None:
        self._prefix = root.rstrip("/") + "/"
        self._real = {"": True}

    def has_file(self, path: str) -> bool:
        """Tell whether `path` is a file or a link, reached through real folders."""
        if not self._is_real(path.rpartition("/")[0]):
            return False
        try:
            mode = os.lstat(self._prefix + path).st_mode
        except OSError:
            return False
        return stat.S_ISREG(mode) or stat.S_ISLNK(mode)

    def _is_real(self, folder: str) -> bool:
        known = self._real.get(folder)
        if known is None:
            known = self._is_real(folder.rpartition("/")[0]) and self._is_folder(folder)
            self._real[folder] = known
        return known

    def _is_folder(self, folder: str) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(self._prefix + folder).st_mode)
        except OSError:
            return False


def read_index(repository: Repository) -> dict[str, bytes]:
    """Return the index and, when it is split, its shared parts, by file name."""
    place = Path(repository.git_dir)
    found = [place / "index", *place.glob("sharedindex.*")]
    return {path.name: path.read_bytes() for path in found if path.is_file()}


def _read_shallow(path: str) -> tuple[str, ...]:
    try:
        return tuple(Path(path).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return ()


def _parse_refs(output: str) -> dict[str, Tip]:
    rows = (line.split(" ") for line in output.splitlines())
    return {name: Tip(sha, peeled) for sha, peeled, name in rows}


def _parse_config(output: str) -> dict[str, str]:
    entries = (entry.partition("\n") for entry in output.split("\0"))
    return {name: value for name, _, value in entries if name}


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")
