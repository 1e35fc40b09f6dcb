"""Linting without a disk, and the formats of what it finds."""

from __future__ import annotations

import json

from trunkline.base.diagnostics import Diagnostic, Severity
from trunkline.base.spans import Span
from trunkline.services.lint import check, exit_code
from trunkline.services.lint_formats import FORMATS, explain

SLIPS = b"""\
on: [push]
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - name: Login
        users: dockers/login-action@v3
        with: {username: a}
"""
CALLS = b"""\
on: push
jobs:
  a:
    uses: ./.github/workflows/called.yml
"""
CALLED = b"""\
on: {workflow_call: {inputs: {who: {type: string, required: true}}}}
jobs: {a: {runs-on: x, steps: [{run: y}]}}
"""


def found(**files: bytes) -> tuple[Diagnostic, ...]:
    paths = {f".github/workflows/{name}.yml": data for name, data in files.items()}
    return check(paths, paths.get)


def messages(**files: bytes) -> list[str]:
    return [one.message for one in found(**files)]


def test_mistakes_come_by_place_with_hints() -> None:
    assert [(one.span, one.severity, one.hint) for one in found(a=SLIPS)] == [
        (Span(6, 9), Severity.ERROR, ""),
        (Span(7, 9), Severity.ERROR, "Did you mean 'uses'?"),
        (Span(7, 16), Severity.WARNING, "Did you mean 'docker/login-action'?"),
    ]
    assert exit_code(found(a=SLIPS)) == 2


def test_warnings_alone_are_no_failure() -> None:
    text = b"on: push\njobs: {a: {runs-on: x, steps: [{run: 'echo ${{ steps.b }}'}]}}\n"
    assert messages(a=text) == ["Context access might be invalid: steps.b"]
    assert exit_code(found(a=text)) == 0


def test_more_mistakes_than_github_keeps_are_told() -> None:
    text = b"on: push\njobs: {}\n" + b"".join(b"k%d: 1\n" % number for number in range(40))
    assert len(messages(a=text)) == 41


def test_a_mistake_that_aliases_repeat_is_told_once() -> None:
    text = b"on: push\njobs:\n  a: &a {runs-on: x, foo: 1}\n  b: *a\n"
    assert messages(a=text) == ["Unexpected value 'foo'"]


def test_calls_within_the_repository_are_checked() -> None:
    (missing,) = found(ci=CALLS)
    assert missing.message.endswith("workflow was not found.")
    assert missing.hint == "There is no file .github/workflows/called.yml."
    assert messages(ci=CALLS, called=CALLED) == [
        "Input who is required, but not provided while calling."
    ]
    assert "error parsing called workflow" in messages(ci=CALLS, called=b"on: pull")[0]


def test_actions_are_known_by_their_name() -> None:
    data = b"name: a\nruns: {using: node20, main: x}\n"
    assert check({"action.yml": data, "sub/action.yaml": data}, lambda _: None) == ()
    assert check({"other.yml": data}, lambda _: None) != ()


def test_bytes_that_are_no_text() -> None:
    (one,) = found(a=b"on: push\nname: \xff\n")
    assert (one.message, one.span) == ("The file is not UTF-8 text", Span(2, 7))


def lines(data: bytes) -> dict[str, list[str]]:
    return {".github/workflows/a.yml": data.decode().splitlines()}


def test_text_shows_the_line_and_a_caret() -> None:
    text = FORMATS["text"](found(a=SLIPS), lines(SLIPS))
    assert text.split("\n\n")[1].splitlines() == [
        ".github/workflows/a.yml:7:9: error: Unexpected value 'users'",
        "  7 |         users: dockers/login-action@v3",
        "    |         ^",
        "    = Did you mean 'uses'?",
    ]
    assert text.endswith("2 errors, 1 warning in 1 file\n")
    assert FORMATS["text"]((), {"a": [], "b": []}) == "no mistakes in 2 files\n"


def test_the_caret_stands_below_its_column() -> None:
    one = Diagnostic(rule="r", message="m", file="f", span=Span(1, 4))
    assert explain(one, ["\t名b: c"]).splitlines()[2] == "    | \t   ^"


def test_a_mistake_without_a_place_or_beyond_the_text() -> None:
    assert explain(Diagnostic(rule="r", message="m", file="f"), ["a"]) == "f: error: m"
    beyond = Diagnostic(rule="r", message="m", file="f", span=Span(9, 1))
    assert explain(beyond, ["a"]) == "f:9:1: error: m"


def test_json_is_a_list_of_records() -> None:
    records = json.loads(FORMATS["json"](found(a=SLIPS), {}))
    assert records[1] == {
        "file": ".github/workflows/a.yml",
        "line": 7,
        "column": 9,
        "severity": "error",
        "rule": "unknown-key",
        "message": "Unexpected value 'users'",
        "hint": "Did you mean 'uses'?",
    }
    assert json.loads(FORMATS["json"]((), {})) == []


def test_github_gets_commands() -> None:
    one = Diagnostic(rule="r", message="50%\nmore", file="a:b,c", span=Span(1, 2), hint="h")
    assert FORMATS["github"]([one], {}) == (
        "::error file=a%3Ab%2Cc,title=r,line=1,col=2::50%25%0Amore h\n"
    )


def test_sarif_names_rules_and_places() -> None:
    log = json.loads(FORMATS["sarif"](found(a=SLIPS), {}))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        *("missing-key", "unknown-key", "action-name"),
    ]
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 7, "startColumn": 9}
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
