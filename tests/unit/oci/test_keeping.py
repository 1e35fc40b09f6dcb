"""Retention as users write it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.oci.keeping import DAY, read_retention
from trunkline.oci.retention import Retention


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("last=10", Retention(keep_last=10)),
        ("days=30", Retention(older_than=30.0 * DAY)),
        ("last=0, days=7", Retention(keep_last=0, older_than=7.0 * DAY)),
        (
            "ghcr.io/o/*:last=3,tags=pr-*,tags=sha-*,always=v*",
            Retention(
                repositories="ghcr.io/o/*", tags=("pr-*", "sha-*"), keep=("v*",), keep_last=3
            ),
        ),
    ],
)
def test_rules_are_read(text: str, rule: Retention) -> None:
    assert read_retention(text) == rule


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'' is not a part of"),
        ("last", "'last' is not a part of"),
        ("last=", "'last=' is not a part of"),
        ("newest=3", "'newest=3' is not a part of"),
        ("last=x", "last must be one number"),
        ("last=-1", "last must be one number"),
        ("last=1,last=2", "last must be one number"),
        ("days=²", "days must be one number"),
        ("tags=v*", "it would keep everything"),
        (":last=1", "names no repositories"),
    ],
)
def test_what_is_no_rule_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read_retention(text)


@given(st.text("lastdy=,:0123*", max_size=20))
def test_any_text_is_a_rule_or_an_error(text: str) -> None:
    try:
        rule = read_retention(text)
    except ValueError:
        return
    assert rule.keep_last is not None or rule.older_than is not None
