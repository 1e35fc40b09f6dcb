"""`reports`, `artifacts` and `cache`: what a build leaves behind."""

from __future__ import annotations

from trunkline.buildspec.fields import Fields
from trunkline.buildspec.model import Artifacts, Cache, Report
from trunkline.document.problems import Problems

TEST_FORMATS = (
    "CUCUMBERJSON",
    "JUNITXML",
    "NUNITXML",
    "NUNIT3XML",
    "TESTNGXML",
    "VISUALSTUDIOTRX",
)
COVERAGE_FORMATS = ("CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV")
# A project has at most five report groups, a cache at most five fallback keys.
_MOST_GROUPS = 5
_MOST_FALLBACKS = 5


def reports(fields: Fields | None, problems: Problems) -> tuple[Report, ...]:
    """Read the report groups."""
    if fields is None:
        return ()
    found: list[Report] = []
    for group in fields.names():
        section = fields.section(group)
        if section is None:
            continue
        section.require("files")
        found.append(
            Report(
                group=group,
                files=_inside(section, "files", problems),
                format=section.word("file-format", TEST_FORMATS + COVERAGE_FORMATS) or "JUNITXML",
                base_directory=section.text("base-directory"),
                discard_paths=section.flag("discard-paths"),
                span=section.span,
            )
        )
        section.finish()
    if len(found) > _MOST_GROUPS:
        message = f"A project can have {_MOST_GROUPS} report groups at most"
        problems.error(fields.span, message, "value")
    return tuple(found)


def artifacts(fields: Fields | None, problems: Problems, identifier: str = "") -> Artifacts | None:
    """Read the primary artifacts, or those of an `identifier`."""
    if fields is None:
        return None
    secondary = None if identifier else fields.section("secondary-artifacts")
    if secondary is None or fields.has("files"):
        fields.require("files")
    if fields.has("type"):
        problems.warning(fields.place("type"), "'type' is deprecated and has no effect", "ignored")
    found = Artifacts(
        identifier=identifier,
        files=_inside(fields, "files", problems),
        name=fields.text("name"),
        discard_paths=fields.flag("discard-paths"),
        base_directory=fields.text("base-directory"),
        exclude_paths=fields.texts("exclude-paths"),
        enable_symlinks=fields.flag("enable-symlinks"),
        s3_prefix=fields.text("s3-prefix"),
        secondary=_secondary(secondary, problems),
        span=fields.span,
    )
    _check_base(fields, found.base_directory)
    fields.finish()
    return found


def _secondary(fields: Fields | None, problems: Problems) -> tuple[Artifacts, ...]:
    if fields is None:
        return ()
    found = [artifacts(fields.section(name), problems, name) for name in fields.names()]
    return tuple(one for one in found if one is not None)


def cache(fields: Fields | None) -> Cache | None:
    """Read the cache."""
    if fields is None:
        return None
    fields.require("paths")
    found = Cache(
        key=fields.text("key"),
        fallback_keys=fields.texts("fallback-keys"),
        action=fields.word("action", ("restore", "save")),
        paths=fields.texts("paths"),
        span=fields.span,
    )
    if len(found.fallback_keys) > _MOST_FALLBACKS:
        message = f"Up to {_MOST_FALLBACKS} fallback keys are supported"
        fields.error("fallback-keys", message, "value")
    fields.finish()
    return found


def _inside(fields: Fields, name: str, problems: Problems) -> tuple[str, ...]:
    """Return patterns of files, none of which leaves the source folder."""
    found = fields.items(name)
    for pattern, span in found:
        if leaves(pattern):
            message = f"'{pattern}' leaves the source folder"
            problems.error(span, message, "path", "Copy the files into it in post_build.")
    return tuple(pattern for pattern, _ in found)


def _check_base(fields: Fields, base: str) -> None:
    if leaves(base):
        fields.error("base-directory", f"'{base}' leaves the source folder", "path")


def leaves(path: str) -> bool:
    """Tell whether a relative path climbs above where it starts; absolute ones are seen later."""
    depth = 0
    for part in path.split("/"):
        depth += -1 if part == ".." else 1 if part not in {"", "."} else 0
        if depth < 0:
            return True
    return False
