"""actions/setup-node as a native action."""

from __future__ import annotations

import json
import re

from trunkline.adapters.actions.setup_node.copied import bring, can_be_brought
from trunkline.adapters.actions.setup_node.versions import as_range, wanted
from trunkline.adapters.toolkit.caching import JobCaches, keep_for_post, save_if_missed
from trunkline.adapters.toolkit.files import has_file, hash_files, read_text
from trunkline.adapters.toolkit.groups import group
from trunkline.adapters.toolkit.inputs import Inputs, warn_of_unsupported
from trunkline.adapters.toolkit.matchers import add_matchers
from trunkline.adapters.toolkit.semver import Version, parse_range, parse_version
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.toolchains import NodeProgram

DEFAULTS = {"check-latest": "false", "package-manager-cache": "true"}
UNSUPPORTED = {
    "token": "nodes are found on this machine, or come from the npm registry.",
    "mirror": "nodes come from the npm registry (npm_config_registry names another one).",
    "mirror-token": "nodes come from the npm registry.",
}
_LOCK_FILES = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock"),
    "pnpm": ("pnpm-lock.yaml",),
    "yarn": ("yarn.lock",),
}
_CACHE_FOLDERS = {
    "npm": ("npm", "config", "get", "cache"),
    "pnpm": ("pnpm", "store", "path", "--silent"),
    "yarn": ("yarn", "cache", "dir"),
}
# Npm tells now and then that there is a newer one, after what it was asked for.
_SAYS_NO_NEWS = {"npm_config_update_notifier": "false"}
# The job's own prefix: the machine's node and npm by links, what npm installs beside them.
_LINK = """
set -eu
dir=$1 node=$2 npm=$3
[ ! -L "$dir" ] || rm -f "$dir"  # what it leads to is not the job's
mkdir -p "$dir/bin" "$dir/lib/node_modules"
ln -sf "$node" "$dir/bin/node"
[ -n "$npm" ] || exit 0
ln -sfn "$npm" "$dir/lib/node_modules/npm"
for name in npm npx; do ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "$dir/bin/$name"; done
corepack=${npm%/*}/corepack
[ -d "$corepack" ] || exit 0
ln -sfn "$corepack" "$dir/lib/node_modules/corepack"
ln -sf ../lib/node_modules/corepack/dist/corepack.js "$dir/bin/corepack"
"""


class SetupNode(VersionedAction):
    """Gives the job a node, and a place of its own for what npm installs."""

    oldest, newest = 4, 7
    inputs = frozenset(
        {
            *("node-version", "node-version-file", "architecture", "check-latest", "registry-url"),
            *("scope", "token", "cache", "package-manager-cache", "cache-dependency-path"),
            *("mirror", "mirror-token", "always-auth"),
        }
    )
    has_post = True
    post_condition = "success()"

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Set up node, the registry and the cache. Raises ActionFailed."""
        inputs = Inputs(call, DEFAULTS)
        warn_of_unsupported(call, job, UNSUPPORTED)
        asked = inputs.text("architecture")
        if asked and asked != job.layout.arch.lower():
            job.annotate(
                "warning", f"Input 'architecture' has no effect here: {asked} is another machine's."
            )
        text = wanted(inputs, job)
        if text:
            self._set_up(self._find(text, latest=inputs.flag("check-latest"), job=job), job)
        _tell_versions(job)
        if inputs.text("registry-url"):
            _configure_registry(inputs, call, job)
        manager = inputs.text("cache") or _detected(inputs, self.describe(_ref(call)), job)
        if manager:
            self._restore(manager, inputs, call, job)
        add_matchers(job, "tsc", "eslint-stylish", "eslint-compact")

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Save the cache, when one was asked for and missed."""
        save_if_missed(self._world.caches, call, job)

    def _find(self, text: str, *, latest: bool, job: ActionJob) -> NodeProgram:
        """Return the newest node that fits, installing one where none does. Raises ActionFailed."""
        spec = as_range(text, self._world.clock.now())
        versions = parse_range(spec)
        if versions is None:
            raise ActionFailed(f"'{text}' is no version of node and no range of versions.")
        known = self._world.toolchains.nodes()
        if not job.layout.host_paths:
            known = tuple(node for node in known if can_be_brought(node))
        # Of equal ones the first found.
        by_version = {
            version: node
            for node in reversed(known)
            if (version := parse_version(node.version)) and versions.allows(version)
        }
        found = {version: node for version, node in by_version.items() if node.npm}
        if found and not latest:
            return found[max(found)]
        try:
            return self._world.toolchains.install_node(spec)
        except Unavailable as error:
            if found:
                job.log(f"[warning]{error.message}")
                return found[max(found)]
            here = sorted({node.version for node in known}, key=_order)
            raise ActionFailed(
                f"Unable to find Node version '{text}' for platform {job.layout.os.lower()} and "
                f"architecture {job.layout.arch.lower()}.\n{error.message}\n"
                f"Versions of node here: {', '.join(here) or 'none'}."
            ) from error

    def _set_up(self, node: NodeProgram, job: ActionJob) -> None:
        folder = f"{job.layout.tool_cache}/node/{node.version}/{job.layout.arch.lower()}"
        if job.layout.host_paths:
            if job.capture(["sh", "-c", _LINK, "sh", folder, node.path, node.npm])[0]:
                raise ActionFailed(f"{folder} can't be made.")
        else:
            bring(node, folder, job)
        job.sandbox.put(f"{folder}.complete", b"")
        job.log(f"Found node {node.version}: {node.path}")
        job.add_path(f"{folder}/bin")
        # npm takes its prefix from where node really is: that is the machine's.
        job.set_env("npm_config_prefix", folder)

    def _restore(self, manager: str, inputs: Inputs, call: ActionCall, job: ActionJob) -> None:
        if manager not in _LOCK_FILES:
            raise ActionFailed(f"Caching for '{manager}' is not supported")
        patterns = inputs.text("cache-dependency-path") or _lock_file(manager, job)
        digest = hash_files(job, patterns)
        if not digest:
            raise ActionFailed(
                "Some specified paths were not resolved, unable to cache dependencies."
            )
        code, told = job.capture(_CACHE_FOLDERS[manager], env=_SAYS_NO_NEWS)
        folder = told.strip().split("\n")[-1]
        if code or not folder:
            raise ActionFailed(f"Could not get {manager} cache folder path")
        key = f"node-cache-{job.layout.os}-{job.layout.arch.lower()}-{manager}-{digest}"
        matched = JobCaches.of(self._world.caches, call, job).restore([folder], key, ())
        keep_for_post([folder], key, matched, job)
        job.set_output("cache-primary-key", key)
        job.set_output("cache-matched-key", matched)
        job.set_output("cache-hit", "true" if matched else "false")
        job.log(
            f"Cache restored from key: {matched}" if matched else f"{manager} cache is not found"
        )


