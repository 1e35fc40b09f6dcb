"""An engine on another machine, brought here over ssh."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from trunkline.adapters.docker.address import engine_address
from trunkline.base.errors import Unavailable

TUNNEL_SECONDS = 20.0
REMOTE_SOCKET = "/var/run/docker.sock"


def reachable_address(environ: Mapping[str, str]) -> str:
    """Return the address of the caller's engine, `unix://` or `tcp://`. Raises Unavailable.

    For `ssh://` a tunnel is opened, which ends with this process: ask once.
    """
    address = engine_address(environ)
    return _tunnel(address) if address.startswith("ssh://") else address


def _tunnel(address: str) -> str:
    """Bring an engine's socket here over ssh; the tunnel ends with this process."""
    parts = urlsplit(address)
    folder = tempfile.mkdtemp(prefix="trunkline-ssh-")
    local, remote = f"{folder}/engine.sock", parts.path or REMOTE_SOCKET
    port = ["-p", str(parts.port)] if parts.port else []
    target = f"{parts.username}@{parts.hostname}" if parts.username else f"{parts.hostname}"
    options = ["-o", "ExitOnForwardFailure=yes", "-o", "BatchMode=yes"]
    argv = ["ssh", *options, "-L", f"{local}:{remote}", *port, "--", target, "cat"]
    try:
        # `cat` ends when this process does, and its session with it. Ctrl-C is not for the tunnel:
        # what jobs have at the engine is still to be removed through it.
        tunnel = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        raise Unavailable(f"ssh can't be started: {error.strerror}") from error
    end = time.monotonic() + TUNNEL_SECONDS
    while not os.path.exists(local):
        if tunnel.poll() is not None or time.monotonic() > end:
            tunnel.kill()
            shutil.rmtree(folder, ignore_errors=True)
            raise Unavailable(f"The container engine at {address} can't be reached over ssh.")
        time.sleep(0.02)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return f"unix://{local}"
