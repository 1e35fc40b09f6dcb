"""Options that verbs share."""

from __future__ import annotations

import argparse

import pytest

from trunkline.base.errors import NotFound, Unavailable, UsageError
from trunkline.cli import arguments


def parsed(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    arguments.add_event(parser)
    arguments.add_repository(parser)
    arguments.add_values(parser)
    arguments.add_selection(parser)
    return parser.parse_args(argv)


def test_defaults():
    options = parsed()
    assert (options.event, options.directory, options.workflows) == ("push", ".", [])
    assert arguments.selection(options) == arguments.Selection((), (), {})


def test_dotenv_files_are_those_of_the_repository_that_holds_the_folder(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep").mkdir()
    found = arguments.dotenv_file(parsed("-C", str(tmp_path / "deep")), "secret")
    assert found == str(tmp_path / ".secrets")


def test_a_dotenv_file_that_is_named_must_be_there(tmp_path):
    file = tmp_path / "f"
    with pytest.raises(NotFound, match="There is no file"):
        arguments.dotenv_file(parsed("--var-file", str(file)), "var")
    file.touch()
    assert arguments.dotenv_file(parsed("--var-file", str(file)), "var") == str(file)


def test_selection():
    options = parsed(
        "-j", "a", "--job", "b", "--matrix", "os:x:y", "-P", "A=host", "--platform", "b="
    )
    picked = arguments.selection(options)
    assert picked.jobs == ("a", "b")
    assert picked.matrix == (("os", "x:y"),)
    assert picked.platforms == {"a": "host", "b": ""}


def test_pairs():
    assert arguments.pairs(["a=1", "b=", "a=x=y"], "K=V") == {"a": "x=y", "b": ""}
    with pytest.raises(UsageError, match="'=x' is not K=V"):
        arguments.pairs(["=x"], "K=V")


def test_secrets_come_from_the_line_the_environment_or_the_user():
    given, to_ask = arguments.secrets(["A=1", "B", "C", "D="], {"B": "2"})
    assert given == {"A": "1", "B": "2", "D": ""}
    assert to_ask == ["C"]
    with pytest.raises(UsageError, match="is not -s K"):
        arguments.secrets(["=x"], {})


def test_payload(tmp_path):
    file = tmp_path / "event.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": [1]}')
    assert arguments.payload(str(file)) == {"a": [1]}
    assert arguments.payload(None) is None
    with pytest.raises(Unavailable, match="can't be read"):
        arguments.payload(str(tmp_path))
