"""The variables of a CodeBuild build, as expressions (build-env-ref-env-vars)."""

from __future__ import annotations

from collections.abc import Mapping

from trunkline.expr.template import Expression, Literal, Token

ACCOUNT = "000000000000"
REGION = "us-east-1"
_PULL = "github.event.pull_request"


def literal_text(text: str) -> str:
    """Return a text as a literal of the expression language."""
    return "'" + text.replace("'", "''") + "'"


def unless_given(name: str, value: str) -> Token:
    """Return a variable's value; what the user gives for it by hand comes first."""
    return Expression(f"env[{literal_text(name)}] || {literal_text(value)}")


# What a project fixes: its region and account. Given by `--env`, else by `vars`, else made up.
PROJECT: Mapping[str, Token] = {
    name: Expression(f"env.{name} || vars.{name} || '{value}'")
    for name, value in (
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_REGION", REGION),
        ("AWS_ACCOUNT_ID", ACCOUNT),
    )
}

_PROJECT = "github.event.repository.name"
ID = "format('{0}:{1}', github.event.repository.name, github.run_id)"
# Webhook events by GitHub's; a pull request's by its activity.
_WEBHOOK = (
    "github.event_name == 'push' && 'PUSH' || github.event_name == 'release' && 'RELEASED' || "
    "github.event_name == 'pull_request' && "
    "(github.event.action == 'opened' && 'PULL_REQUEST_CREATED' || "
    "github.event.action == 'reopened' && 'PULL_REQUEST_REOPENED' || "
    "github.event.action == 'closed' && (github.event.pull_request.merged && "
    "'PULL_REQUEST_MERGED' || 'PULL_REQUEST_CLOSED') || 'PULL_REQUEST_UPDATED') || ''"
)
_TRIGGER = (
    f"{_PULL} && format('pr/{{0}}', {_PULL}.number) || "
    "format('{0}/{1}', github.ref_type, github.ref_name)"
)

BUILD: Mapping[str, Token] = {
    "CODEBUILD_BUILD_ARN": Expression(
        "format('arn:aws:codebuild:{0}:{1}:build/{2}', env.AWS_REGION, env.AWS_ACCOUNT_ID, "
        f"{ID})"
    ),
    "CODEBUILD_BUILD_ID": Expression(ID),
    "CODEBUILD_BUILD_URL": Expression(
        "format('{0}/{1}/actions/runs/{2}', github.server_url, github.repository, github.run_id)"
    ),
    "CODEBUILD_CI": Literal("true"),
    "CODEBUILD_PROJECT_ARN": Expression(
        "format('arn:aws:codebuild:{0}:{1}:project/{2}', env.AWS_REGION, env.AWS_ACCOUNT_ID, "
        f"{_PROJECT})"
    ),
    "CODEBUILD_BUILD_NUMBER": Expression("github.run_number"),
    "CODEBUILD_INITIATOR": Expression("github.actor"),
    "CODEBUILD_KMS_KEY_ID": Expression(
        "format('arn:aws:kms:{0}:{1}:alias/aws/s3', env.AWS_REGION, env.AWS_ACCOUNT_ID)"
    ),
    "CODEBUILD_LOG_PATH": Expression("github.run_id"),
    "CODEBUILD_RESOLVED_SOURCE_VERSION": Expression("github.sha"),
    "CODEBUILD_SOURCE_REPO_URL": Expression(
        "format('{0}/{1}.git', github.server_url, github.repository)"
    ),
    "CODEBUILD_SOURCE_VERSION": Expression(
        f"{_PULL} && format('pr/{{0}}', {_PULL}.number) || github.sha"
    ),
    "CODEBUILD_SRC_DIR": Expression("github.workspace"),
    "CODEBUILD_BUILD_SUCCEEDING": Literal("1"),
    "CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID": Expression("github.actor_id"),
    "CODEBUILD_WEBHOOK_BASE_REF": Expression(
        f"{_PULL} && format('refs/heads/{{0}}', github.base_ref) || ''"
    ),
    "CODEBUILD_WEBHOOK_EVENT": Expression(_WEBHOOK),
    "CODEBUILD_WEBHOOK_HEAD_REF": Expression(
        f"{_PULL} && format('refs/heads/{{0}}', github.head_ref) || github.ref"
    ),
    "CODEBUILD_WEBHOOK_MERGE_COMMIT": Expression(f"{_PULL}.merge_commit_sha || ''"),
    "CODEBUILD_WEBHOOK_PREV_COMMIT": Expression("github.event.before || ''"),
    "CODEBUILD_WEBHOOK_TRIGGER": Expression(_TRIGGER),
}