def _ref(call: ActionCall) -> str:
    return call.uses.rpartition("@")[2]


def _order(text: str) -> Version:
    return parse_version(text) or Version(0, 0, 0)


def _tell_versions(job: ActionJob) -> None:
    with group(job, "Environment details"):
        for tool in ("node", "npm", "yarn"):
            output = ""
            if job.sandbox.find(tool, _path(job)):
                code, told = job.capture([tool, "--version"])
                output = "" if code else told.strip().split("\n")[-1]
            if tool == "node":
                job.set_output("node-version", output)
            job.log(f"{tool}: {output}")


def _path(job: ActionJob) -> str:
    _, path = job.capture(["sh", "-c", 'printf %s "$PATH"'])
    return path


def _configure_registry(inputs: Inputs, call: ActionCall, job: ActionJob) -> None:
    """Write `.npmrc` in the temp folder: the registry, and the token by its variable's name."""
    url = inputs.text("registry-url").rstrip("/") + "/"
    scope = inputs.text("scope")
    if not scope and "npm.pkg.github.com" in url:
        scope = str(call.github["repository_owner"])
    if scope:
        scope = f"@{scope.removeprefix('@').lower()}:"
    path = f"{job.layout.temp}/.npmrc"
    lines = (read_text(job, path) or "").splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.lower().startswith(f"{scope}registry"))
    without_scheme = re.sub(r"^\w+:", "", url)
    text = f"{kept}{without_scheme}:_authToken=${{NODE_AUTH_TOKEN}}\n{scope}registry={url}\n"
    job.sandbox.put(path, text.encode())
    job.set_env("NPM_CONFIG_USERCONFIG", path)
    if "NODE_AUTH_TOKEN" in call.env:
        job.set_env("NODE_AUTH_TOKEN", call.env["NODE_AUTH_TOKEN"])


def _detected(inputs: Inputs, major: str, job: ActionJob) -> str:
    """Return `npm` when `package.json` names it as its package manager (since v5)."""
    if major == "v4" or not inputs.flag("package-manager-cache"):
        return ""
    text = read_text(job, f"{job.layout.workspace}/package.json")
    try:
        manifest = json.loads(text or "")
    except ValueError:
        return ""
    if not isinstance(manifest, dict):
        return ""
    engines = manifest.get("devEngines")
    managers = engines.get("packageManager") if isinstance(engines, dict) else None
    listed = managers if isinstance(managers, list) else [managers]
    names = [entry.get("name") for entry in listed if isinstance(entry, dict)]
    if any(re.fullmatch(r"\^?npm(@.*)?", str(n)) for n in [*names, manifest.get("packageManager")]):
        job.log(
            "Detected npm as the package manager from package.json's packageManager field. Auto "
            "caching has been enabled for npm. If you want to disable it, set "
            "package-manager-cache input to false"
        )
        return "npm"
    return ""


def _lock_file(manager: str, job: ActionJob) -> str:
    names = _LOCK_FILES[manager]
    for name in names:
        if has_file(job, f"{job.layout.workspace}/{name}"):
            return name
    raise ActionFailed(
        f"Dependencies lock file is not found in {job.layout.workspace}. Supported file patterns: "
        f"{','.join(names)}"
    )
