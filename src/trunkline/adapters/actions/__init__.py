"""Native actions: one package or file each, made with a `World` when first used."""

from __future__ import annotations

# `owner/name[/path]` in lower case -> 'module:factory'; the factory takes a World.
NATIVE = {
    "actions/cache": "trunkline.adapters.actions.cache:Cache",
    "actions/cache/restore": "trunkline.adapters.actions.cache:CacheRestore",
    "actions/cache/save": "trunkline.adapters.actions.cache:CacheSave",
    "actions/download-artifact": "trunkline.adapters.actions.download_artifact:DownloadArtifact",
    "actions/upload-artifact": "trunkline.adapters.actions.upload_artifact:UploadArtifact",
    "actions/upload-artifact/merge": "trunkline.adapters.actions.merge_artifacts:MergeArtifacts",
    "actions/checkout": "trunkline.adapters.actions.checkout.action:Checkout",
    "actions/setup-node": "trunkline.adapters.actions.setup_node.action:SetupNode",
    "actions/setup-python": "trunkline.adapters.actions.setup_python.action:SetupPython",
    "docker/build-push-action": "trunkline.adapters.actions.docker_build_push.action:DockerBuildPush",
    "docker/login-action": "trunkline.adapters.actions.docker_login:DockerLogin",
    "docker/metadata-action": "trunkline.adapters.actions.docker_metadata.action:DockerMetadata",
    "docker/setup-buildx-action": "trunkline.adapters.actions.docker_setup_buildx:DockerSetupBuildx",
    "docker/setup-qemu-action": "trunkline.adapters.actions.docker_setup_qemu:DockerSetupQemu",
    "trunkline/codebuild-artifacts": "trunkline.adapters.actions.codebuild.results:Artifacts",
    "trunkline/codebuild-cache": "trunkline.adapters.actions.codebuild.cache:RestoreCache",
    "trunkline/codebuild-cache/save": "trunkline.adapters.actions.codebuild.cache:SaveCache",
    "trunkline/codebuild-combine": "trunkline.adapters.actions.codebuild.combining:CombineArtifacts",
    "trunkline/codebuild-environment": "trunkline.adapters.actions.codebuild.environment:Environment",
    "trunkline/codebuild-report": "trunkline.adapters.actions.codebuild.results:Report",
    "trunkline/codebuild-runtimes": "trunkline.adapters.actions.codebuild.runtimes:Runtimes",
    "astral-sh/setup-uv": "trunkline.adapters.actions.setup_uv:SetupUv",
}
