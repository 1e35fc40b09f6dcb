"""Removing what jobs have at the engine: at their end, and after an engine of ours was killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from docker.errors import APIError, NotFound

from trunkline.adapters.docker.action_builds import remove_held_by_the_dead
from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.docker.labels import ENGINE, JOB, MACHINE, filters, machine
from trunkline.adapters.docker.marks import settle_note
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
    """Remove a container; no error when it is gone. One that is being removed is waited for.

    Until it is gone it keeps its network from being removed.
    """
    with refusals():
        try:
            engine.client.remove_container(container, v=True, force=True)
        except APIError as error:
            if not _is_gone(error):
                raise
            with suppress(NotFound):
                engine.client.wait(container, condition="removed")


def remove_network(engine: Engine, name: str) -> None:
    """Remove a network; no error when it is gone."""
    with refusals():
        _ignore_gone(engine.client.remove_network, name)


def remove_networks(engine: Engine, labels: dict[str, str]) -> None:
    """Remove the networks with these labels."""
    with refusals():
        for network in engine.client.networks(filters=filters(labels)):
            _ignore_gone(engine.client.remove_network, network["Id"])


def remove_volumes(engine: Engine, labels: dict[str, str]) -> bool:
    """Remove a job's volumes: what it names, and what its scripts have made; tell if all are gone.

    One that another job uses by now goes with that job when it is of this process, else with a sweep.
    """
    mine = {ENGINE: labels[ENGINE]}
    left = False
    with refusals():
        for volume in engine.client.volumes(filters=filters(mine)).get("Volumes") or ():
            is_own = labels.items() <= (volume.get("Labels") or {}).items()
            if not is_own and volume["Name"] not in engine.left_volumes:
                continue
            if _remove_volume(engine, volume["Name"]):
                engine.left_volumes.discard(volume["Name"])
            else:
                engine.left_volumes.add(volume["Name"])
                left = left or is_own
    return not left


def _remove_volume(engine: Engine, name: str) -> bool:
    """Remove a volume; return False for one that is in use."""
    try:
        engine.client.remove_volume(name)
    except APIError as error:
        if not _is_gone(error):
            raise
        return isinstance(error, NotFound)
    return True


def _ignore_gone(remove: Callable[[str], object], name: str) -> None:
    """Remove what may be gone, or going."""
    try:
        remove(name)
    except APIError as error:
        if not _is_gone(error):
            raise


def _is_gone(error: APIError) -> bool:
    return error.response is not None and error.response.status_code in GONE


def sweep(engine: Engine, notes: Iterable[str]) -> None:
    """Remove what engines left that were killed, and the notes that they had something."""
    if remove_of_the_dead(engine):
        for note in notes:
            settle_note(note, engine.wire.address)


def remove_of_the_dead(engine: Engine) -> bool:
    """Remove what engines of this machine left that no longer run; tell whether all is gone."""
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
        removed = [_remove_volume(engine, each["Name"]) for each in filter(_is_dead, volumes)]
    remove_held_by_the_dead(engine)
    return all(removed)


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
