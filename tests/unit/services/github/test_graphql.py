"""GraphQL documents: their mutations are found, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.services.github.graphql import InvalidDocument, mutations, needed


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("{ viewer { login } }", ()),
        ("query Q($a: [Int!] = [1]) { a(x: {y: $a}) { mutation } }", ()),
        ('{ a(text: "mutation { createRef }") } # mutation { createRef }', ()),
        ('{ a(text: """mutation { "createRef" \\""" }""") }', ()),
        ("mutation { createRef(input: {name: $x}) { ref { id } } }", ("createRef",)),
        ("mutation M($i: I! = {a: {b: 1}}) { x: addComment(i: $i) { id } }", ("addComment",)),
        ("mutation{a:closeIssue b:addLabels,c}", ("closeIssue", "addLabels", "c")),
        ("mutation @d(if: true) { createRef @include(if: true) { id } }", ("createRef",)),
        ("query A { a } mutation B { createRef { id } }", ("createRef",)),
        ("mutation B { a { mutation } } mutation C { d }", ("a", "d")),
        ("fragment mutation on X { a } { b }", ("a",)),
        ("", ()),
    ],
)
def test_mutations(document: str, found: tuple[str, ...]):
    assert mutations(document) == found


@pytest.mark.parametrize(
    "document",
    [
        "mutation { ...F } fragment F on Mutation { createRef { id } }",
        "mutation { ... on Mutation { createRef { id } } }",
        "mutation { createRef",
        "mutation",
        "}",
        'mutation { a(x: "y) }',
    ],
)
def test_what_hides_its_mutations(document: str):
    with pytest.raises(InvalidDocument):
        mutations(document)


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        ("createRef", ("contents",)),
        ("createCommitOnBranch", ("contents",)),
        ("mergePullRequest", ("contents",)),
        ("enablePullRequestAutoMerge", ("contents",)),
        ("createPullRequest", ("pull-requests",)),
        ("addComment", ("issues", "pull-requests")),
        ("addLabelsToLabelable", ("issues", "pull-requests")),
        ("createDiscussion", ("discussions",)),
        ("addDiscussionComment", ("discussions",)),
        ("createDeployment", ("deployments",)),
        ("createCheckRun", ("checks",)),
        ("createRepository", ()),
        ("transferEnterpriseOrganization", ()),
        ("addProjectV2ItemById", ()),
    ],
)
def test_the_permission_that_a_mutation_needs(name: str, scopes: tuple[str, ...]):
    assert needed(name) == scopes


@given(st.text(alphabet='mutation{}()[]":@. #\n"abc,$!', max_size=80))
def test_anything_is_read_or_refused(document: str):
    try:
        found = mutations(document)
    except InvalidDocument:
        return
    assert all(name.isidentifier() for name in found)


@given(st.text(alphabet="abc _{}()", max_size=20), st.sampled_from(['"%s"', "#%s\n", '"""%s"""']))
def test_no_text_and_no_comment_hides_a_mutation(inside: str, form: str):
    told = form % inside
    document = f"query {{ a(b: {told if told[0] == chr(34) else '1'}) }} mutation {{ createRef }}"
    assert mutations(document) == ("createRef",)
