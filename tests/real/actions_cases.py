"""Which real actions are run, at which versions, by which scenario; and why some can't run."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """An action (`owner/name`) at tags, and the workflow of `actions/` that uses it.

    `what` tells two scenarios of one action apart. `native` says that there is a native one to
    compare with. `nested` are actions inside of it that come from clones whatever their ref, as
    `owner/name@tag`; `needs` is a name of `surroundings`. `why_not` says why its own files do not
    run on this machine: then the scenario must fail with `says` in its log, or may run where the
    machine has what they need (`elsewhere`); without a scenario nothing is run.
    """

    action: str
    versions: tuple[str, ...]
    scenario: str = ""
    what: str = ""
    native: bool = False
    nested: tuple[str, ...] = ()
    needs: str = ""
    event: str = "push"
    says: str = ""
    why_not: str = ""
    elsewhere: bool = False


SERVER = "come with the Trunkline server"


def _native(action: str, *versions: str, needs: str = "") -> Case:
    return Case(action, versions, action.partition("/")[2], native=True, needs=needs)


def _alone(action: str, *versions: str) -> Case:
    return Case(action, versions, action.partition("/")[2])


def _later(action: str, version: str, what: str, event: str = "pull_request") -> Case:
    """Return the case of an action that wants what comes with the server, as its log says."""
    why_not = f"{what} come with the server, as the log says"
    return _alone(action, version)._replace(event=event, says=SERVER, why_not=why_not)


def _downloads(action: str, version: str, host: str, scenario: str = "") -> Case:
    """Return the case of an action that downloads its tool."""
    case = Case(action, (version,), scenario or action.partition("/")[2], elsewhere=True)
    return case._replace(why_not=f"downloads from {host}, which this machine does not reach")


NATIVE = (
    _native("actions/checkout", "v4.4.0", "v6.1.0", "v7.0.1"),
    _native("actions/setup-python", "v5.6.0", "v6.3.0", "v7.0.0"),
    _native("actions/setup-node", "v4.4.0", "v7.0.0"),
    _native("astral-sh/setup-uv", "v7.6.0", "v10.0.1"),
    _native("actions/cache", "v4.3.0", "v5.0.5"),
    _native("actions/upload-artifact", "v4.6.2", "v7.0.0"),
    _native("actions/download-artifact", "v4.3.0", "v8.0.1"),
    Case("actions/cache", ("v5.0.5",), "cache-save-restore", "save, restore", native=True),
    Case("actions/upload-artifact", ("v7.0.0",), "upload-artifact-merge", "merge", native=True),
    _native("docker/metadata-action", "v6.2.0"),
    _native("docker/login-action", "v3.7.0", "v4.1.0"),
    _native("docker/setup-buildx-action", "v3.12.0", "v4.3.0", needs="buildx"),
    _native("docker/build-push-action", "v6.19.2", "v7.3.0", needs="buildx"),
    _native("docker/setup-qemu-action", "v4.2.0")._replace(
        says="registry-1.docker.io",
        why_not="its image, `tonistiigi/binfmt`, is Docker Hub's, which this machine does not reach",
        elsewhere=True,
    ),
)
ALONE = (
    _alone("actions/github-script", "v7.1.0", "v8.0.0"),
    _alone("softprops/action-gh-release", "v2.6.2", "v3.0.0"),
    _alone("ncipollo/release-action", "v1.21.0"),
    _alone("svenstaro/upload-release-action", "2.11.5"),
    _alone("release-drafter/release-drafter", "v7.7.0"),
    _alone("mathieudutour/github-tag-action", "v6.2"),
    _alone("peaceiris/actions-gh-pages", "v4.1.0"),
    _alone("JamesIves/github-pages-deploy-action", "v4.6.8"),
    _alone("EndBug/add-and-commit", "v10.0.0", "v11.1.1"),
    _alone("stefanzweifel/git-auto-commit-action", "v7.2.0"),
    _alone("dorny/paths-filter", "v3.0.3", "v4.0.2"),
    Case(
        "dorny/paths-filter",
        ("v4.0.2",),
        "paths-filter-pull",
        "pull request",
        event="pull_request",
    ),
    _alone("tj-actions/changed-files", "v47.0.6"),
    _alone("dorny/test-reporter", "v3.0.0"),
    _alone("mikepenz/action-junit-report", "v6.4.2"),
    _alone("peter-evans/repository-dispatch", "v4.0.1"),
    _alone("styfle/cancel-workflow-action", "0.13.1"),
    _alone("nick-fields/retry", "v4.0.0"),
    _alone("aws-actions/configure-aws-credentials", "v4.3.1", "v6.2.3")._replace(needs="aws"),
    _alone("codecov/codecov-action", "v5.5.2")._replace(nested=("actions/github-script@v7.1.0",)),
    _alone("docker/bake-action", "v7.1.0")._replace(needs="buildx"),
    _alone("actions/upload-pages-artifact", "v5.0.0")._replace(
        nested=("actions/upload-artifact@v7.0.0",)
    ),
    Case("pre-commit/action", ("v3.0.1",), "pre-commit", nested=("actions/cache@v4.3.0",)),
    _alone("actions/setup-go", "v7.0.0"),
    _alone("actions/setup-java", "v5.7.0"),
    Case("pnpm/action-setup", ("v4.0.0",), "pnpm"),
    _alone("amannn/action-semantic-pull-request", "v6.1.1")._replace(event="pull_request"),
    _alone("dependabot/fetch-metadata", "v3.1.0")._replace(event="pull_request"),
    _alone("actions/create-release", "v1.1.4"),
    _alone("actions/publish-action", "v0.4.0"),
    _alone("marvinpinto/action-automatic-releases", "v1.2.1"),
    _alone("cycjimmy/semantic-release-action", "v6.0.0"),
    _alone("mikepenz/release-changelog-builder-action", "v6.2.0"),
    _alone("requarks/changelog-action", "v1.10.3"),
    _alone("ad-m/github-push-action", "v1.3.0"),
    _alone("crazy-max/ghaction-github-pages", "v4.0.0"),
    _alone("benchmark-action/github-action-benchmark", "v1.22.0"),
    _alone("LouisBrunner/checks-action", "v3.1.0"),
    _alone("myrotvorets/set-commit-status-action", "v2.0.1"),
    _alone("bobheadxi/deployments", "v1.5.0"),
    _alone("chrnorm/deployment-action", "v2.0.7"),
    _alone("dawidd6/action-download-artifact", "v2.28.0"),
    _alone("fkirc/skip-duplicate-actions", "v5.3.1"),
    _alone("trilom/file-changes-action", "v1.2.4"),
    Case(
        "EnricoMi/publish-unit-test-result-action",
        ("v2.24.0",),
        "publish-unit-test-result",
        nested=("actions/cache@v5.0.5",),
    ),
    Case("test-summary/action", ("v2.4",), "test-summary"),
    _alone("Swatinem/rust-cache", "v2.7.8"),
    _alone("hendrikmuhs/ccache-action", "v1.2.23"),
    _alone("golangci/golangci-lint-action", "v9.3.0")._replace(event="pull_request"),
    _alone("psf/black", "26.5.1"),
    _alone("hashicorp/vault-action", "v3.4.0"),
    _alone("aws-actions/amazon-ecr-login", "v2.1.7")._replace(needs="aws"),
    _alone("8398a7/action-slack", "v3.19.0"),
    _alone("JS-DevTools/npm-publish", "v4.1.5"),
    _alone("step-security/harden-runner", "v2.20.1"),
    _alone("rlespinasse/github-slug-action", "v4.4.1")._replace(
        nested=("rlespinasse/slugify-value@v1.4.0", "rlespinasse/shortify-git-revision@v1.6.0")
    ),
)
NOT_HERE = (
    Case(
        "actions/github-script",
        ("v8.0.0",),
        "github-script-issues",
        "issues",
        says=SERVER,
        why_not="issues come with the server, as the log says",
    ),
    Case(
        "actions/github-script",
        ("v8.0.0",),
        "github-script-graphql",
        "GraphQL",
        says="GraphQL comes with the Trunkline server",
        why_not="GraphQL comes with the server, as the log says",
    ),
    _later("actions/labeler", "v7.0.0", "labels"),
    _later("actions/stale", "v9.1.0", "issues", "push"),
    _later("actions/first-interaction", "v3.1.0", "issues"),
    _alone("actions/configure-pages", "v5.0.0")._replace(
        says="GitHub Pages come with the Trunkline server",
        why_not="GitHub Pages come with the server, as the log says",
    ),
    _later("peter-evans/create-or-update-comment", "v5.0.0", "comments", "push"),
    _later("peter-evans/find-comment", "v4.0.0", "comments"),
    _later("thollander/actions-comment-pull-request", "v3.0.1", "comments"),
    _later("actions/delete-package-versions", "v5.0.0", "packages", "push"),
    _later("actions/create-github-app-token", "v3.1.1", "GitHub Apps", "push"),
    _alone("marocchino/sticky-pull-request-comment", "v3.0.5")._replace(
        event="pull_request",
        says="GraphQL comes with the Trunkline server",
        why_not="GraphQL comes with the server, as the log says",
    ),
    Case(
        "actions/add-to-project",
        ("v2.0.0",),
        "add-to-project",
        event="pull_request",
        says="GraphQL comes with the Trunkline server",
        why_not="GraphQL comes with the server, as the log says",
    ),
    _downloads("hashicorp/setup-terraform", "v4.0.1", "releases.hashicorp.com"),
    _downloads("ruby/setup-ruby", "v1.315.0", "github.com"),
    _downloads("oven-sh/setup-bun", "v2.2.0", "github.com"),
    _downloads("google-github-actions/setup-gcloud", "v3.0.1", "raw.githubusercontent.com"),
    _downloads("goreleaser/goreleaser-action", "v7.2.3", "goreleaser.com"),
    _downloads("sigstore/cosign-installer", "v4.1.2", "github.com"),
    _downloads("coverallsapp/github-action", "v2.3.8", "github.com", "coveralls"),
    _alone("peter-evans/create-pull-request", "v8.1.1")._replace(
        says=SERVER,
        why_not="new pull requests come with the server, as the log says; the branch it pushes is recorded",
    ),
    _alone("google-github-actions/auth", "v3.0.0")._replace(
        says="failed to generate Google Cloud federated token",
        why_not="has Google check the identity token, and Google does not know this machine",
    ),
    Case(
        "actions/upload-artifact",
        ("v3.2.1",),
        "upload-artifact-v3",
        says="take version 4 or newer of the artifact actions",
        why_not="its protocol is retired, at GitHub too: the log says to take v4 or newer",
    ),
    Case(
        "actions/download-artifact",
        ("v3.1.0",),
        "download-artifact-v3",
        says="take version 4 or newer of the artifact actions",
        why_not="its protocol is retired, at GitHub too: the log says to take v4 or newer",
    ),
    Case(
        "actions/attest-build-provenance",
        ("v4.1.0",),
        why_not="signs with sigstore, for identities that github.com or *.ghe.com issued; "
        "`docker/build-push-action` makes provenance here",
    ),
    Case(
        "pypa/gh-action-pypi-publish",
        ("v1.8.14",),
        why_not="publishes, which a rehearsal does not; its image is built from `python:3.12-slim`",
    ),
    Case(
        "Azure/functions-action",
        ("v1.5.7",),
        why_not="publishes to Azure by https at its own address, which a rehearsal does not",
    ),
    Case(
        "actions/deploy-pages",
        ("v5.0.0",),
        why_not="GitHub Pages come with the server",
    ),
)
CASES = (*NATIVE, *ALONE, *NOT_HERE)
