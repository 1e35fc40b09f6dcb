"""Matrix expansion: GitHub's documented examples, names, limits and refusals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.plan.matrix import MAX_LEGS, Expansion, expand, leg_name

TOO_MANY = "Strategy for job 'build' produced 257 configurations which exceeds the maximum of 256 configurations"


def legs(matrix, **settings) -> Expansion:
    expansion = expand({"matrix": matrix, **settings}, "build", "build")
    assert isinstance(expansion, Expansion), expansion
    return expansion


def combinations(matrix) -> list[object]:
    return [leg.matrix for leg in legs(matrix).legs]


def names(matrix) -> list[str]:
    return [leg.name for leg in legs(matrix).legs]


def problems(matrix, **settings) -> tuple[str, ...]:
    refused = expand({"matrix": matrix, **settings}, "build", "build")
    assert isinstance(refused, tuple)
    return refused


def test_first_key_varies_slowest():
    matrix = {"os": ["linux", "windows"], "node": [18.0, 20.0]}
    assert names(matrix) == [
        "build (linux, 18)",
        "build (linux, 20)",
        "build (windows, 18)",
        "build (windows, 20)",
    ]


def test_documented_includes():
    """The example of GitHub's documentation, "expanding or adding matrix configurations"."""
    matrix = {
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    }
    assert combinations(matrix) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert names(matrix) == [
        "build (apple, cat)",
        "build (apple, dog)",
        "build (pear, cat)",
        "build (pear, dog)",
        "build (banana)",
        "build (banana, cat)",
    ]


def test_includes_alone():
    matrix = {"include": [{"site": "production", "n": 1.0}, {"site": "staging"}]}
    assert names(matrix) == ["build (production, 1)", "build (staging)"]
    assert combinations(matrix) == matrix["include"]


def test_excludes():
    matrix = {
        "os": ["macos", "windows"],
        "version": [12.0, 14.0],
        "env": ["staging", "production"],
        "exclude": [
            {"os": "macos", "version": 12.0, "env": "production"},
            {"OS": "Windows", "version": "14"},
        ],
    }
    assert names(matrix) == [
        "build (macos, 12, staging)",
        "build (macos, 14, staging)",
        "build (macos, 14, production)",
        "build (windows, 12, staging)",
        "build (windows, 12, production)",
    ]


def test_objects_match_by_the_leaves_that_are_given():
    matrix = {
        "node": [{"version": 14.0, "env": ["A", "B"]}, {"version": 20.0, "env": ["C"]}],
        "exclude": [{"node": {"env": ["A"]}}],
        "include": [{"node": {"version": 20.0}, "extra": True}],
    }
    assert combinations(matrix) == [{"node": {"version": 20.0, "env": ["C"]}, "extra": True}]
    assert names(matrix) == ["build (20, C)"]


def test_an_include_never_changes_a_vector():
    matrix = {"os": ["a"], "include": [{"os": "A", "x": 1.0}, {"x": 2.0}]}
    assert combinations(matrix) == [{"os": "a", "x": 2.0}]


def test_null_and_empty_values_are_not_named():
    matrix = {"a": [None, "", True, 1.5], "b": ["x"]}
    assert names(matrix) == ["build (x)", "build (x)", "build (true, x)", "build (1.5, x)"]


def test_long_names_are_cut():
    (leg,) = legs({"a": ["x" * 200]}).legs
    assert leg.name == "build (" + "x" * 90 + "..."
    assert len(leg.name) == 100
    assert leg_name("n" * 100, []) == "n" * 100


def test_strategy_context():
    expansion = legs({"a": [1.0, 2.0]}, **{"fail-fast": False, "max-parallel": 1.0})
    assert (expansion.fail_fast, expansion.max_parallel) == (False, 1)
    assert expansion.legs[1].strategy == {
        "fail-fast": False,
        "job-index": 1,
        "job-total": 2,
        "max-parallel": 1,
    }
    assert legs({"a": [1.0, 2.0]}).legs[0].strategy["max-parallel"] == 2


@pytest.mark.parametrize("strategy", [None, {}, {"fail-fast": "false"}, {"matrix": None}])
def test_no_matrix_is_one_leg(strategy):
    expansion = expand(strategy, "build", "Build it")
    assert isinstance(expansion, Expansion)
    (leg,) = expansion.legs
    assert (leg.matrix, leg.name) == (None, "Build it")
    assert leg.strategy["job-total"] == leg.strategy["max-parallel"] == 1


def test_a_matrix_of_which_nothing_is_left_is_the_job_itself():
    (leg,) = legs({"a": [1.0], "exclude": [{"a": 1.0}]}).legs
    assert (leg.matrix, leg.name) == (None, "build")


@pytest.mark.parametrize(
    ("matrix", "messages"),
    [
        ({}, ("Matrix must define at least one vector",)),
        ({"include": []}, ("Matrix must define at least one vector",)),
        ({"os": []}, ("Matrix vector 'os' does not contain any values",)),
        (
            {"os": ["a"], "exclude": [{"arch": 1}, {}]},
            (
                "Matrix exclude filter must not be empty",
                "Matrix exclude key 'arch' does not match any key within the matrix",
            ),
        ),
        ({"include": [{}]}, ("Matrix include mapping does not contain any values",)),
        ({"os": "linux"}, ("Unexpected type of value 'linux', expected type: Sequence.",)),
        ("x", ("Unexpected type of value 'x', expected type: Mapping.",)),
        ({"include": ["x"]}, ("Unexpected type of value 'x', expected type: Mapping.",)),
        (
            {"a": list(range(257))},
            (TOO_MANY,),
        ),
    ],
)
def test_refusals(matrix, messages):
    assert problems(matrix) == messages


def test_wrong_settings():
    assert problems({"a": [1]}, **{"fail-fast": "maybe"}) == ("Unexpected value 'maybe'",)
    assert problems({"a": [1]}, **{"max-parallel": "many"}) == ("Unexpected value 'many'",)
    assert problems({"a": [1]}, matrx=1) == ("Unexpected value 'matrx'",)
    assert expand("x", "build", "build") == (
        "Unexpected type of value 'x', expected type: Mapping.",
    )


def test_the_limit_counts_what_is_left():
    matrix = {"a": list(range(257)), "exclude": [{"a": 7.0}]}
    assert len(legs(matrix).legs) == MAX_LEGS


def test_a_huge_product_is_refused_at_once():
    matrix = {name: list(range(100)) for name in "abcdefgh"}
    assert problems(matrix)[0].startswith("Strategy for job 'build' produced 10000000000000000 ")


SCALARS = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)
ENTRIES = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=2), max_size=3)
MATRICES = st.fixed_dictionaries(
    {},
    optional={
        "a": st.lists(VALUES, max_size=3),
        "b": st.lists(VALUES, max_size=3),
        "include": ENTRIES | VALUES,
        "exclude": ENTRIES | VALUES,
    },
)


@settings(deadline=None)
@given(MATRICES)
def test_any_value_gives_legs_or_reasons(matrix):
    expansion = expand({"matrix": matrix}, "build", "build")
    if isinstance(expansion, tuple):
        assert expansion
        assert all(expansion)
    else:
        assert 0 < len(expansion.legs) <= MAX_LEGS
        assert all(len(leg.name) <= 100 for leg in expansion.legs)
