"""GitHub's own workflow fixtures: every file under $TRUNKLINE_CONFORMANCE/workflow-reader."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.conformance.github_template import Options, Template
from trunkline.document.limits import Limits

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "conformance"
FOLDER = Path(os.environ.get("TRUNKLINE_CONFORMANCE") or _BESIDE) / "workflow-reader"
_PART = re.compile(r"\r?\n---\r?\n")
# A fixture that these two skip is one of GitHub's editor: strict about events, and writing them.
_WITHOUT_EVENTS = {"go", "c#"}


class Fixture(NamedTuple):
    """One file: options, workflow, called workflows, and the template GitHub makes of it."""

    file: str
    options: dict[str, Any]
    text: str
    called: dict[str, str]
    expected: dict[str, Any]


def _fixture(path: Path) -> Fixture:
    options, text, *called, expected = _PART.split(path.read_bytes().decode("utf-8"))
    return Fixture(
        f".github/workflows/{path.name}",
        yaml.safe_load(options) or {},
        text,
        dict(zip(called[::2], called[1::2], strict=True)),
        json.loads(expected),
    )


def _superseded(fixture: Fixture) -> str:
    """Return why a fixture shows what GitHub does no more, or ''."""
    messages = [error["Message"] for error in fixture.expected.get("errors", [])]
    if any("Anchors are not currently supported" in message for message in messages):
        return "anchors are supported since 2025-09"
    events = fixture.expected.get("events", {}).values()
    if any({"branches", "branches-ignore"} <= set(event) for event in events):
        return "GitHub's service refuses a filter together with its -ignore twin"
    if fixture.options.get("is-partial-rerun"):
        return "a roll-out flag of GitHub's service that orders the file table anew"
    return ""


def _cases() -> list[Any]:
    found = []
    for path in sorted([*FOLDER.glob("*.yml"), *FOLDER.glob("*.yaml")]):
        fixture = _fixture(path)
        reason = _superseded(fixture)
        marks = [pytest.mark.skip(reason=f"superseded: {reason}")] if reason else []
        found.append(pytest.param(fixture, id=path.stem, marks=marks))
    missing = pytest.mark.skip(reason=f"no fixtures: {FOLDER} is not there")
    return found or [pytest.param(None, id="no-fixtures", marks=missing)]


def _options(written: dict[str, Any]) -> Options:
    named = {
        "max_depth": "max-depth",
        "max_characters": "max-file-size",
        "max_size": "max-result-size",
        "max_jobs": "max-job-limit",
        "max_call_depth": "max-nested-reusable-workflows-depth",
    }
    limits = {ours: written[theirs] for ours, theirs in named.items() if theirs in written}
    features = written.get("experimental-features") or {}
    editor = {name.lower() for name in written.get("skip") or []} >= _WITHOUT_EVENTS
    return Options(
        source=bool(written.get("include-source")),
        events=editor,
        policy=written.get("permissions-policy", "LimitedRead"),
        call=not written.get("skip-reusable-workflows"),
        limits=Limits(
            **limits,
            background_steps=bool(features.get("allowBackgroundSteps")),
            strict_dispatch=editor,
            need_steps=False,
        ),
    )


@pytest.mark.parametrize("fixture", _cases())
def test_fixture(fixture: Fixture) -> None:
    template = Template(fixture.called, _options(fixture.options))
    written = template.write(fixture.text, fixture.file)
    assert _text(written) == _text(fixture.expected)


def _text(value: dict[str, Any]) -> str:
    """Return JSON text, in which true differs from 1 and the order of names does not count."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
