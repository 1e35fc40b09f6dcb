"""Versions and ranges, against npm's own implementation where node is here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from trunkline.adapters.toolkit.semver import Version, parse_range, parse_version

RANGES = [
    *("*", "", "x", "1", "1.x", "1.2", "1.2.x", "1.2.3", "=1.2.3", "v1.2.3", "1.2.3 - 2", ">=1"),
    *("1.2.3 - 2.3", "1 - 2.3.4", "~1", "~1.2", "~1.2.3", "~> 1.2", "^1", "^1.2", "^1.2.3", "^0"),
    *("^0.2", "^0.2.3", "^0.0.3", "^0.0", "^0.0.x", "^0.x", "^1.x", ">1", ">1.2", "<1", "<1.2"),
    *("<=1", "<=1.2", ">=1.2 <2", ">= 1.2 < 2 || ^3", ">1.2.3-alpha.3", "~1.2.3-beta.2", "<2.0.0"),
    *("^1.2.3-rc.1", "1.2.3-alpha", "~3.11.0-0", ">=3.9 !=3.9.1", "latest", "1.2.3.4", ">*", "^*"),
    *("||", "1 ||", "a || 1", "~0.0.1", ">=0.0.0-0", "1.2.3+build", "01.2.3"),
]
VERSIONS = [
    *("0.0.0", "0.0.1", "0.0.3", "0.0.4", "0.2.3", "0.2.9", "0.3.0", "1.0.0", "1.2.2", "1.2.3"),
    *("1.2.3-alpha", "1.2.3-alpha.3", "1.2.3-alpha.10", "1.2.3-beta.2", "1.2.3-rc.1", "1.2.4"),
    *("1.2.4-alpha.9", "1.3.0", "1.9.9", "2.0.0-0", "2.0.0-alpha", "2.0.0", "2.3.4", "2.3.5"),
    *("2.4.0", "3.0.0", "3.11.0-rc.1", "3.11.0", "3.11.7", "10.0.0", "0.0.0-0"),
]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.2.3", "1.2.10"),
        ("1.0.0-alpha", "1.0.0"),
        ("1.0.0-alpha.2", "1.0.0-alpha.10"),
        ("1.0.0-1", "1.0.0-alpha"),
        ("1.0.0-alpha", "1.0.0-alpha.1"),
        ("1.0.0-beta", "1.0.0-rc"),
    ],
)
def test_order(older: str, newer: str) -> None:
    first, second = parse_version(older), parse_version(newer)
    assert first is not None
    assert second is not None
    assert first < second
    assert second > first
    assert first != second


@pytest.mark.parametrize("text", ["", "1", "1.2", "1.2.x", "latest", "1.2.3.4", "-1.2.3"])
def test_what_is_no_version(text: str) -> None:
    assert parse_version(text) is None


def test_text() -> None:
    assert str(parse_version("v1.2.3-rc.1+build")) == "1.2.3-rc.1"
    assert repr(Version(1, 2, 3)) == "Version(1.2.3)"


@pytest.mark.parametrize(
    ("text", "fits", "fails"),
    [
        ("3.11", "3.11.7 3.11.0", "3.12.0 3.1.1 3.11.0-rc.1"),
        ("3.x", "3.0.0 3.13.0", "2.7.18 4.0.0"),
        (">=3.9 <3.12", "3.9.0 3.11.7", "3.12.0 3.8.18"),
        ("~3.13.0-0", "3.13.0 3.13.0-rc.1", "3.14.0"),
        ("^20.19.0 || >=22.12.0", "20.19.5 22.12.0 24.0.0", "20.18.0 21.0.0 22.11.0"),
    ],
)
def test_ranges(text: str, fits: str, fails: str) -> None:
    found = parse_range(text)
    assert found is not None
    versions = {word: parse_version(word) for word in f"{fits} {fails}".split()}
    allowed = [word for word, version in versions.items() if version and found.allows(version)]
    assert allowed == fits.split()


def test_the_newest_that_fits() -> None:
    found = parse_range("3.11")
    assert found is not None
    assert (
        str(found.newest([Version(3, 11, 2), Version(3, 11, 10), Version(3, 12, 0)])) == "3.11.10"
    )
    assert found.newest([Version(3, 12, 0)]) is None


def test_as_npm_does() -> None:
    npm = shutil.which("npm")
    place = Path(npm).resolve().parents[1] / "node_modules/semver" if npm else None
    if place is None or not place.is_dir():
        pytest.skip("npm's semver is not here")
    script = (
        "const s=require(process.argv[1]),[r,v]=JSON.parse(process.argv[2]);"
        "console.log(JSON.stringify(r.map(x=>s.validRange(x)===null?null:"
        "v.filter(y=>s.satisfies(y,x)))))"
    )
    given = json.dumps([RANGES, VERSIONS])
    done = subprocess.run(
        ["node", "-e", script, str(place), given], check=True, capture_output=True, text=True
    )
    ours = []
    for text in RANGES:
        found = parse_range(text)
        fit = [v for v in VERSIONS if found and (p := parse_version(v)) and found.allows(p)]
        ours.append(fit if found else None)
    theirs = json.loads(done.stdout)
    assert {t: o for t, o, n in zip(RANGES, ours, theirs, strict=True) if o != n} == {}
