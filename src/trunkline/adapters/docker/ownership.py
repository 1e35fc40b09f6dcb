"""Files that containers left to other users: an unprivileged engine of ours could not remove them.

Only inside a container may somebody give them back, so that is done before the last one goes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from docker.errors import APIError

from trunkline.adapters.docker.engine import Engine, refusals

PLACE = "/trunkline"
NODE = "/__e/node20/bin/node"
WALK = (
    "const fs = require('fs'); const [u, g, ...tops] = process.argv.slice(1);"
    " const go = (p) => { fs.lchownSync(p, +u, +g);"
    " if (fs.lstatSync(p).isDirectory()) for (const n of fs.readdirSync(p)) go(p + '/' + n); };"
    " tops.forEach(go);"
)
ROOTLESS = "name=rootless"


def others_files(folders: Sequence[str]) -> bool:
    """Tell whether something below these folders belongs to somebody else. Root needs not care."""
    me = os.geteuid()
    waiting = list(folders) if me else []
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.stat(follow_symlinks=False).st_uid != me:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:  # it vanished, or can't be entered
            continue
    return False


def reclaim_within(engine: Engine, container: str, paths: Sequence[str]) -> bool:
    """Give files back from inside a container that runs; tell whether it could."""
    client = engine.client
    with refusals():
        for argv in _ways(engine, paths):
            try:
                made = client.exec_create(container, argv, user="0")
                client.exec_start(made["Id"])
                if client.exec_inspect(made["Id"])["ExitCode"] == 0:
                    return True
            except APIError:  # it has ended, or has no such program
                continue
    return False


def reclaim_by(
    engine: Engine, image: str, folders: Sequence[str], labels: Mapping[str, str]
) -> bool:
    """Give files back from a container of an image that is here; tell whether it could."""
    places = [f"{PLACE}/{number}" for number in range(len(folders))]
    mounts = [
        {"Type": "bind", "Source": folder, "Target": place}
        for folder, place in zip(folders, places, strict=True)
    ]
    argv = _ways(engine, places)[0]
    body = {
        "Image": image,
        "User": "0",
        "Entrypoint": argv[:1],
        "Cmd": argv[1:],
        "Labels": dict(labels),
        "HostConfig": {"NetworkMode": "none", "Mounts": mounts},
    }
    with refusals():
        made = engine.create(body, "")
        try:
            engine.client.start(made["Id"])
            return bool(engine.client.wait(made["Id"])["StatusCode"] == 0)
        except APIError:  # the image has no chown
            return False
        finally:
            engine.client.remove_container(made["Id"], v=True, force=True)


def _ways(engine: Engine, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    user, group = _own_numbers(engine)
    return (
        ["chown", "-hR", f"{user}:{group}", *paths],
        [NODE, "-e", WALK, str(user), str(group), *paths],
    )


def _own_numbers(engine: Engine) -> tuple[int, int]:
    """Return our user and group as containers number them: a rootless engine's root is us."""
    with refusals():
        security = engine.client.info().get("SecurityOptions") or ()
    if any(ROOTLESS in str(each) for each in security):
        return 0, 0
    return os.geteuid(), os.getegid()
