"""A job's folder below the folder of workspaces: whose it is, and what an engine that died left."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from trunkline.adapters.job_folders.copying import write_file
from trunkline.adapters.process_table import identity, is_alive
from trunkline.adapters.slugs import slug
from trunkline.adapters.trees import make_private, remove_tree
from trunkline.base.errors import Unavailable
from trunkline.ports.sandbox import Found, JobPlace

# Who a job's folder belongs to: the engine's identity, then the job's tracking id.
OWNER = ".owner"
# Names beside the workspace, which has the repository's name.
TAKEN = frozenset({"", OWNER, "_temp", "_tool", "_actions"})
SYSTEMS = {"linux": "Linux", "darwin": "macOS"}
MACHINES = {"x86_64": "X64", "amd64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}
ANOTHER = "Name another one in TRUNKLINE_WORK."
# How often jobs that end may be in the way of one that starts.
TRIES = 20


class DiskSearch(Protocol):
    """Searches this machine's files (`file_search.search_disk`, which is loaded when needed)."""

    def __call__(
        self, arguments: Sequence[str], root: str, home: str, *, digests: bool
    ) -> tuple[Found, ...]: ...


def own_root(root: str) -> None:
    """Make the root folder; refuse one that somebody else made in a shared place."""
    try:
        make_private(root)
        found = os.lstat(root)
    except OSError as error:
        raise Unavailable(
            f"The folder of workspaces can't be made: {reason(error)}", hint=ANOTHER
        ) from error
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
        raise Unavailable(
            f"The folder of workspaces {root} belongs to somebody else.",
            hint=ANOTHER,
        )


def folder_of(root: str, place: JobPlace) -> str:
    """Return the folder of a job: `<root>/work/<run id>/<job>`."""
    return os.path.join(root, "work", place.run_id, slug(place.key))


def workspace_name(place: JobPlace) -> str:
    """Return the name of a job's workspace: the repository's, unless it would be in the way."""
    name = place.repository.rpartition("/")[2]
    return "repository" if name in TAKEN else name


def tracking_id(number: str) -> str:
    """Return the mark of a job's processes, made of 32 random hexadecimal digits."""
    guid = "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))
    return f"github_{guid}"


def system() -> str:
    """Return the system as `runner.os` names it."""
    return SYSTEMS.get(sys.platform, sys.platform)


def architecture() -> str:
    """Return the processor as `runner.arch` names it."""
    machine = os.uname().machine
    return MACHINES.get(machine, machine.upper())


def write_owner(folder: str, tracking: str) -> None:
    """Note that this process has made a job's folder. Raises OSError."""
    content = f"{identity(os.getpid())}\n{tracking}\n".encode()
    write_file(os.path.join(folder, OWNER), content, 0o600)


def read_owner(folder: str) -> list[str]:
    """Return the engine and the tracking id of a job's folder, [] when nobody owns it."""
    try:
        with open(os.path.join(folder, OWNER), encoding="utf-8") as stream:
            return stream.read().split("\n")[:2]
    except (FileNotFoundError, NotADirectoryError):
        return []


def forget_owner(folder: str) -> None:
    """Leave a folder to the user."""
    try:
        os.unlink(os.path.join(folder, OWNER))
    except FileNotFoundError:
        return


def folders_of_the_dead(root: str) -> Mapping[str, str]:
    """Return the folders whose engine no longer runs, and their tracking ids."""
    return {
        folder: owner[1]
        for folder in _job_folders(os.path.join(root, "work"))
        if len(owner := read_owner(folder)) == 2 and not is_alive(owner[0])
    }


def _job_folders(work: str) -> list[str]:
    found: list[str] = []
    try:
        runs = os.listdir(work)
        for run in runs:
            jobs = os.listdir(os.path.join(work, run))
            found += [os.path.join(work, run, job) for job in jobs]
    except (FileNotFoundError, NotADirectoryError):  # another engine tidies up as well
        pass
    return found


def make_folder(folder: str) -> None:
    """Make a job's folder; another job that ends may remove the run's empty folder meanwhile."""
    for _ in range(TRIES):
        try:
            make_private(folder)
        except FileNotFoundError:
            continue
        return
    make_private(folder)


def remove(folder: str) -> None:
    """Remove a folder, and the run's folder when that was its last. Raises Unavailable."""
    try:
        remove_tree(folder)
    except OSError as error:
        raise Unavailable(f"'{folder}' can't be removed: {reason(error)}") from error
    try:
        os.rmdir(os.path.dirname(folder))
    except OSError:  # other jobs are in it
        return


def reason(error: OSError) -> str:
    """Return what an error of the operating system says."""
    return f"{error.strerror}: '{error.filename}'" if error.filename else f"{error.strerror}"
