"""A buildspec file: text in, typed model and every mistake out."""

from __future__ import annotations

from trunkline.base.diagnostics import Diagnostic
from trunkline.buildspec.batch import batch
from trunkline.buildspec.fields import Fields
from trunkline.buildspec.model import Buildspec, Environment, Proxy, SecretReference
from trunkline.buildspec.phases import phases
from trunkline.buildspec.results import artifacts, cache, reports
from trunkline.document.limits import ALL_ERRORS, Limits
from trunkline.document.problems import Problems, TooMuch
from trunkline.document.yaml import MappingNode, load

VERSIONS = ("0.1", "0.2")
SHELLS = ("bash", "/bin/sh", "sh")
_WINDOWS = ("powershell.exe", "cmd.exe")
RESERVED = "CODEBUILD_"
# secret-id (perhaps an ARN, which holds six colons), json-key, version-stage, version-id.
_REFERENCE_PARTS = 4
_ARN_COLONS = 6


def parse(
    text: str, file: str, *, limits: Limits = ALL_ERRORS
) -> tuple[Buildspec | None, tuple[Diagnostic, ...]]:
    """Return the buildspec in `text`, and what is wrong with it.

    `file` is its path as the user knows it. With an error among the diagnostics there is no
    buildspec; warnings leave it alone. They come in the file's order.
    """
    problems = Problems(file, limits)
    try:
        root = load(text, limits)
    except TooMuch as limit:
        problems.error(limit.span, limit.message, limit.rule, limit.hint)
        return None, problems.found()
    if not isinstance(root, MappingNode):
        problems.error(root.span, "A buildspec is a mapping: version, phases, ...", "structure")
        return None, problems.found()
    found = _buildspec(Fields(root, problems, ""), problems)
    diagnostics = tuple(sorted(problems.found(), key=lambda one: one.span))
    return (None if problems.failed else found), diagnostics


def _buildspec(root: Fields, problems: Problems) -> Buildspec:
    version = _version(root)
    found = Buildspec(
        file=problems.file,
        version=version,
        run_as=root.text("run-as"),
        env=_environment(root, version, problems),
        proxy=_proxy(root.section("proxy")),
        batch=batch(root.section("batch"), problems),
        phases=phases(root, problems),
        reports=reports(root.section("reports"), problems),
        artifacts=artifacts(root.section("artifacts"), problems),
        cache=cache(root.section("cache")),
    )
    root.finish()
    return found


def _version(root: Fields) -> str:
    root.require("version")
    found = root.text("version")
    if found and found not in VERSIONS:
        root.error("version", f"Invalid version '{found}': 0.1 or 0.2 is expected", "value")
    return found


def _environment(root: Fields, version: str, problems: Problems) -> Environment:
    """Read `env`, which version 0.1 calls `environment_variables`, with `plaintext` inside."""
    old = version == VERSIONS[0] and root.has("environment_variables")
    fields = root.section("environment_variables" if old else "env")
    if fields is None:
        return Environment()
    found = Environment(
        shell=_shell(fields),
        variables=fields.table("plaintext" if old else "variables"),
        parameters=fields.table("parameter-store"),
        secrets=_secrets(fields.section("secrets-manager"), problems),
        exported=fields.texts("exported-variables"),
        git_credential_helper=fields.flag("git-credential-helper"),
    )
    for key in ("variables", "parameter-store", "secrets-manager"):
        section = fields.section(key)
        for name in section.names() if section else ():
            if name.startswith(RESERVED):
                message = f"'{name}' is reserved: variables must not start with {RESERVED}"
                problems.warning(fields.place(key), message, "reserved-name")
    for name in found.exported:
        if name.startswith("AWS_") or name in found.parameters or name in found.secrets:
            message = f"'{name}' can't be exported: secrets, and what starts with AWS_, never are"
            problems.warning(fields.place("exported-variables"), message, "exported-variable")
    fields.finish()
    return found


def _shell(fields: Fields) -> str:
    if fields.text("shell").lower() in _WINDOWS:
        message = f"The shell '{fields.text('shell')}' is for Windows builds, which can't run here"
        fields.error("shell", message, "value", "On Linux: bash or /bin/sh.")
        return ""
    return fields.word("shell", SHELLS)


def _secrets(fields: Fields | None, problems: Problems) -> dict[str, SecretReference]:
    if fields is None:
        return {}
    found: dict[str, SecretReference] = {}
    for name in fields.names():
        written, span = fields.text(name), fields.place(name)
        head, rest = _secret_id(written)
        parts = [head, *rest]
        if not head or len(parts) > _REFERENCE_PARTS:
            message = (
                f"Invalid secret '{written}': "
                "secret-id:json-key:version-stage:version-id is expected"
            )
            problems.error(span, message, "value")
            continue
        secret, json_key, stage, version = [*parts, "", "", ""][:_REFERENCE_PARTS]
        if stage and version:
            message = f"'{written}' names a version stage and a version id: only one may be given"
            problems.error(span, message, "value")
        found[name] = SecretReference(
            id=secret, json_key=json_key, stage=stage, version=version, span=span
        )
    return found


def _secret_id(written: str) -> tuple[str, list[str]]:
    """Take the secret's id from a reference; an ARN has colons of its own."""
    parts = written.split(":")
    own = _ARN_COLONS + 1 if written.startswith("arn:") else 1
    return ":".join(parts[:own]), parts[own:]


def _proxy(fields: Fields | None) -> Proxy:
    if fields is None:
        return Proxy()
    found = Proxy(upload_artifacts=fields.flag("upload-artifacts"), logs=fields.flag("logs"))
    fields.finish()
    return found
