"""What the mutations of a GraphQL document are about: nodes by their ids, repositories by their names.

A token of the user's may write to many repositories; the job's own would write to one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from trunkline.services.github.graphql import InvalidDocument, tokens

# Arguments of GitHub's mutations that hold ids of nodes, and those of a caller's own.
ID = re.compile(r"id|ids|inReplyTo|.*[a-z]Ids?")
NOT_IDS = frozenset({"clientMutationId", "externalId", "databaseId", "fullDatabaseId"})
NAME = "repositoryNameWithOwner"
MOST_IDS = 100
# Whom a mutation may name besides: they belong to no repository.
PEOPLE = frozenset({"User", "Bot", "Mannequin", "Organization", "Team"})
WITH_REPOSITORY = (
    *(
        "RepositoryNode",
        "Label",
        "Milestone",
        "Ref",
        "Release",
        "Commit",
        "PullRequestReviewThread",
    ),
    *("CheckRun", "CheckSuite", "Deployment"),
)
QUERY = (
    "query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Repository { nameWithOwner } "
    + " ".join(f"... on {kind} {{ repository {{ nameWithOwner }} }}" for kind in WITH_REPOSITORY)
    + " ... on DiscussionComment { discussion { repository { nameWithOwner } } } } }"
)


class Subjects(msgspec.Struct, frozen=True):
    """Ids of nodes and names of repositories (`owner/name`) that mutations are about."""

    ids: frozenset[str]
    repositories: frozenset[str]


def subjects(document: str, variables: object) -> Subjects:
    """Return what a document's arguments and its variables name.

    Raises InvalidDocument when that can't be told, or is too much to ask for.
    """
    given = variables if isinstance(variables, Mapping) else {}
    words = list(tokens(document))
    found = [*_arguments(words, given), *_entries(given)]
    ids = frozenset(text for name, text in found if name != NAME)
    if len(ids) > MOST_IDS:
        raise InvalidDocument(f"more than {MOST_IDS} ids are named")
    return Subjects(ids, frozenset(text for name, text in found if name == NAME))


def question(ids: frozenset[str]) -> Mapping[str, object]:
    """Return the request that asks the server which repository each node is of."""
    return {"query": QUERY, "variables": {"ids": sorted(ids)}}


def are_of(answer: object, count: int, repository: str) -> bool:
    """Tell whether all of `count` nodes that were asked for are of a repository, or people."""
    data = answer.get("data") if isinstance(answer, Mapping) else None
    nodes = data.get("nodes") if isinstance(data, Mapping) else None
    if not isinstance(nodes, list) or len(nodes) != count:
        return False
    return all(isinstance(node, Mapping) and _is_of(node, repository) for node in nodes)


def _is_of(node: Mapping[str, Any], repository: str) -> bool:
    if node.get("__typename") in PEOPLE:
        return True
    holder = (node.get("discussion") or node).get("repository") or node
    return str(holder.get("nameWithOwner", "")).lower() == repository.lower()


def _arguments(words: Sequence[str], given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is written in the document: texts, variables, lists of both."""
    for at, word in enumerate(words[:-2]):
        is_argument = words[at + 1] == ":" and words[at - 1 : at] != ["$"]
        if not is_argument or not _counts(word):
            continue
        rest = words[at + 2 :]
        end = rest.index("]") if rest[0] == "[" and "]" in rest else 2
        for place, value in enumerate(rest[:end]):
            if value == "$":
                yield from _texts(word, given.get("".join(rest[place + 1 : place + 2])))
            elif value.startswith('"'):
                yield word, _text(value)


def _entries(value: object) -> Iterator[tuple[str, str]]:
    """Yield what stands in variables, however deep."""
    if isinstance(value, list):
        for each in value:
            yield from _entries(each)
    if isinstance(value, Mapping):
        for name, each in value.items():
            if _counts(str(name)) and not isinstance(each, Mapping):
                yield from _texts(str(name), each)
            yield from _entries(each)


def _counts(name: str) -> bool:
    return name == NAME or (name not in NOT_IDS and bool(ID.fullmatch(name)))


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield the texts of a variable; one that is not given has a value that is not known here."""
    if value is None:
        raise InvalidDocument(f"{name} has no value")
    for each in value if isinstance(value, list) else [value]:
        yield name, str(each)


def _text(token: str) -> str:
    if token.startswith('"""'):
        return token.strip('"').strip()
    try:
        return msgspec.json.decode(token, type=str)
    except msgspec.DecodeError as error:
        raise InvalidDocument(f"{token} is no text") from error
