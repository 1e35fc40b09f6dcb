"""The table of native actions: every entry loads and is what the port says."""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.jobs import world
from trunkline.adapters.actions import NATIVE
from trunkline.ports.actions import NativeAction

# Steps that a buildspec is lowered to: nobody names a version of them.
OWN = "trunkline/"


@pytest.mark.parametrize("name", sorted(NATIVE))
def test_every_entry_loads(tmp_path: Path, name: str) -> None:
    action: NativeAction = resolve_name(NATIVE[name])(world(tmp_path, tmp_path))
    assert name == name.lower()
    assert action.inputs == {each.lower() for each in action.inputs}
    if not name.startswith(OWN):
        assert action.describe("v4.1").startswith("v")
    assert action.describe("main") == action.describe("v99")
    assert isinstance(action.has_post, bool)
    assert action.post_condition in {"always()", "success()"}


def test_the_well_known_ones_are_there() -> None:
    assert {
        "actions/checkout",
        "actions/setup-python",
        "actions/setup-node",
        "actions/cache",
        "actions/cache/restore",
        "actions/cache/save",
        "actions/upload-artifact",
        "actions/upload-artifact/merge",
        "actions/download-artifact",
        "docker/build-push-action",
        "docker/login-action",
        "docker/metadata-action",
        "docker/setup-buildx-action",
        "docker/setup-qemu-action",
        "astral-sh/setup-uv",
    } == {name for name in NATIVE if not name.startswith(OWN)}
