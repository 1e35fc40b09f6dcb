"""What mutations are about: every way to name a node or a repository is found."""

from __future__ import annotations

from typing import Any

import pytest

from trunkline.services.github.graphql import InvalidDocument
from trunkline.services.github.graphql_subjects import Subjects, are_of, question, subjects


@pytest.mark.parametrize(
    ("document", "variables", "ids", "names"),
    [
        ('mutation { a(input: {subjectId: "I_1", body: "x"}) { id } }', {}, "I_1", ""),
        ("mutation M($x: ID!) { a(subjectId: $x) { id } }", {"x": "I_1"}, "I_1", ""),
        ("mutation M($i: I!) { a(input: $i) { b } }", {"i": {"issueId": "I_1"}}, "I_1", ""),
        ('mutation { a(labelIds: [$x, "L_2"]) { b } }', {"x": "L_1"}, "L_1 L_2", ""),
        ("mutation { a(labelIds: $x) { b } }", {"x": ["L_1", "L_2"]}, "L_1 L_2", ""),
        ('mutation { a(input: {id: "\\u0049_1"}) { b } }', {}, "I_1", ""),
        ('mutation { a(inReplyTo: """I_1""") { b } }', None, "I_1", ""),
        ('mutation { myId: a(clientMutationId: "x") { id } }', {}, "", ""),
        (
            "mutation ($n: String!) { a(input: {branch: {repositoryNameWithOwner: $n}}) { b } }",
            {"n": "octo/demo"},
            "",
            "octo/demo",
        ),
        (
            "mutation ($i: I!) { a(input: $i) { b } }",
            {"i": {"branch": {"repositoryNameWithOwner": "octo/other", "id": "REF_1"}}},
            "REF_1",
            "octo/other",
        ),
    ],
)
def test_what_is_named(document: str, variables: Any, ids: str, names: str):
    assert subjects(document, variables) == Subjects(
        frozenset(ids.split()), frozenset(names.split())
    )


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ('mutation ($x: ID! = "I_1") { a(subjectId: $x) { b } }', {}),
        ("mutation ($i: I!) { a(input: $i) { b } }", {"i": {"issueId": None}}),
        ('mutation { a(subjectId: "\\x") { b } }', {}),
        ("mutation ($x: [ID!]!) { a(ids: $x) { b } }", {"x": [f"I_{n}" for n in range(101)]}),
    ],
)
def test_what_cannot_be_told(document: str, variables: Any):
    with pytest.raises(InvalidDocument):
        subjects(document, variables)


OWN = {"repository": {"nameWithOwner": "Octo/Demo"}}
OTHER = {"repository": {"nameWithOwner": "octo/other"}}


@pytest.mark.parametrize(
    ("nodes", "is_own"),
    [
        ([{"__typename": "Issue", **OWN}], True),
        ([{"__typename": "Repository", "nameWithOwner": "octo/demo"}], True),
        ([{"__typename": "Issue", **OWN}, {"__typename": "User"}], True),
        ([{"__typename": "DiscussionComment", "discussion": OWN}], True),
        ([{"__typename": "Issue", **OWN}, {"__typename": "Label", **OTHER}], False),
        ([{"__typename": "DiscussionComment", "discussion": OTHER}], False),
        ([{"__typename": "ProjectV2"}], False),
        ([None], False),
        ([], False),
    ],
)
def test_whose_nodes_are(nodes: list[Any], *, is_own: bool):
    assert are_of({"data": {"nodes": nodes}}, max(len(nodes), 1), "octo/demo") is is_own


@pytest.mark.parametrize("answer", [None, [], {}, {"data": None}, {"data": {"nodes": None}}])
def test_an_answer_that_says_nothing(answer: object):
    assert not are_of(answer, 1, "octo/demo")


def test_the_question():
    asked = question(frozenset({"b", "a"}))
    assert asked["variables"] == {"ids": ["a", "b"]}
