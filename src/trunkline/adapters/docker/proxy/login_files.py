"""Where Docker's client wrote a rehearsal's login: the token in it goes, so that others ask anonymously.

The client keeps a token that opens nothing in place of the password. Buildx, Skopeo and the like
would offer it to the registry, which then refuses even what everybody may pull.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from trunkline.adapters.docker.registry_logins import REHEARSAL_TOKEN
from trunkline.adapters.process_table import environment

# struct ucred: pid, uid, gid (unix(7)).
CREDENTIALS = struct.Struct("3i")


def login_file(client: socket.socket, outside: Callable[[str], str | None]) -> str:
    """Return where this client keeps logins, on the engine's machine; '' when it can't be told.

    `outside` gives that machine's path for one that the client sees.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return ""
    try:
        told = client.getsockopt(socket.SOL_SOCKET, option, CREDENTIALS.size)
    except OSError:
        return ""
    variables = dict(
        part.partition("=")[::2]
        for part in environment(CREDENTIALS.unpack(told)[0]).decode("utf-8", "replace").split("\0")
    )
    home = variables.get("HOME", "")
    folder = variables.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "")
    return (outside(f"{folder}/config.json") or "") if os.path.isabs(folder) else ""


def forget_tokens(path: str) -> None:
    """Take the tokens of rehearsals out of a file of logins; what can't be changed stays."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(file, encoding="utf-8") as stream:
            content = json.load(stream)
        changed = _without_tokens(content)
        if changed != content:
            _replace(path, json.dumps(changed, indent="\t"))
    except (OSError, ValueError):
        return


def _without_tokens(content: Any) -> Any:
    auths = content.get("auths") if isinstance(content, dict) else None
    if not isinstance(auths, dict):
        return content
    kept = {server: {} if _is_rehearsal(login) else login for server, login in auths.items()}
    return {**content, "auths": kept}


def _is_rehearsal(login: object) -> bool:
    return isinstance(login, dict) and login.get("identitytoken") == REHEARSAL_TOKEN


def _replace(path: str, text: str) -> None:
    """Write a file anew beside it, and put it in its place; its owner stays."""
    before = os.stat(path)
    new = f"{path}.{os.getpid()}"
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text)
        if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(stream.fileno(), before.st_uid, before.st_gid)
    os.replace(new, path)
