"""Which adapter stands behind each name. Only here are concrete adapters named."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from trunkline.base.errors import Unavailable

# Adapters are imported on first use: a one-step run must load little.
ADAPTERS = {
    "clock": "trunkline.adapters.clock:SystemClock",
    "ids": "trunkline.adapters.clock:SystemIds",
    "journals": "trunkline.adapters.journals.files:FileJournals",
    "logs": "trunkline.adapters.logs.files:FileLogStore",
    "sandboxes": "trunkline.adapters.sandboxes.host.sandbox:HostSandboxes",
    "docker-sandboxes": "trunkline.adapters.sandboxes.docker.sandbox:DockerSandboxes",
    "docker-machine": "trunkline.adapters.sandboxes.docker.sandbox:Machine",
    "engines": "trunkline.app.containers:Engines",
    "engine": "trunkline.adapters.docker.engine:connect",
    "engine-address": "trunkline.adapters.docker.tunnel:reachable_address",
    "engine-door": "trunkline.adapters.docker.door:Door",
    "has-engine": "trunkline.adapters.docker.presence:has_engine",
    "sweep-engine": "trunkline.adapters.docker.removal:sweep",
    "sweep-engine-sockets": "trunkline.adapters.docker.door:sweep",
    "containers": "trunkline.adapters.docker.containers:JobContainers",
    "container-limits": "trunkline.adapters.docker.payloads:Limits",
    "container-note": "trunkline.adapters.docker.marks:note_path",
    "container-notes": "trunkline.adapters.docker.marks:dead_notes",
    "unseen-container-notes": "trunkline.adapters.docker.marks:unseen_notes",
    "write-container-note": "trunkline.adapters.docker.marks:write_note",
    "container-site": "trunkline.adapters.docker.payloads:Site",
    "container-wiring": "trunkline.adapters.docker.containers:Wiring",
    "job-labels": "trunkline.adapters.docker.labels:job_labels",
    "network-policy": "trunkline.adapters.docker.networks:Policy",
    "pauses": "trunkline.engine.pauses:Pauses",
    "terminal": "trunkline.adapters.terminal:OwnTerminal",
    "run-step": "trunkline.engine.kind_script:perform",
    "session-step": "trunkline.engine.kind_session:perform",
    "javascript-step": "trunkline.engine.kind_javascript:perform",
    "composite-step": "trunkline.engine.kind_composite:perform",
    "native-step": "trunkline.engine.kind_native:perform",
    "docker-step": "trunkline.engine.kind_docker:perform",
    "gate": "trunkline.adapters.gates.files:FileGate",
    "secrets": "trunkline.adapters.secrets.files:FileSecrets",
    "blobs": "trunkline.adapters.blobs.files:FileBlobs",
    "look": "trunkline.adapters.git.facts:Look",
    "forge": "trunkline.adapters.forges.git:GitForge",
    "toolchains": "trunkline.adapters.toolchains.node:NodeToolchain",
    "natives": "trunkline.adapters.actions:NATIVE",
    "natives-world": "trunkline.adapters.toolkit.world:World",
    "artifacts": "trunkline.adapters.artifacts.folder:FolderArtifacts",
    "caches": "trunkline.adapters.caches.folder:FolderCaches",
    "buckets": "trunkline.adapters.buckets.s3:S3Buckets",
    "parameters": "trunkline.adapters.parameters.aws:AwsParameters",
    "dotenv": "trunkline.adapters.dotenv:read",
    "given": "trunkline.adapters.secrets.files:Given",
    "patterns": "trunkline.adapters.patterns:compile_pattern",
    "digest": "trunkline.adapters.file_search:digest_of",
    "file-search": "trunkline.adapters.file_search:search_disk",
    "workflow-readings": "trunkline.adapters.readings:workflow_readings",
    "action-readings": "trunkline.adapters.readings:action_readings",
    "read-workflow": "trunkline.workflow.parse:parse",
    "build-action": "trunkline.app.builds:action_of_build",
    "read-buildspec": "trunkline.plan.buildspec_file:read_buildspec",
    "read-action": "trunkline.workflow.action:parse_action",
    "images": "trunkline.app.registry:image_store",
    "kept-images": "trunkline.services.kept_images:LocalImages",
    "publisher": "trunkline.adapters.docker.proxy.server:publisher",
    "engine-proxy": "trunkline.adapters.docker.proxy.server:engine_proxy",
    "engine-proxy-place": "trunkline.adapters.docker.proxy.labelling:Place",
    "subreaper": "trunkline.adapters.sandboxes.host.subreaper:become_subreaper",
    "keep-record": "trunkline.services.build_records:keep",
    "image-evidence": "trunkline.engine.image_evidence:ImageEvidence",
    "endpoints": "trunkline.app.endpoints:LocalEndpoints",
    "web-server": "trunkline.web.server:serve",
    "no-foreign-pages": "trunkline.web.foreign_pages:NoForeignPages",
    "tls": "trunkline.web.server:Tls",
    "image-store": "trunkline.adapters.registries.files:FileImageStore",
    "rehearsal-registry": "trunkline.app.registry:rehearsal_application",
    "collect-images": "trunkline.app.registry:collect_daily",
    "registry-app": "trunkline.web.registry:RegistryApp",
    "registry-tokens": "trunkline.web.tokens:with_tokens",
    "registry-users": "trunkline.adapters.registry_users.files:FileUsers",
    "git-service": "trunkline.adapters.git.smart_http:ServedRepositories",
    "git-app": "trunkline.web.git_http:GitApp",
    "job-services-application": "trunkline.app.services_parts:application",
    "job-services-shared": "trunkline.app.services_parts:Shared",
    "job-services": "trunkline.app.job_services:LocalJobServices",
    "results-app": "trunkline.web.results:ResultsApp",
    "twirp-app": "trunkline.web.twirp:TwirpApp",
    "blobs-app": "trunkline.web.blobs:BlobsApp",
    "old-artifacts": "trunkline.web.results:old_artifacts",
    "job-tokens": "trunkline.services.actions.tokens:JobTokens",
    "signed-urls": "trunkline.services.actions.signed_urls:SignedUrls",
    "artifact-service": "trunkline.services.actions.artifacts:ArtifactService",
    "job-caches": "trunkline.services.actions.caches:JobCaches",
    "cache-service": "trunkline.services.actions.cache_service:CacheService",
    "cache-v1": "trunkline.web.cache_v1:CacheV1App",
    "identity-keys": "trunkline.adapters.identity_keys.files:FileKeys",
    "identity": "trunkline.services.actions.identity:Identity",
    "identity-app": "trunkline.web.identity:IdentityApp",
    "github-data": "trunkline.adapters.github_data.local:LocalGitHubData",
    "github-stores": "trunkline.services.github.calls:Stores",
    "github-api": "trunkline.web.github_api:GitHubApi",
    "github-downloads": "trunkline.services.github.downloads:Downloads",
    "subject-of": "trunkline.services.github.subjects:subject_of",
    "ask-to-stop": "trunkline.adapters.process_table:ask_to_stop",
    "github-forwarding": "trunkline.services.github.forwarding:Forwarding",
    "github-places": "trunkline.services.github.forwarding:places",
    "github-hosts": "trunkline.web.github_hosts:GitHubHosts",
    "graphql": "trunkline.web.github_api:graphql",
    "graphql-forwarded": "trunkline.web.github_api_forwarded:ForwardedGraphQl",
    "forwarded-pushes": "trunkline.adapters.git.forwarded:ForwardedPushes",
    "upstream": "trunkline.adapters.upstreams.http:HttpUpstream",
    "kept-caches": "trunkline.services.actions.kept_caches:KeptCaches",
    "zip-files": "trunkline.adapters.github_data.bundles:pack",
    "uploads": "trunkline.adapters.uploads.files:FileUploads",
    "signing-key": "trunkline.adapters.registry_users.keys:signing_key",
}

# Packages that a run on the host does without -> the extra that brings them.
EXTRAS = {
    "boto3": "aws",
    "cheroot": "registry",
    "cryptography": "services",
    "docker": "docker",
    "werkzeug": "registry",
}


def adapter(name: str) -> Any:
    """Return the factory of the table's entry `name`. Raises Unavailable without its packages."""
    try:
        return load(ADAPTERS[name])
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise Unavailable(
            f"The package {package} is not installed.",
            hint=f"pip install 'trunkline[{EXTRAS[package]}]'",
        ) from error


def load(entry: str) -> Any:
    """Import `module:name` of a table."""
    module, _, factory = entry.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), factory)
    return found
