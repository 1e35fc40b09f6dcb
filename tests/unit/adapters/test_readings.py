"""What is remembered of a file is what reading it gives, and nothing else counts as remembered."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.readings import action_readings, workflow_readings
from trunkline.document.limits import GITHUB, Limits
from trunkline.workflow.action import parse_action
from trunkline.workflow.parse import parse

ROOT = Path(__file__).parents[3]
FILE = ".github/workflows/ci.yml"
TEXT = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.sha }}\n"
ACTION = "name: a\nruns:\n  using: composite\n  steps:\n    - run: echo\n      shell: bash\n"
WRONG = "on: push\njobs:\n  a: ${{ nothing }}\n"


def fresh_only():
    raise AssertionError("the reader was loaded")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def workflows_here() -> list[Path]:
    return sorted(path for path in ROOT.glob("tests/**/*.y*ml") if path.is_file())[:300]


@pytest.mark.parametrize("text", [TEXT, WRONG, "", ": [", "on: push\n"])
def test_what_is_kept_is_what_was_read(tmp_path, text):
    expected = parse(text, FILE)
    assert workflow_readings(str(tmp_path), lambda: parse)(text, FILE) == expected
    assert workflow_readings(str(tmp_path), fresh_only)(text, FILE) == expected


def test_every_file_of_the_tests_is_kept_as_it_was_read(tmp_path):
    found = workflows_here()
    assert len(found) > 20
    for path in found:
        text = path.read_text(encoding="utf-8", errors="replace")
        expected = parse(text, path.name)
        assert workflow_readings(str(tmp_path), lambda: parse)(text, path.name) == expected
        assert workflow_readings(str(tmp_path), fresh_only)(text, path.name) == expected


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_of_a_step_is_kept(tmp_path_factory, script):
    folder = str(tmp_path_factory.mktemp("readings"))
    quoted = script.replace("'", "''")
    text = TEXT.replace("echo ${{ github.sha }}", f"'{quoted}'")
    expected = parse(text, FILE)
    assert workflow_readings(folder, lambda: parse)(text, FILE) == expected
    assert workflow_readings(folder, lambda: parse)(text, FILE) == expected


def test_actions_are_kept_too(tmp_path):
    expected = parse_action(ACTION, "action.yml")
    assert action_readings(str(tmp_path), lambda: parse_action)(ACTION, "action.yml") == expected
    assert action_readings(str(tmp_path), fresh_only)(ACTION, "action.yml") == expected


@pytest.mark.parametrize(
    ("text", "file", "limits"),
    [
        (TEXT + "\n", FILE, GITHUB),
        (TEXT, "other.yml", GITHUB),
        (TEXT, FILE, Limits(max_errors=1000)),
    ],
)
def test_another_text_file_or_limit_is_read(tmp_path, text, file, limits):
    workflow_readings(str(tmp_path), lambda: parse)(TEXT, FILE)
    with pytest.raises(AssertionError, match="loaded"):
        workflow_readings(str(tmp_path), fresh_only)(text, file, limits=limits)


def test_an_entry_of_another_text_under_the_same_name_does_not_count(tmp_path):
    workflow_readings(str(tmp_path), lambda: parse)(TEXT, FILE)
    (entry,) = files(tmp_path)
    workflow_readings(str(tmp_path), lambda: parse)(WRONG, FILE)
    (other,) = set(files(tmp_path)) - {entry}
    other.write_bytes(entry.read_bytes())
    assert workflow_readings(str(tmp_path), lambda: parse)(WRONG, FILE) == parse(WRONG, FILE)
    assert workflow_readings(str(tmp_path), fresh_only)(WRONG, FILE) == parse(WRONG, FILE)


@pytest.mark.parametrize("damage", [b"", b"\x00", b"not an entry", b"\xc1", b"\x92\x94"])
def test_a_damaged_entry_is_replaced(tmp_path, damage):
    workflow_readings(str(tmp_path), lambda: parse)(TEXT, FILE)
    (entry,) = files(tmp_path)
    whole = entry.read_bytes()
    for content in (damage, whole[:-9], whole + b"\x00"):
        entry.write_bytes(content)
        assert workflow_readings(str(tmp_path), lambda: parse)(TEXT, FILE) == parse(TEXT, FILE)
        assert entry.read_bytes() == whole


def test_what_other_code_read_does_not_count(tmp_path):
    workflow_readings(str(tmp_path), lambda: parse)(TEXT, FILE)
    (entry,) = files(tmp_path)
    whole = entry.read_bytes()
    assert b"schema.py:" in whole
    entry.write_bytes(whole.replace(b"schema.py:", b"schema.py_"))
    with pytest.raises(AssertionError, match="loaded"):
        workflow_readings(str(tmp_path), fresh_only)(TEXT, FILE)


def test_entries_are_the_users_own(tmp_path):
    workflow_readings(str(tmp_path / "readings"), lambda: parse)(TEXT, FILE)
    (entry,) = files(tmp_path)
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.parent.stat().st_mode) == 0o700


def test_where_nothing_can_be_kept_files_are_read_all_the_same(tmp_path):
    (tmp_path / "readings").write_text("not a folder")
    readings = workflow_readings(str(tmp_path / "readings"), lambda: parse)
    assert readings(TEXT, FILE) == readings(TEXT, FILE) == parse(TEXT, FILE)


def test_the_oldest_entries_go(tmp_path):
    readings = workflow_readings(str(tmp_path), lambda: parse, most=3)
    for number in range(10):
        readings(f"{TEXT}# {number}\n", FILE)
    assert len(files(tmp_path)) == 3
