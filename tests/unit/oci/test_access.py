"""Grants, scopes and challenges."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.oci.access import (
    ACTIONS,
    Grant,
    Scope,
    basic_challenge,
    bearer_challenge,
    covers,
    granted,
    matches,
    read_grants,
    read_scopes,
)

PULL = ("pull",)
PUSH = ("pull", "push")


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ("repository:a/b:pull", [Scope("repository", "a/b", PULL)]),
        ("repository:a/b:push,pull", [Scope("repository", "a/b", ("push", "pull"))]),
        ("repository:host:5000/a:pull", [Scope("repository", "host:5000/a", PULL)]),
        ("repository(plugin):a:pull", [Scope("repository", "a", PULL)]),
        ("registry:catalog:*", [Scope("registry", "catalog", ("*",))]),
        ("repository:a:", [Scope("repository", "a", ())]),
        (
            "repository:a:pull repository:b:push",
            [Scope("repository", "a", PULL), Scope("repository", "b", ("push",))],
        ),
        ("", []),
        ("repository", []),
        ("repository:a", []),
        ("::", []),
        (" ".join(["repository:a:pull"] * 100), [Scope("repository", "a", PULL)] * 32),
    ],
)
def test_scopes_are_read(text: str, scopes: list[Scope]) -> None:
    assert list(read_scopes([text])) == scopes


@given(st.lists(st.text(max_size=60), max_size=3))
def test_any_text_is_some_scopes_or_none(texts: list[str]) -> None:
    for scope in read_scopes(texts):
        assert read_scopes([scope.text]) == (scope,)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b", "xa/b", False),
        ("team/*", "team/a", True),
        ("team/*", "team/a/b", True),
        ("team/*", "team", False),
        ("team/*", "teams/a", False),
        ("*", "anything/at/all", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*-test", "web-test", True),
        ("*-test", "web-test-2", False),
        ("ghcr.io/*/web", "ghcr.io/o/web", True),
        ("ghcr.io/*/web", "ghcr_io/o/web", False),
    ],
)
def test_patterns_match_names(pattern: str, name: str, fits: bool) -> None:  # noqa: FBT001
    assert matches(pattern, name) is fits


@given(st.text("ab*/", max_size=12), st.text("ab/", max_size=12))
def test_patterns_mean_what_a_regular_expression_means(pattern: str, name: str) -> None:
    meaning = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, name) is (re.fullmatch(meaning, name) is not None)


def test_many_stars_are_matched_in_no_time() -> None:
    assert not matches("a*" * 100 + "b", "a" * 255)


def test_grants_are_read() -> None:
    assert read_grants({"team/*": "push, pull", "*": "*"}) == (
        Grant("team/*", PUSH),
        Grant("*", ACTIONS),
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"team/*": "write"}, "'write' is not one of pull, push, delete"),
        ({"team/*": ""}, "'' is not one of"),
        ({"Team": "pull"}, "'Team' is not a repository's name"),
        ({"a b": "pull"}, "'a b'"),
        ({"": "pull"}, "''"),
        ({"/a": "pull"}, "'/a'"),
    ],
)
def test_wrong_grants_are_told(written: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read_grants(written)


GRANTS = (Grant("team/*", PUSH), Grant("team/x", ("delete",)))


@pytest.mark.parametrize(
    ("scope", "actions"),
    [
        (Scope("repository", "team/a", ("delete", "push")), ("push",)),
        (Scope("repository", "team/x", ("*",)), ACTIONS),
        (Scope("repository", "team/a", ("*",)), PUSH),
        (Scope("repository", "other", PULL), ()),
        (Scope("repository", "team/a", ("steal",)), ()),
        (Scope("registry", "catalog", ("*",)), ()),
        (Scope("planet", "team/a", PULL), ()),
    ],
)
def test_what_is_granted_of_a_scope(scope: Scope, actions: tuple[str, ...]) -> None:
    assert granted(GRANTS, scope).actions == actions


def test_the_catalog_belongs_to_those_who_may_pull_everything() -> None:
    catalog = Scope("registry", "catalog", ("*",))
    assert granted((Grant("*", PULL),), catalog) == catalog
    assert not granted((Grant("*", ("push",)),), catalog).actions


def test_what_covers_what() -> None:
    held = [Scope("repository", "a", PULL), Scope("repository", "a", ("push",))]
    assert covers(held, [Scope("repository", "a", ("push", "pull"))])
    assert covers(held, [])
    assert not covers(held, [Scope("repository", "a", ("delete",))])
    assert not covers(held, [Scope("repository", "b", PULL)])
    assert not covers(held, [Scope("registry", "a", PULL)])


def test_challenges() -> None:
    assert basic_challenge('http://h:1"\r\nX: y') == 'Basic realm="http://h:1\'  X: y"'
    assert bearer_challenge("http://h/token", "s") == ('Bearer realm="http://h/token",service="s"')
    wanted = [Scope("repository", "a", PUSH), Scope("repository", "b", PULL)]
    assert bearer_challenge("http://h/token", "s", wanted, "invalid_token") == (
        'Bearer realm="http://h/token",service="s",'
        'scope="repository:a:pull,push repository:b:pull",error="invalid_token"'
    )
