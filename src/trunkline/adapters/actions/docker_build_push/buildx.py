"""Builds with the Buildx that a job has, the way the action does; only pushing is left to the engine.

What a builder pushes by itself would leave a rehearsal: the image is loaded into the engine, and
pushed from there.
"""

from __future__ import annotations

import json
import posixpath
from typing import Any, NamedTuple

from trunkline.adapters.actions.docker_build_push.contexts import Place, Remote, rendered
from trunkline.adapters.actions.docker_build_push.exporters import is_true
from trunkline.adapters.actions.docker_build_push.result import Result
from trunkline.adapters.actions.docker_build_push.settings import Settings, with_builder
from trunkline.adapters.toolkit.builders import Builder, Buildx
from trunkline.adapters.toolkit.files import has_file, read_end, read_text
from trunkline.adapters.toolkit.lists import parse_records
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob

# The builder's output goes to the log and into a file: its last line says why a build failed.
_TEE = 'told=$1; shift; { "$@" 2>&1; echo $? >"$told.code"; } | tee "$told"; exit "$(cat "$told.code")"'
_FLAGS = (
    ("add-hosts", "--add-host"),
    ("allow", "--allow"),
    ("annotations", "--annotation"),
    ("build-args", "--build-arg"),
    ("cache-from", "--cache-from"),
    ("labels", "--label"),
    ("no-cache-filters", "--no-cache-filter"),
    ("ssh", "--ssh"),
    ("ulimit", "--ulimit"),
)
# Input -> the first Buildx that has it; older ones get a warning (the action's `src/context.ts`).
_SINCE = {
    "annotations": (0, 12, 0),
    "build-contexts": (0, 8, 0),
    "attests": (0, 10, 0),
    "call": (0, 15, 0),
}
_PROVENANCE_SINCE = (0, 11, 0)
SEVERAL_PLATFORMS = (
    "This builder can make only one platform at a time for the engine. Turn on the engine's "
    "containerd image store, or build for one platform here: "
    "platforms: ${{ env.ACT && 'linux/amd64' || 'linux/amd64,linux/arm64' }}"
)


class Files(NamedTuple):
    """Where a build's own files are, below a folder of its own."""

    folder: str

    @property
    def image_id(self) -> str:
        """Return where Buildx writes the image's id."""
        return f"{self.folder}/build-iidfile.txt"

    @property
    def metadata(self) -> str:
        """Return where Buildx writes what it made."""
        return f"{self.folder}/build-metadata.json"

    @property
    def output(self) -> str:
        """Return where the builder's output is kept."""
        return f"{self.folder}/output.txt"


