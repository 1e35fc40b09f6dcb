"""Names of files for jobs and groups."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.slugs import slug


def test_a_plain_name_stays() -> None:
    assert slug("build") == "build"
    assert slug("build-1_x") == "build-1_x"


def test_others_are_recognisable_and_different() -> None:
    names = ["Build", "build (1)", "build-1", "call (a)/build (1)", "a" * 400, "..", "", "é", "-"]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert slugs[1].startswith("build-1.")
    assert slugs[5].startswith("job.")


@given(st.text())
def test_any_name_makes_a_short_safe_file_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,40}", slug(name))
    assert len(slug(name)) <= 40
