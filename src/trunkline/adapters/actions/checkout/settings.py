"""What a checkout was asked for (actions/checkout `src/input-helper.ts`)."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.ports.actions import ActionCall, ActionFailed
from trunkline.ports.sandbox import Layout

DEFAULTS = {
    "clean": "true",
    "fetch-depth": "1",
    "fetch-tags": "false",
    "lfs": "false",
    "persist-credentials": "true",
    "set-safe-directory": "true",
    "sparse-checkout-cone-mode": "true",
    "submodules": "false",
}
NAMES = frozenset(
    {
        *("repository", "ref", "token", "ssh-key", "ssh-known-hosts", "ssh-strict", "ssh-user"),
        *("persist-credentials", "path", "clean", "filter", "sparse-checkout"),
        *("sparse-checkout-cone-mode", "fetch-depth", "fetch-tags", "show-progress", "lfs"),
        *("submodules", "set-safe-directory", "github-server-url", "allow-unsafe-pr-checkout"),
    }
)
NO_SSH = "the repository is taken from this machine, or over https."
UNSUPPORTED = {"ssh-key": NO_SSH, "ssh-known-hosts": NO_SSH}
_SHA = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


class Settings(NamedTuple):
    """The inputs, made sense of.

    `ref` and `commit` are those of the event when the workflow's own repository (`own`) is wanted
    and no ref is named; `asked_ref` is what the user wrote.
    """

    repository: str
    own: bool
    asked_ref: str
    ref: str
    commit: str
    target: str
    depth: int
    tags: bool
    clean: bool
    lfs: bool
    submodules: str
    sparse: tuple[str, ...]
    cone: bool
    safe: bool
    server_url: str
    token: str


def read(call: ActionCall, layout: Layout) -> Settings:
    """Read the inputs of a call. Raises ActionFailed."""
    inputs = Inputs(call, DEFAULTS)
    own_name = str(call.github["repository"])
    repository = inputs.text("repository") or own_name
    own = repository.lower() == own_name.lower()
    asked = inputs.text("ref")
    ref, commit = asked, ""
    if _SHA.fullmatch(asked):
        ref, commit = "", asked.lower()
    elif not asked and own:
        ref, commit = _qualified(str(call.github["ref"])), str(call.github["sha"])
    token = inputs.text("token") or str(call.github.get("token") or "")
    keeps = inputs.flag("persist-credentials") and token != call.own_token
    return Settings(
        repository=_checked(repository),
        own=own,
        asked_ref=asked,
        ref=ref,
        commit=commit,
        target=_target(inputs.text("path"), layout.workspace),
        depth=_depth(inputs.text("fetch-depth")),
        tags=inputs.flag("fetch-tags"),
        clean=inputs.flag("clean"),
        lfs=inputs.flag("lfs"),
        submodules=_submodules(inputs.text("submodules")),
        sparse=tuple(inputs.lines("sparse-checkout")),
        cone=inputs.flag("sparse-checkout-cone-mode"),
        safe=inputs.flag("set-safe-directory"),
        server_url=inputs.text("github-server-url") or str(call.github["server_url"]),
        token=token if keeps else "",
    )


def _qualified(ref: str) -> str:
    return ref if not ref or ref.startswith("refs/") else f"refs/heads/{ref}"


def _checked(repository: str) -> str:
    parts = repository.split("/")
    if len(parts) != 2 or not all(parts):
        message = f"Invalid repository '{repository}'. Expected format {{owner}}/{{repo}}."
        raise ActionFailed(message)
    return repository


def _target(path: str, workspace: str) -> str:
    target = posixpath.normpath(posixpath.join(workspace, path or "."))
    if not f"{target}/".startswith(f"{workspace.rstrip('/')}/"):
        raise ActionFailed(f"Repository path '{target}' is not under '{workspace}'")
    return target


def _depth(text: str) -> int:
    """Return the depth, 0 for all history; what is no number counts as 0, as it does there."""
    return int(text) if text.isdecimal() else 0


def _submodules(text: str) -> str:
    word = text.lower()
    return word if word in {"true", "recursive"} else ""
