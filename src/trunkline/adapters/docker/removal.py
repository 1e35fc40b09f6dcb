"""Removing what jobs have at the engine: at their end, and after an engine of ours was killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from docker.errors import APIError

from trunkline.adapters.docker.action_builds import remove_held_by_the_dead
from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.docker.labels import ENGINE, JOB, MACHINE, filters, machine
from trunkline.adapters.docker.marks import remove_note
from trunkline.adapters.docker.ownership import others_files, reclaim_by, reclaim_within
from trunkline.adapters.process_table import is_alive

AT_ONCE = 8
# Where a job's own container has the job's folders.
WORK = "/__w"
GONE = frozenset({404, 409})


def containers_of(engine: Engine, labels: dict[str, str]) -> list[str]:
    """Return the ids of all containers with these labels."""
    with refusals():
        found = engine.client.containers(all=True, filters=filters(labels))
    return [str(each["Id"]) for each in found]


def remove_containers(engine: Engine, ids: Iterable[str]) -> None:
    """Remove containers with their anonymous volumes, several at once."""
    wanted = list(ids)
    if len(wanted) < 2:
        for each in wanted:
            remove_container(engine, each)
        return
    with ThreadPoolExecutor(AT_ONCE, "remove-container") as pool:
        list(pool.map(lambda each: remove_container(engine, each), wanted))


def remove_container(engine: Engine, container: str) -> None:
    """Remove a container; no error when it is gone, or somebody else is removing it."""
    remove = partial(engine.client.remove_container, v=True, force=True)
    with refusals():
        _ignore_gone(remove, container)


def remove_network(engine: Engine, name: str) -> None:
    """Remove a network; no error when it is gone."""
    with refusals():
        _ignore_gone(engine.client.remove_network, name)


def remove_networks(engine: Engine, labels: dict[str, str]) -> None:
    """Remove the networks with these labels."""
    with refusals():
        for network in engine.client.networks(filters=filters(labels)):
            _ignore_gone(engine.client.remove_network, network["Id"])


def remove_volumes(engine: Engine, labels: dict[str, str]) -> None:
    """Remove the volumes with these labels: what the job names, and what scripts have made."""
    with refusals():
        found = engine.client.volumes(filters=filters(labels))
        for volume in found.get("Volumes") or ():
            _ignore_gone(engine.client.remove_volume, volume["Name"])


def _ignore_gone(remove: Callable[[str], object], name: str) -> None:
    """Remove what may be gone, or going; a volume that others use by now waits for a sweep."""
    try:
        remove(name)
    except APIError as error:
        if error.response is None or error.response.status_code not in GONE:
            raise


def sweep(engine: Engine, notes: Iterable[str]) -> None:
    """Remove what engines left that were killed, and the notes that they had something."""
    remove_of_the_dead(engine)
    for note in notes:
        remove_note(note)


def remove_of_the_dead(engine: Engine) -> list[str]:
    """Remove what engines of this machine left that no longer run; return the containers' names."""
    mine = {MACHINE: machine()}
    with refusals():
        containers = engine.client.containers(all=True, filters=filters(mine))
        networks = engine.client.networks(filters=filters(mine))
        volumes = engine.client.volumes(filters=filters(mine)).get("Volumes") or ()
    dead = [each for each in containers if _is_dead(each)]
    for each in dead:
        _reclaim(engine, each)
    remove_containers(engine, [each["Id"] for each in dead])
    with refusals():
        for network in filter(_is_dead, networks):
            _ignore_gone(engine.client.remove_network, network["Id"])
        for volume in filter(_is_dead, volumes):
            _ignore_gone(engine.client.remove_volume, volume["Name"])
    remove_held_by_the_dead(engine)
    return [str((each.get("Names") or [each["Id"]])[0]).removeprefix("/") for each in dead]


def _reclaim(engine: Engine, container: dict[str, Any]) -> None:
    """Have the files of a job's own container given back, while it is there."""
    folders = {each["Destination"]: each["Source"] for each in container.get("Mounts") or ()}
    if WORK not in folders or not others_files([folders[WORK]]):
        return
    if not reclaim_within(engine, str(container["Id"]), [WORK]):
        reclaim_by(engine, str(container["Image"]), [folders[WORK]], container["Labels"])


def _is_dead(thing: dict[str, Any]) -> bool:
    labels = thing.get("Labels") or {}
    return JOB in labels and not is_alive(labels.get(ENGINE, ""))
