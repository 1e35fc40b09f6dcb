"""GraphQL documents, read as far as their mutations (GraphQL specification, section 2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

TOKEN = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*"""'  # a block of text
    r'|"(?:\\.|[^"\\\n])*"'
    r"|#[^\n\r]*"
    r"|\.\.\.|[_A-Za-z][_0-9A-Za-z]*|[^\s,]"
)
OPENING, CLOSING = frozenset("{(["), frozenset("})]")
MUTATION, FRAGMENTS = "mutation", "..."
CONTENTS, ISSUES = ("contents",), ("issues", "pull-requests")
# Names of mutations -> the permissions that let a job's token do them; the first that fits counts.
NEEDED = (
    (
        re.compile(r"(merge|enqueue|dequeue)PullRequest|(enable|disable)PullRequestAutoMerge"),
        CONTENTS,
    ),
    (re.compile(r".*(PullRequest|Review).*"), ("pull-requests",)),
    (re.compile(r".*Discussion.*"), ("discussions",)),
    (re.compile(r"(create|update|delete)Refs?|createCommitOnBranch|mergeBranch"), CONTENTS),
    (re.compile(r".*Check(Run|Suite).*"), ("checks",)),
    (re.compile(r".*Deployment.*"), ("deployments",)),
    (re.compile(r".*(Issue|Label|Milestone|Comment|Reaction|Assignees|Lockable).*"), ISSUES),
)


class InvalidDocument(ValueError):
    """This is no GraphQL document, or hides what it does."""


def mutations(document: str) -> tuple[str, ...]:
    """Return the names of the mutations that a document can do; () for one that reads alone.

    Raises InvalidDocument, also for mutations that stand in fragments: they can't be told.
    """
    found: list[str] = []
    words = list(tokens(document))
    depth = 0
    for at, token in enumerate(words):
        if depth == 0 and token == MUTATION:
            found += _fields(words, at + 1)
        depth += (token in OPENING) - (token in CLOSING)
        if depth < 0:
            raise InvalidDocument("a bracket is closed that was not opened")
    return tuple(dict.fromkeys(found))


def needed(mutation: str) -> tuple[str, ...]:
    """Return the permissions (one is enough) for a mutation; () when no job's token may do it."""
    return next((scopes for name, scopes in NEEDED if name.fullmatch(mutation)), ())


def tokens(document: str) -> Iterator[str]:
    """Yield the words, texts and signs of a document. Raises InvalidDocument."""
    for found in TOKEN.finditer(document):
        if found[0] == '"':
            raise InvalidDocument("a text has no end")
        if not found[0].startswith("#"):
            yield found[0]


def _fields(words: Sequence[str], start: int) -> list[str]:
    """Return the fields of the operation whose name, variables and selection begin at `start`."""
    found: list[str] = []
    inner, is_selection = 0, False
    for at in range(start, len(words)):
        word = words[at]
        if word in OPENING and (inner or is_selection or word != "{"):
            inner += 1
        elif word == "{":
            is_selection = True
        elif word in CLOSING and not inner:
            return found
        elif word in CLOSING:
            inner -= 1
        elif is_selection and not inner:
            found += _field(words, at)
    raise InvalidDocument("an operation has no end")


def _field(words: Sequence[str], at: int) -> list[str]:
    """Return the field at a place; an alias before it and a directive's name are none."""
    word = words[at]
    if word == FRAGMENTS:
        raise InvalidDocument("mutations in fragments are not sent")
    is_alias = words[at + 1 : at + 2] == [":"]
    return [word] if word.isidentifier() and words[at - 1] != "@" and not is_alias else []
