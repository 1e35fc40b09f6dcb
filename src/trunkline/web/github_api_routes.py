"""The end points of GitHub's REST API: path, method, what answers, and the permission it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec
from werkzeug.routing import Map, Rule

from trunkline.services.github import (
    accounts,
    artifacts,
    caches,
    checks,
    commits,
    contents,
    deployments,
    dispatches,
    downloads,
    git_data,
    licenses,
    pulls,
    refusals,
    release_assets,
    releases,
    repositories,
    run_control,
    runs,
    statuses,
    subjects,
    workflows,
)
from trunkline.services.github.calls import Answer, Call

READ, WRITE = "read", "write"
WRITING = ("POST", "PUT", "PATCH", "DELETE")
REPOSITORY = "/repos/<owner>/<repo>"


class EndPoint(msgspec.Struct, frozen=True):
    """What answers: the permission it needs (scope '' for none), and whether its body is raw.

    `is_here`: it is about runs, artifacts and caches, which are this machine's even when the rest
    is sent on.
    """

    handler: Callable[[Call], Answer]
    scope: str = ""
    level: str = READ
    raw: bool = False
    is_here: bool = False


class Elsewhere(msgspec.Struct, frozen=True):
    """An end point that there is with the server alone; one of `scopes` is needed to send to it.

    `message` says so to who asks.
    """

    scopes: tuple[str, ...] = ()
    message: str = refusals.WITH_THE_SERVER


# Paths behind the repository's: (methods and path, what answers), by permission.
METADATA = (
    ("GET ", repositories.get),
    ("GET /languages", repositories.languages),
    ("GET /topics", repositories.topics),
    ("GET /tags", repositories.tags),
    ("GET /hash-algorithm", repositories.hash_algorithm),
    ("GET /license", licenses.get),
    ("GET /collaborators/<login>/permission", accounts.permission),
    ("GET /installation", accounts.installation),
)
CONTENTS = (
    ("GET /contents", contents.get),
    ("GET /contents/<path:path>", contents.get),
    ("PUT /contents/<path:path>", contents.put),
    ("DELETE /contents/<path:path>", contents.delete),
    ("GET /readme", contents.readme),
    ("GET /branches", repositories.branches),
    ("GET /branches/<path:branch>", repositories.branch),
    ("POST /merges", repositories.merge),
    ("GET /commits", commits.every),
    ("GET /commits/<path:ref>", commits.get),
    ("GET /compare/<path:basehead>", commits.compare),
    ("GET /git/ref/<path:ref>", git_data.get_ref),
    ("GET /git/matching-refs", git_data.matching_refs),
    ("GET /git/matching-refs/<path:ref>", git_data.matching_refs),
    ("GET /git/refs", git_data.matching_refs),
    ("GET /git/refs/<path:ref>", git_data.get_refs),
    ("POST /git/refs", git_data.create_ref),
    ("PATCH /git/refs/<path:ref>", git_data.update_ref),
    ("DELETE /git/refs/<path:ref>", git_data.delete_ref),
    ("GET /git/commits/<sha>", git_data.get_commit),
    ("POST /git/commits", git_data.create_commit),
    ("GET /git/trees/<path:sha>", git_data.get_tree),
    ("POST /git/trees", git_data.create_tree),
    ("GET /git/blobs/<sha>", git_data.get_blob),
    ("POST /git/blobs", git_data.create_blob),
    ("GET /git/tags/<sha>", git_data.get_tag),
    ("POST /git/tags", git_data.create_tag),
    ("GET /tarball", downloads.tarball),
    ("GET /tarball/<path:ref>", downloads.tarball),
    ("GET /zipball", downloads.zipball),
    ("GET /zipball/<path:ref>", downloads.zipball),
    ("GET /releases", releases.every),
    ("POST /releases", releases.create),
    ("GET /releases/latest", releases.latest),
    ("GET /releases/tags/<path:tag>", releases.by_tag),
    ("POST /releases/generate-notes", releases.generate_notes),
    ("GET /releases/<int:release>", releases.get),
    ("PATCH /releases/<int:release>", releases.update),
    ("DELETE /releases/<int:release>", releases.delete),
    ("GET /releases/<int:release>/assets", release_assets.every),
    ("POST /releases/<int:release>/assets", release_assets.upload),
    ("GET /releases/assets/<int:asset>", release_assets.get),
    ("PATCH /releases/assets/<int:asset>", release_assets.update),
    ("DELETE /releases/assets/<int:asset>", release_assets.delete),
    ("POST /dispatches", dispatches.repository),
)
STATUSES = (
    ("POST /statuses/<ref>", statuses.create),
    ("GET /statuses/<path:ref>", statuses.every),
    ("GET /commits/<path:ref>/statuses", statuses.every),
    ("GET /commits/<path:ref>/status", statuses.combined),
)
CHECKS = (
    ("POST /check-runs", checks.create),
    ("GET /check-runs/<int:check_run>", checks.get),
    ("PATCH /check-runs/<int:check_run>", checks.update),
    ("GET /check-runs/<int:check_run>/annotations", checks.list_annotations),
    ("GET /commits/<path:ref>/check-runs", checks.of_commit),
    ("GET /commits/<path:ref>/check-suites", checks.suites),
    ("GET /check-suites/<int:suite>", checks.suite),
    ("GET /check-suites/<int:suite>/check-runs", checks.of_suite),
)
DEPLOYMENTS = (
    ("GET /deployments", deployments.every),
    ("POST /deployments", deployments.create),
    ("GET /deployments/<int:deployment>", deployments.get),
    ("DELETE /deployments/<int:deployment>", deployments.delete),
    ("GET /deployments/<int:deployment>/statuses", deployments.statuses),
    ("POST /deployments/<int:deployment>/statuses", deployments.create_status),
    ("GET /deployments/<int:deployment>/statuses/<int:status>", deployments.status),
)
ACTIONS = (
    ("GET /actions/runs", runs.every),
    ("GET /actions/runs/<int:run>", runs.get),
    ("GET /actions/runs/<int:run>/attempts/1", runs.get),
    ("GET /actions/runs/<int:run>/jobs", runs.jobs),
    ("GET /actions/runs/<int:run>/attempts/1/jobs", runs.jobs),
    ("GET /actions/runs/<int:run>/logs", runs.run_log),
    ("GET /actions/runs/<int:run>/artifacts", artifacts.of_run),
    ("POST /actions/runs/<int:run>/cancel", run_control.cancel),
    ("POST /actions/runs/<int:run>/force-cancel", run_control.force_cancel),
    ("POST /actions/runs/<int:run>/rerun", run_control.rerun),
    ("POST /actions/runs/<int:run>/rerun-failed-jobs", run_control.rerun),
    ("POST /actions/jobs/<int:job>/rerun", run_control.rerun),
    ("GET /actions/oidc/customization/sub", subjects.get),
    ("PUT /actions/oidc/customization/sub", subjects.put),
    ("GET /actions/jobs/<int:job>", runs.job),
    ("GET /actions/jobs/<int:job>/logs", runs.job_log),
    ("GET /actions/workflows", workflows.every),
    ("GET /actions/workflows/<path:workflow>", workflows.get),
    ("GET /actions/workflows/<path:workflow>/runs", runs.of_workflow),
    ("POST /actions/workflows/<path:workflow>/dispatches", dispatches.workflow),
    ("GET /actions/artifacts", artifacts.every),
    ("GET /actions/artifacts/<int:artifact>", artifacts.get),
    ("DELETE /actions/artifacts/<int:artifact>", artifacts.delete),
    ("GET /actions/artifacts/<int:artifact>/zip", artifacts.download),
    ("GET /actions/caches", caches.every),
    ("DELETE /actions/caches", caches.delete_key),
    ("DELETE /actions/caches/<int:cache>", caches.delete),
    ("GET /actions/cache/usage", caches.usage),
)
PULLS = (
    ("GET /pulls", pulls.every),
    ("GET /pulls/<int:pull>", pulls.get),
    ("GET /pulls/<int:pull>/files", pulls.files),
    ("GET /pulls/<int:pull>/commits", pulls.commits),
    ("GET /pulls/<int:pull>/merge", pulls.is_merged),
    ("GET /pulls/<int:pull>/reviews", pulls.reviews),
    ("GET /commits/<path:ref>/pulls", pulls.of_commit),
)
BY_SCOPE = {
    "": METADATA,
    "contents": CONTENTS,
    "statuses": STATUSES,
    "checks": CHECKS,
    "deployments": DEPLOYMENTS,
    "actions": ACTIONS,
    "pull-requests": PULLS,
}
ACCOUNTS = (("GET /user", accounts.me), ("GET /users/<login>", accounts.get))
ACCOUNTS_ELSEWHERE = (
    *("/search/<path:rest>", "/user/packages", "/user/packages/<path:rest>"),
    *("/orgs/<org>/packages", "/orgs/<org>/packages/<path:rest>"),
    *("/users/<login>/packages", "/users/<login>/packages/<path:rest>"),
)
# Its body is an asset's content.
RAW = release_assets.upload
ISSUES = ("issues", "pull-requests")
# What a run on this machine has not, by the start of the path behind the repository's: the
# permissions (one is enough) that let a job's token there; () for none that a job can have.
WITH_THE_SERVER: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("issues", "labels", "milestones", "assignees"), ISSUES),
    "comments": ("contents",),
    "projects": ("repository-projects",),
    "pages": ("pages",),
    "code-scanning": ("security-events",),
    "dependency-graph": ("contents",),
    "discussions": ("discussions",),
    "attestations": ("attestations",),
    **dict.fromkeys(("hooks", "environments", "secret-scanning", "invitations"), ()),
    **dict.fromkeys(("rulesets", "rules", "vulnerability-alerts", "forks"), ()),
}


def make_map() -> Map:
    """Return the routes; what a path leads to is an EndPoint or Elsewhere."""
    rules = [_rule("", each, "") for each in ACCOUNTS]
    for scope, listed in BY_SCOPE.items():
        rules += [_rule(REPOSITORY, each, scope) for each in listed]
    for name, scopes in WITH_THE_SERVER.items():
        rules += [
            Rule(f"{REPOSITORY}/{name}{rest}", endpoint=_elsewhere(name, scopes))
            for rest in ("", "/<path:rest>")
        ]
    for rest in ("", "/<path:rest>"):
        pulls = Elsewhere(("pull-requests",))
        rules.append(Rule(f"{REPOSITORY}/pulls{rest}", methods=["GET", *WRITING], endpoint=pulls))
    rules += [Rule(path, endpoint=Elsewhere()) for path in ACCOUNTS_ELSEWHERE]
    merge = f"{REPOSITORY}/pulls/<int:pull>/merge"
    rules.append(Rule(merge, methods=["PUT"], endpoint=Elsewhere(("contents",))))
    return Map(rules, strict_slashes=False, merge_slashes=False, redirect_defaults=False)


def _elsewhere(name: str, scopes: tuple[str, ...]) -> Elsewhere:
    return Elsewhere(scopes, refusals.PAGES) if name == "pages" else Elsewhere(scopes)


def _rule(below: str, listed: tuple[str, Callable[[Call], Answer]], scope: str) -> Rule:
    wanted, handler = listed
    method, _, path = wanted.partition(" ")
    level = READ if method == "GET" else WRITE
    is_here = not below or (scope == "actions" and handler is not dispatches.workflow)
    end_point = EndPoint(handler, scope, level, handler is RAW, is_here)
    return Rule(f"{below}{path}", methods=[method], endpoint=end_point)


def scopes() -> Iterable[str]:
    """Return the scopes that end points need."""
    return filter(None, BY_SCOPE)
