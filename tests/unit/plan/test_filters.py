"""Filter patterns against GitHub's documented examples, an oracle, and hostile input."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.plan.filters import compile_pattern, matches

DOCUMENTED = [
    # branches and tags
    ("feature/*", "feature/my-branch your-branch-x feature/your-branch", (0, 2), "feature/a/b"),
    ("feature/**", "feature/beta-a/my-branch feature/mona/the/octocat", (0, 1), "features"),
    ("main", "main", (0,), "maint"),
    ("releases/mona-the-octocat", "releases/mona-the-octocat", (0,), "releases"),
    ("*", "main releases", (0, 1), "all/the/branches"),
    ("**", "all/the/branches every/tag", (0, 1), None),
    ("*feature", "mona-feature feature ver-10-feature", (0, 1, 2), "a/feature"),
    ("v2*", "v2 v2.0 v2.9", (0, 1, 2), "v1"),
    ("v[12].[0-9]+.[0-9]+", "v1.10.1 v2.0.0", (0, 1), "v3.0.0"),
    # paths
    ("*", "README.md server.rb", (0, 1), "docs/x"),
    ("*.jsx?", "page.js page.jsx", (0, 1), "page.jsxx"),
    ("*.js", "app.js index.js", (0, 1), "src/app.js"),
    ("**.js", "index.js js/index.js src/js/app.js", (0, 1, 2), "index.jsx"),
    ("docs/*", "docs/README.md docs/file.txt", (0, 1), "docs/a/b"),
    ("docs/**", "docs/README.md docs/mona/octocat.txt", (0, 1), "docs"),
    (
        "docs/**/*.md",
        "docs/README.md docs/mona/hello-world.md docs/a/markdown/file.md",
        (0, 1, 2),
        "x.md",
    ),
    (
        "**/docs/**",
        "docs/hello.md dir/docs/my-file.txt space/docs/plan/space.doc",
        (0, 1, 2),
        "mydocs/x",
    ),
    ("**/README.md", "README.md js/README.md", (0, 1), "js/MYREADME.md"),
    ("**/*src/**", "a/src/app.js my-src/code/js/app.js", (0, 1), "a/srcs/app.js"),
    ("**/*-post.md", "my-post.md path/their-post.md", (0, 1), "post.md"),
    (
        "**/migrate-*.sql",
        "migrate-10909.sql db/migrate-v1.0.sql db/sept/migrate-v1.sql",
        (0, 1, 2),
        "m.sql",
    ),
    # escapes, sets, odd forms
    (r"v\*", "v*", (0,), "v1"),
    (r"\!important", "!important", (0,), "important"),
    ("a+b", "ab aab aaab", (0, 1, 2), "b"),
    ("colou?r", "color colour", (0, 1), "colouur"),
    ("[abx-z]1", "a1 b1 y1", (0, 1, 2), "c1"),
    ("[", "[", (0,), "a"),
    ("[]", "[]", (0,), ""),
    ("?x", "?x", (0,), "x"),
    ("+", "+", (0,), ""),
    ("a/**/b", "a/b a/x/b a/x/y/b", (0, 1, 2), "ab"),
    ("a**/b", "a/b axy/b a/x/b", (0, 1, 2), "b"),
    ("***", "a/b c", (0, 1), None),
    ("", "", (), "a"),
]


@pytest.mark.parametrize(("pattern", "names", "hits", "miss"), DOCUMENTED)
def test_pattern(pattern, names, hits, miss):
    for index, name in enumerate(names.split()):
        assert compile_pattern(pattern).matches(name) is (index in hits), name
    if miss is not None:
        assert not compile_pattern(pattern).matches(miss)


@pytest.mark.parametrize(
    ("patterns", "name", "selected"),
    [
        (["*.md", "!README.md"], "hello.md", True),
        (["*.md", "!README.md"], "README.md", False),
        (["*.md", "!README.md", "README*"], "README.md", True),
        (["!README.md"], "other.md", False),
        (["releases/**", "!releases/**-alpha"], "releases/10", True),
        (["releases/**", "!releases/**-alpha"], "releases/10-alpha", False),
        ([], "x", False),
        (["Main"], "main", False),
    ],
)
def test_lists_are_ordered(patterns, name, selected):
    assert matches(patterns, name) is selected


def _oracle(pattern: str) -> str:
    """The straightforward translation to a regular expression, for small patterns only."""
    out, index = "", 0
    while index < len(pattern):
        if pattern.startswith("**/", index) and (index == 0 or pattern[index - 1] == "/"):
            out, index = out + "(?:.*/)?", index + 3
        elif pattern.startswith("**", index):
            out, index = out + ".*", index + 2
        elif pattern[index] == "*":
            out, index = out + "[^/]*", index + 1
        elif pattern[index] in "?+" and index:
            out, index = out + pattern[index], index + 1
        else:
            out, index = out + re.escape(pattern[index]), index + 1
    return out


PIECES = st.sampled_from(["a", "b", "/", "*", "**", "**/", "a?", "b+", "."])


@settings(deadline=None)
@given(
    st.lists(PIECES, max_size=6).map("".join).filter(lambda text: "***" not in text),
    st.text("ab/.", max_size=8),
)
def test_agrees_with_a_regular_expression(pattern, name):
    expected = re.fullmatch(_oracle(pattern), name, re.DOTALL) is not None
    assert compile_pattern(pattern).matches(name) is expected


@settings(deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_pattern(pattern, name):
    assert matches([pattern], name) in (True, False)


def test_hostile_pattern_takes_no_time():
    pattern = "*a" * 200 + "b"
    assert not compile_pattern(pattern).matches("a" * 4000)
    assert not compile_pattern("a?" * 300 + "!").matches("a" * 300)
