"""What GitHub's REST API refuses, in its words (GitHub: troubleshooting the REST API)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Problem = Mapping[str, Any]
DOCUMENTATION = "https://docs.github.com/rest"
NOT_ACCESSIBLE = "Resource not accessible by integration"
WITH_THE_SERVER = (
    "Issues, comments, reviews, projects, packages, new pull requests and the like come with the "
    "Trunkline server: a run on this machine has none."
)
APPS = "Bad credentials: this is no token of a job. GitHub Apps come with the Trunkline server."
PAGES = (
    "GitHub Pages come with the Trunkline server: a run on this machine publishes no site. It is in the "
    "artifact that `actions/upload-pages-artifact` keeps; leave out the steps that configure and deploy "
    "Pages where `env.ACT` is set (`if: ${{ !env.ACT }}`)."
)


class Refused(Exception):
    """A request that is not done: an HTTP status, the message, and what is wrong with which field."""

    def __init__(self, status: int, message: str, errors: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


def not_found(message: str = "Not Found") -> Refused:
    """Return the refusal for what is not there."""
    return Refused(404, message)


def invalid(resource: str, field: str, code: str, message: str = "") -> Refused:
    """Return the refusal for a field; `code` is `missing_field`, `invalid`, `already_exists` ..."""
    problem = {"resource": resource, "field": field, "code": code}
    return Refused(
        422, "Validation Failed", ({**problem, **({"message": message} if message else {})},)
    )
