"""The patterns of `hashFiles`: what they match, where to look, what is refused."""

from __future__ import annotations

import pytest

from trunkline.expr.errors import ExpressionError
from trunkline.expr.glob import Glob, units
from trunkline.expr.hashing import Match, Patterns, parse_patterns

ROOT = "/w/s [x]"
HOME = "/home/me"
FAILED = f" failed. Fail to hash files under directory '{ROOT}'\n"


def parsed(*arguments: str) -> Patterns:
    return parse_patterns(list(arguments), ROOT, HOME)


def matching(patterns: Patterns, *paths: str) -> list[str]:
    return [path for path in paths if patterns.match(f"{ROOT}/{path}") & Match.FILE]


PATHS = ("a", "a.js", "lib/a.js", "lib/.b.js", ".github/x.yml", "lib/deep/a.js", "lib", "b/lib/c")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["*.js"], ["a.js"]),
        (["**/*.js"], ["a.js", "lib/a.js", "lib/.b.js", "lib/deep/a.js"]),
        (["lib"], ["lib/a.js", "lib/.b.js", "lib/deep/a.js", "lib"]),
        (["lib/"], ["lib/a.js", "lib/.b.js", "lib/deep/a.js"]),
        (["./lib/*"], ["lib/a.js", "lib/.b.js", "lib/deep/a.js"]),
        (["lib/**"], ["lib/a.js", "lib/.b.js", "lib/deep/a.js", "lib"]),
        (["**/lib/*"], ["lib/a.js", "lib/.b.js", "lib/deep/a.js", "b/lib/c"]),
        (["**", "!**/*.js"], ["a", ".github/x.yml", "lib", "b/lib/c"]),
        (["**", "!lib"], ["a", "a.js", ".github/x.yml", "b/lib/c"]),
        (["**", "!lib", "lib/a.js"], ["a", "a.js", "lib/a.js", ".github/x.yml", "b/lib/c"]),
        (["!!a"], ["a"]),
        (["# *", "", "  a  \n a.js "], ["a", "a.js"]),
        (["?"], ["a", "b/lib/c"]),
        (["[a-z]"], ["a", "b/lib/c"]),
        (
            ["[!b]*"],
            ["a", "a.js", "lib/a.js", "lib/.b.js", ".github/x.yml", "lib/deep/a.js", "lib"],
        ),
        (["{a,b}", "+(a)"], []),
        (["/a", "/**/nothing"], []),
        ([f"{ROOT.replace('[', '[[]')}/a"], ["a"]),
    ],
)
def test_matches(lines, expected):
    assert matching(parsed(*lines), *PATHS) == expected


def test_a_trailing_slash_takes_directories_only():
    patterns = parsed("lib/")
    assert patterns.match(f"{ROOT}/lib") == Match.DIRECTORY
    assert patterns.match(f"{ROOT}/lib/a") == Match.ALL
    assert parsed("**").match(ROOT) == Match.ALL


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/a/*", "/a/", False),
        ("/a/**/b", "/a/b", True),
        ("/a/**/b", "/a/x/y/b", True),
        ("/a/**/b/**/c", "/a/b/b/x/c", True),
        ("/a/**/b/**", "/a/x/b", False),
        ("/a/**/b/**", "/a/x/b/c", True),
        ("/**/**/a", "/a", True),
        ("/*a*b*c", "/xaybzc", True),
        ("/*a*b*c", "/xaybz", False),
        ("/**a", "/xa", True),
        ("/**a", "/x/a", False),
        ("/[]a]", "/]", True),
        ("/[[]", "/[", True),
        ("/[a", "/[a", True),
        ("/[]", "/[]", True),
        ("/[z-a]x", "/[z-a]x", False),
        ("/[z-ab]", "/b", True),
        ("/[a-]", "/-", True),
        ("/[^a]", "/b", True),
        ("/[\\]]", "/]", True),
        ("/\\*", "/*", True),
        ("/\\*", "/x", False),
        ("/a\\", "/a\\", True),
        ("/[[:digit:]][[:alpha:]_]", "/1_", True),
        ("/[[:upper:]]", "/É", True),
        ("/[[:upper:]]", "/é", False),
        ("/[![:space:]]", "/ ", False),
        ("/[a-[:digit:]]", "/a", False),
        ("/[:digit:]", "/d", True),
        ("/?", "/é", True),
        ("/?", "/😀", False),
        ("/??", "/😀", True),
        ("/😀*", "/😀x", True),
    ],
)
def test_parts(pattern, path, expected):
    parts = units(path).split("/")
    assert Glob(pattern).matches(parts) is expected
    if expected:
        assert all(Glob(pattern).may_hold(parts[:end]) for end in range(1, len(parts)))


@pytest.mark.parametrize(
    ("lines", "paths"),
    [
        (["a"], [f"{ROOT}/a"]),
        (["*.js", "lib/*.js"], [ROOT]),
        (["lib/*.js", "lib/a/b", "x/**"], [f"{ROOT}/lib", f"{ROOT}/x"]),
        (["lib/a/b", "lib/*.js"], [f"{ROOT}/lib"]),
        (["b", "a", "!c"], [f"{ROOT}/b", f"{ROOT}/a"]),
        (["~/x/*", "~"], [HOME]),
        (["/etc/*"], ["/etc"]),
        (["/**"], ["/"]),
        (["[x]/\\[y/[ab]"], [f"{ROOT}/x/[y"]),
        ([], []),
        (["!a"], []),
    ],
)
def test_search_paths(lines, paths):
    assert list(parsed(*lines).search_paths) == paths


def test_only_what_may_match_is_walked():
    patterns = parsed("lib/*/x", "!lib/b")
    walked = ("", "/lib", "/lib/a", "/lib/b", "/other", "/lib/a/x/y")
    assert [path for path in walked if patterns.may_hold(ROOT + path)] == [
        "",
        "/lib",
        "/lib/a",
        "/lib/b",
        "/lib/a/x/y",
    ]
    assert patterns.may_hold("/")
    assert not patterns.may_hold("/other")


def test_links_are_followed_when_asked():
    assert parsed("--Follow-Symbolic-Links", "a").follow_links
    assert not parsed("a", "--follow-symbolic-links").follow_links


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--x"], "Invalid glob option --x, avaliable option: '--follow-symbolic-links'."),
        (
            ["it's", "a/../b"],
            "hashFiles('it''s, a/../b')"
            + FAILED
            + "Invalid pattern 'a/../b'. Relative pathing '.' and '..' is not allowed.",
        ),
        (
            ["a/./b"],
            "hashFiles('a/./b')"
            + FAILED
            + "Invalid pattern 'a/./b'. Relative pathing '.' and '..' is not allowed.",
        ),
        (
            ["!"],
            "hashFiles('!')" + FAILED + "pattern cannot be empty",
        ),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ExpressionError) as caught:
        parsed(*arguments)
    assert caught.value.message == message