class BuildxBuild:
    """One build with Buildx."""

    def __init__(
        self, buildx: Buildx, builder: Builder, settings: Settings, call: ActionCall, job: ActionJob
    ) -> None:
        """Build with `builder` what `settings` ask for."""
        self._buildx = buildx
        self._builder = builder
        self._settings = settings
        self._call = call
        self._job = job

    def run(self, where: Place | Remote) -> Result:
        """Build. Raises ActionFailed in Buildx's words."""
        settings, job = self._settings, self._job
        self._refuse()
        code, made = job.capture(
            ["mktemp", "-d", f"{job.layout.temp}/docker-actions-toolkit-XXXXXX"]
        )
        if code:
            raise ActionFailed(f"No folder can be made for the build: {made.strip()}")
        files = Files(made.strip())
        try:
            argv = [*self._buildx.argv, *self._arguments(where, files)]
            tee = ["sh", "-c", _TEE, "sh", files.output, *argv]
            if job.run(tee, env={"BUILDX_METADATA_WARNINGS": "true"}):
                raise ActionFailed(_reason(read_end(job, files.output), settings.call))
            return Result(
                (read_text(job, files.image_id) or "").strip(),
                _metadata(read_text(job, files.metadata)),
            )
        finally:
            job.capture(["rm", "-rf", "--", files.folder])

    def _refuse(self) -> None:
        """Say what this builder can't do here, before anything is built. Raises ActionFailed."""
        settings, builder = self._settings, self._builder
        if any(each.is_nameless for each in settings.exporters):
            raise ActionFailed(
                "'push-by-digest' can't be had here: the engine pushes images by their names. "
                "Leave it out, or give the image a tag of its own for each platform."
            )
        is_loaded = settings.push or settings.load or builder.is_of_engine
        several = len(settings.lists["platforms"]) > 1 and not builder.keeps_indexes
        if several and is_loaded and not self._is_file():
            raise ActionFailed(SEVERAL_PLATFORMS)
        if settings.call and self._buildx.version < _SINCE["call"]:
            raise ActionFailed("Buildx >= 0.15.0 is required to use the call flag.")

    def _is_file(self) -> bool:
        exporters = self._settings.exporters
        return bool(exporters) and not any(each.is_image for each in exporters)

    # --- the command ----------------------------------------------------------------------

    def _arguments(self, where: Place | Remote, files: Files) -> list[str]:
        settings = self._settings
        found = ["build", *self._lists(), *self._attests(), *self._secrets(files)]
        found += self._result(files)
        options = (
            ("--call", settings.call),
            ("--cgroup-parent", settings.cgroup_parent),
            ("--file", where.dockerfile if isinstance(where, Place) else where.file),
            ("--platform", ",".join(settings.lists["platforms"])),
            ("--shm-size", settings.shm_size),
            ("--target", settings.target),
            ("--builder", settings.builder),
            ("--network", settings.network),
        )
        found += [word for flag, value in options if value for word in (flag, value)]
        found += ["--no-cache"] if settings.no_cache else []
        found += ["--pull"] if settings.pull else []
        return [*found, "--", where.context]

    def _lists(self) -> list[str]:
        settings = self._settings
        found: list[str] = []
        for name, flag in _FLAGS:
            if self._knows(name):
                found += [word for value in settings.lists[name] for word in (flag, value)]
        if self._knows("build-contexts"):
            for each in settings.lists["build-contexts"]:
                found += ["--build-context", _named_context(each, self._call)]
        for each in settings.lists["cache-to"]:
            if self._builder.exports_caches or "inline" in _values(each, "type"):
                found += ["--cache-to", each]
            else:
                self._ignored("cache-to", f"this builder can't send its cache elsewhere: {each}")
        return found + [word for tag in settings.tags for word in ("--tag", tag)]

    def _result(self, files: Files) -> list[str]:
        """Return what is to become of the image; one to be pushed is loaded into the engine."""
        settings = self._settings
        kinds = {each.type for each in settings.exporters}
        found = [] if kinds & {"local", "tar"} else ["--iidfile", files.image_id]
        found += ["--metadata-file", files.metadata]
        for each in settings.exporters:
            found += [] if each.is_pushed else ["--output", each.text]
        return [*found, "--load"] if settings.load or settings.push else found

    def _attests(self) -> list[str]:
        """Return the attestations: what was asked for, and the action's default provenance."""
        settings = self._settings
        if not self._can_attest():
            wanted = [name for name in ("sbom", "provenance") if getattr(settings, name)]
            for name in [*wanted, *(["attests"] if settings.lists["attests"] else [])]:
                if getattr(settings, name, "") != "false":
                    self._ignored(name, "this builder can't keep attestations with an image here.")
            return []
        found: list[str] = []
        if settings.provenance:
            found.append(_attestation(f"type=provenance,{settings.provenance}"))
        elif not any("provenance" in _values(each, "type") for each in settings.lists["attests"]):
            found += self._default_provenance()
        if settings.sbom:
            found.append(_attestation(f"type=sbom,{settings.sbom}"))
        for each in settings.lists["attests"]:
            kinds = _values(each, "type")
            if "provenance" in kinds and not settings.provenance:
                found.append(with_builder(each, self._call))
            elif not kinds & {"provenance", "sbom"} or ("sbom" in kinds and not settings.sbom):
                found.append(_attestation(each))
        return [word for each in found for word in ("--attest", each)]

    def _can_attest(self) -> bool:
        if self._buildx.version < _SINCE["attests"]:
            return False
        loaded = self._settings.load or self._settings.push
        if self._builder.is_of_engine or loaded:
            return self._builder.keeps_indexes
        return True

    def _default_provenance(self) -> list[str]:
        switch = self._call.env.get("BUILDX_NO_DEFAULT_ATTESTATIONS", "")
        to_engine = self._settings.load or "docker" in {e.type for e in self._settings.exporters}
        if is_true(switch) or to_engine or self._builder.version < _PROVENANCE_SINCE:
            return []
        event: Any = self._call.github.get("event") or {}
        is_private = (event.get("repository") or {}).get("private") or False
        mode = "mode=min,inline-only=true" if is_private else "mode=max"
        return [f"type=provenance,{with_builder(mode, self._call)}"]

    def _secrets(self, files: Files) -> list[str]:
        settings, job = self._settings, self._job
        found: list[str] = []
        for each in settings.lists["secret-envs"]:
            name, _, variable = each.partition("=")
            found += self._secret(each, name, "env", variable)
        for number, (name, value) in enumerate(settings.secrets):
            path = f"{files.folder}/secret-{number}"
            job.sandbox.put(path, value.encode(), 0o600)
            found += self._secret(name, name, "src", path)
        for each in settings.lists["secret-files"]:
            name, _, path = each.partition("=")
            if path and not has_file(job, posixpath.join(job.layout.workspace, path)):
                job.annotate("warning", f"secret file {path} not found")
            else:
                found += self._secret(each, name, "src", path)
        return found

    def _secret(self, whole: str, name: str, kind: str, value: str) -> list[str]:
        if name and value:
            return ["--secret", f"id={name},{kind}={value}"]
        self._job.annotate("warning", f"{whole} is not a valid secret")
        return []

    def _knows(self, name: str) -> bool:
        """Tell whether this Buildx has an input's flag; warn when it is asked for and lacking."""
        since = _SINCE.get(name)
        if since is None or self._buildx.version >= since:
            return True
        if self._settings.lists[name]:
            shown = ".".join(map(str, since))
            self._ignored(name, f"it is only supported by buildx >= {shown}.")
        return False

    def _ignored(self, name: str, reason: str) -> None:
        self._job.annotate("warning", f"Input '{name}' is ignored: {reason}")


