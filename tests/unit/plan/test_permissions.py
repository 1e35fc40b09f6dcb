"""Effective token permissions."""

from __future__ import annotations

import pytest

from trunkline.plan.permissions import RESTRICTED, effective, render
from trunkline.workflow.model import Permissions


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (None, "contents: read, packages: read"),
        (Permissions(), "none"),
        (Permissions(all_="read"), "read-all"),
        (Permissions(all_="write"), "write-all"),
        (Permissions(scopes=(("contents", "write"),)), "contents: write"),
        (Permissions(scopes=(("issues", "none"), ("checks", "read"))), "checks: read"),
    ],
)
def test_effective(written, text):
    assert render(effective(written)) == text


def test_scopes_that_cannot_be_read_or_written():
    everything = effective(Permissions(all_="write"))
    assert everything["models"] == everything["vulnerability-alerts"] == "read"
    assert everything["id-token"] == "write"
    readable = effective(Permissions(all_="read"))
    assert readable["copilot-requests"] == "none"
    assert readable["contents"] == "read"


def test_every_scope_has_a_level_and_metadata_is_read():
    for written in (None, Permissions(), Permissions(scopes=(("contents", "write"),))):
        levels = effective(written)
        assert set(levels) == set(RESTRICTED)
        assert levels["metadata"] == "read"


def test_nothing_written_inherits():
    inherited = {**RESTRICTED, "contents": "write"}
    assert effective(None, inherited) == inherited
    assert effective(Permissions(), inherited)["contents"] == "none"
