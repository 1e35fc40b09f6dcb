"""Problem matchers: validation, the machine of several patterns, what becomes an annotation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.patterns import compile_pattern
from trunkline.run.annotations import Annotation
from trunkline.run.matchers import (
    MatcherError,
    MatcherRule,
    Matchers,
    parse_matchers,
    to_annotation,
    with_rules,
    without_owners,
)

COMPACT = {
    "owner": "compact",
    "pattern": [
        {
            "regexp": r"^(.+):(\d+):(\d+):\s(\w+):\s(.*?)(?:\s\((\w+)\))?$",
            "file": 1,
            "line": 2,
            "column": 3,
            "severity": 4,
            "message": 5,
            "code": 6,
        }
    ],
}
STYLISH = {
    "owner": "stylish",
    "pattern": [
        {"regexp": r"^([^\s].*)$", "file": 1},
        {
            "regexp": r"^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*)\s\s+(.*)$",
            "line": 1,
            "column": 2,
            "severity": 3,
            "message": 4,
            "code": 5,
            "loop": True,
        },
    ],
}
PYTHON = {
    "owner": "python",
    "pattern": [
        {"regexp": r"^\s*File\s\"(.*)\",\sline\s(\d+),\sin\s(.*)$", "file": 1, "line": 2},
        {"regexp": r"^\s*raise\s(.*)\(\'(.*)\'\)$", "message": 2},
    ],
}


def rules(*matchers: dict[str, Any]) -> tuple[MatcherRule, ...]:
    return parse_matchers(json.dumps({"problemMatcher": matchers}), compile_pattern)


def matcher(owner: str = "o", **pattern: Any) -> dict[str, Any]:
    return {"owner": owner, "pattern": [{"regexp": "^(.*)$", "message": 1, **pattern}]}


def told_by(lines: str, *matchers: dict[str, Any]) -> list[Annotation]:
    """Return what becomes of lines that are looked at one by one."""
    machine = Matchers(rules(*matchers))
    found = []
    for line in lines.split("\n"):
        problem, _, dropped = machine.match(line)
        assert not dropped
        if problem is not None:
            annotation = to_annotation(problem, lambda file, from_path: f"{from_path}{file}")
            if annotation is not None:
                found.append(annotation)
    return found


def test_one_pattern():
    assert told_by("a.c:3:7: Warning: unused (W1)\nother", COMPACT) == [
        Annotation("warning", "unused", file="a.c", line=3, column=7)
    ]


def test_colours_are_not_seen():
    found = told_by("\x1b[1ma.c\x1b[m:3:7: \x1b[31;1merror\x1b[0m: no", COMPACT)
    assert found == [Annotation("error", "no", file="a.c", line=3, column=7)]


def test_a_loop_keeps_what_came_before():
    text = "/w/a.js\n  1:2  error  Bad  rule-a\n  3:4  warning  Odd  rule-b\n\n  5:6  error  Late  rule-c"
    assert told_by(text, STYLISH) == [
        Annotation("error", "Bad", file="/w/a.js", line=1, column=2),
        Annotation("warning", "Odd", file="/w/a.js", line=3, column=4),
    ]


def test_patterns_must_match_consecutive_lines():
    file = '  File "a.py", line 3, in f'
    raised = "    raise ValueError('no')"
    assert told_by(f"{file}\n{raised}", PYTHON) == [Annotation("error", "no", file="a.py", line=3)]
    assert told_by(f"{file}\n\n{raised}", PYTHON) == []
    assert told_by(f"{file}\n{file}\n{raised}\n{raised}", PYTHON) == [
        Annotation("error", "no", file="a.py", line=3)
    ]


def test_three_patterns():
    three = {
        "owner": "three",
        "pattern": [
            {"regexp": "^file (.*)$", "file": 1},
            {"regexp": "^line (.*)$", "line": 1},
            {"regexp": "^what (.*)$", "message": 1},
        ],
    }
    lines = "file a\nline 1\nwhat x\nfile b\nline 2\nline 3\nwhat y\nfile c\nwhat z"
    assert told_by(lines, three) == [Annotation("error", "x", file="a", line=1)]


def test_the_first_matcher_that_matches_wins_and_resets_the_others():
    text = "File \"a.py\", line 1, in f\na.c:3:7: error: no\nraise E('no')"
    assert [found.file for found in told_by(text, COMPACT, PYTHON)] == ["a.c"]


def test_severities():
    assert told_by("x", {**matcher(), "severity": "NOTICE"}) == [Annotation("notice", "x")]
    assert told_by("x", matcher()) == [Annotation("error", "x")]
    assert told_by("a.c:1:1: info: x", COMPACT) == []
    assert told_by("  ", matcher()) == []


def test_a_matcher_has_a_default_from_path():
    by_default = {**matcher(file=1, message=None), "fromPath": "p/"}
    by_default["pattern"].append({"regexp": "(.+)", "message": 1})
    assert told_by("a\nb", by_default)[0].file == "p/a"


@pytest.mark.parametrize(
    ("matchers", "message"),
    [
        ([matcher("")], "Owner must not be empty"),
        ([matcher("a"), matcher("A")], "Duplicate owner name 'A'"),
        (
            [{**matcher("a"), "severity": "fatal"}],
            "Matcher 'a' contains unexpected default severity 'fatal'",
        ),
        ([{"owner": "a", "pattern": []}], "Matcher 'a' does not contain any patterns"),
        ([{"owner": "a"}], "Matcher 'a' does not contain any patterns"),
        ([matcher(message=None)], "At least one pattern must set 'message'"),
        (
            [matcher(loop=True)],
            "Only the last pattern in a multiline matcher may set 'loop'",
        ),
        (
            [
                {
                    "owner": "a",
                    "pattern": [{"regexp": "(x)", "message": 1}, {"regexp": "x", "loop": True}],
                }
            ],
            "The loop pattern must set 'message'",
        ),
        (
            [
                {
                    "owner": "a",
                    "pattern": [{"regexp": "(x)", "message": 1}, {"regexp": "(x)", "message": 1}],
                }
            ],
            "The property 'message' is set twice",
        ),
        ([matcher(line=2)], "The property 'line' is set to 2 which is out of range"),
        ([matcher(line=-1)], "The property 'line' is set to -1 which is out of range"),
    ],
)
def test_a_wrong_matcher_is_told_in_githubs_words(matchers, message):
    with pytest.raises(MatcherError) as caught:
        rules(*matchers)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"problemMatcher": 1}', '{"problemMatcher": [1]}']
)
def test_a_file_that_is_no_matcher_file(text):
    with pytest.raises(MatcherError):
        parse_matchers(text, compile_pattern)


def test_a_bad_expression_is_told():
    with pytest.raises(MatcherError, match="bad pattern"):
        rules(matcher(regexp="("))


def test_classes_are_ascii_and_case_counts():
    assert told_by("\u0663", matcher(regexp=r"(\d)")) == []
    assert told_by("ERROR", matcher(regexp="(error)")) == []


def test_dotnet_counts_unnamed_groups_first():
    found = told_by("a-b", matcher(regexp="(?<name>a)-(b)", message=1, code=2))
    assert found == [Annotation("error", "b")]


def test_the_newest_matcher_comes_first_and_replaces_its_owner():
    kept = with_rules(with_rules((), rules(matcher("a"), matcher("b"))), rules(matcher("A")))
    assert [rule.owner for rule in kept] == ["A", "b"]
    assert [rule.owner for rule in without_owners(kept, ["B"])] == ["A"]


def test_an_expression_that_takes_for_ever_is_dropped():
    (slow,) = rules(matcher("slow", regexp=r"^((?:a|a)*)*(?<=a)$"))
    machine = Matchers([slow], seconds=0.05)
    line = "a" * 40 + "!"
    assert machine.may_match(line)
    assert machine.match(line) == (None, line, [slow])


LINES = st.lists(
    st.sampled_from(
        [
            *('  File "a.py", line 3, in f', "raise E('no')", "a.c:1:2: error: x (y)", "/w/a.js"),
            *("  1:2  error  Bad  rule-a", "plain", "", "\x1b[1ma.c:1:2: warning: x"),
        ]
    ),
    max_size=12,
)


@given(LINES)
def test_a_block_is_never_passed_over_when_a_line_of_it_matches(lines):
    one_by_one, in_blocks = (Matchers(rules(COMPACT, STYLISH, PYTHON)) for _ in range(2))
    expected = [one_by_one.match(line)[0] for line in lines]
    found = []
    for start in range(0, len(lines), 3):
        block = lines[start : start + 3]
        if in_blocks.may_match("\n".join(block)):
            found += [in_blocks.match(line)[0] for line in block]
        else:
            found += [None] * len(block)
    assert found == expected


@given(st.lists(st.text()))
def test_hostile_lines_never_crash(lines):
    machine = Matchers(rules(COMPACT, STYLISH, PYTHON))
    for line in lines:
        machine.match(line)
