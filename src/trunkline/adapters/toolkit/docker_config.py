"""The configuration of Docker's client in a job: who is logged in where, and through which proxies."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from trunkline.adapters.toolkit.files import read_text
from trunkline.oci.references import DOCKER_HUB, InvalidReference, parse_reference
from trunkline.ports.actions import ActionFailed, ActionJob
from trunkline.ports.containers import IDENTITY_USER, Login

# The name that Docker Hub has in configurations (docker/cli `registry.IndexServer`).
HUB_KEY = "https://index.docker.io/v1/"
_ASK = 'printf %s "$2" | "$1" get'


class DockerConfig(NamedTuple):
    """What `config.json` says; empty when there is none."""

    path: str
    content: Mapping[str, Any]

    @property
    def proxies(self) -> Mapping[str, Mapping[str, str]]:
        """Return the proxies by engine (`default` for all)."""
        found = self.content.get("proxies")
        return found if isinstance(found, dict) else {}


def read_config(job: ActionJob, env: Mapping[str, str]) -> DockerConfig:
    """Read the configuration of the job's Docker client. Raises ActionFailed when it is broken."""
    folder = env.get("DOCKER_CONFIG") or f"{env.get('HOME') or job.layout.home}/.docker"
    path = f"{folder}/config.json"
    text = read_text(job, path)
    try:
        content = json.loads(text) if text is not None and text.strip() else {}
    except json.JSONDecodeError as error:
        raise ActionFailed(f"Unable to parse config file {path}: {error}") from error
    if not isinstance(content, dict):
        raise ActionFailed(f"Unable to parse config file {path}: it is not an object")
    return DockerConfig(path, content)


def find_login(config: DockerConfig, reference: str, job: ActionJob) -> Login | None:
    """Return who the job is logged in as at a reference's registry, None for nobody.

    Helpers are asked as Docker asks them: that of the registry, then the store of all, then the
    file itself. Raises ActionFailed for a reference that can't be read.
    """
    try:
        host = parse_reference(reference).host
    except InvalidReference as error:
        raise ActionFailed(f"invalid tag '{reference}': {error}") from error
    key, server = (HUB_KEY, "") if host == DOCKER_HUB else (host, host)
    content = config.content
    helper = (content.get("credHelpers") or {}).get(key) or content.get("credsStore")
    if helper:
        return _from_helper(str(helper), key, server, job)
    for known, entry in (content.get("auths") or {}).items():
        if _plain(str(known)) == _plain(key) and isinstance(entry, dict):
            return _from_entry(entry, server)
    return None


def _plain(key: str) -> str:
    """Return a registry's name without scheme and path."""
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _from_entry(entry: Mapping[str, Any], server: str) -> Login | None:
    if entry.get("identitytoken"):
        token = str(entry["identitytoken"])
        return Login(server=server, username=IDENTITY_USER, password=token)
    username, password = str(entry.get("username", "")), str(entry.get("password", ""))
    if entry.get("auth"):
        try:
            text = base64.b64decode(str(entry["auth"]), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ActionFailed(
                "Docker's configuration holds a login that can't be read."
            ) from error
        username, _, password = text.partition(":")
    if not username or not password:
        return None
    return Login(server=server, username=username, password=password.rstrip("\0"))


def _from_helper(helper: str, key: str, server: str, job: ActionJob) -> Login | None:
    code, text = job.capture(["sh", "-c", _ASK, "sh", f"docker-credential-{helper}", key])
    if code:
        return None
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    username, password = str(found.get("Username", "")), str(found.get("Secret", ""))
    return Login(server=server, username=username, password=password) if username else None
