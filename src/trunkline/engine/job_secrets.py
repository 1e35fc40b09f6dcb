"""Which secret values a job may see: its environment's, handed down the chain of calls."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.expr.evaluate import evaluate_token
from trunkline.expr.values import Value, to_text
from trunkline.ports.secrets import Secrets
from trunkline.run.job_request import JobRequest, SecretsLink

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - a name


def job_secrets(request: JobRequest, secrets: Secrets) -> dict[str, str]:
    """Return the secret values of a job by upper-case name. Raises ExpressionError.

    A called job sees what its caller passes; the secrets of an environment come only from the
    called job's own `environment` (GitHub docs, reusable workflows). `GITHUB_TOKEN` always passes.
    """
    passed = dict(secrets.values(""))
    token = passed.get(TOKEN)
    for link in request.secrets:
        passed = passed if link.inherit else _handed_down(link, request, passed)
    if request.environment:
        base = secrets.values("")
        own = secrets.values(request.environment)
        passed.update(
            (name, value)
            for name, value in own.items()
            if base.get(name) != value or not request.secrets
        )
    if token is not None:
        passed[TOKEN] = token
    return passed


def _handed_down(link: SecretsLink, request: JobRequest, held: Mapping[str, str]) -> dict[str, str]:
    if link.secrets is None:
        return {}
    contexts: dict[str, Value] = {
        "github": dict(request.github),
        "vars": dict(request.variables),
        **link.contexts,
        "secrets": dict(held),
    }
    found = evaluate_token(link.secrets, contexts)
    if not isinstance(found, dict):
        return {}
    return {name.upper(): to_text(value) for name, value in found.items()}