def _named_context(text: str, call: ActionCall) -> str:
    name, _, source = text.partition("=")
    return f"{name}={rendered(source, call)}" if source else text


def _values(text: str, key: str) -> set[str]:
    """Return what a list of attributes says of `key`."""
    fields = (field for record in parse_records(text) for field in record)
    pairs = (field.partition("=") for field in fields)
    return {value.strip() for name, _, value in pairs if name.strip() == key}


def _attestation(text: str) -> str:
    """Return attributes as Buildx takes them: a lone `true` or `false` is `disabled=...`."""
    fields = [field.strip() for record in parse_records(text) for field in record]
    words = {"true": "disabled=false", "false": "disabled=true"}
    return ",".join(words.get(field.lower(), field) for field in fields)


def _reason(output: str, call: str) -> str:
    """Return why a build failed: the last line, of a check the first one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if call == "check" and lines:
        return next((line for line in lines if line.startswith("Check complete")), lines[0])
    return f"buildx failed with: {lines[-1] if lines else 'unknown error'}"


def _metadata(text: str | None) -> dict[str, Any]:
    if text is None or text.strip() in {"", "null"}:
        return {}
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ActionFailed(f"Buildx wrote metadata that can't be read: {error}") from error
    return found if isinstance(found, dict) else {}
