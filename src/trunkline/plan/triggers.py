"""Whether an event starts a workflow, and which filter decided (GitHub: events that trigger workflows)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from trunkline.plan.filters import matches
from trunkline.plan.occurrence import EVENTS, Occurrence, text_field
from trunkline.workflow.model import Trigger, Workflow

MAX_FILES = 300
MAX_COMMITS = 1000
_SKIP_EVENTS = frozenset({"push", "pull_request"})
_SKIP_MARKS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
_SKIP_TRAILER = r"\n\n(?:\S[^\n]*\n)*skip-checks: ?true\s*\Z"


class Triggered(msgspec.Struct, frozen=True, tag="triggered"):
    """The event starts the workflow; `reason` says through what."""

    reason: str


class NotTriggered(msgspec.Struct, frozen=True, tag="not-triggered"):
    """The event does not start the workflow; `reason` names the filter that decided."""

    reason: str


Decision = Triggered | NotTriggered


class _Refused(Exception):
    """A filter said no; the text says which."""


def decide_trigger(workflow: Workflow, occurrence: Occurrence) -> Decision:
    """Tell whether `occurrence` starts `workflow`."""
    trigger = find_trigger(workflow, occurrence.event)
    if trigger is None:
        events = ", ".join(trigger.event for trigger in workflow.triggers) or "nothing"
        return NotTriggered(f"'on' has no {occurrence.event}, only {events}")
    found = [_subject(occurrence)]
    try:
        _check_skip(occurrence)
        found += _check_types(trigger, occurrence)
        found += _check_event(trigger, occurrence)
        found += _check_refs(trigger, occurrence)
        found += _check_paths(trigger, occurrence)
    except _Refused as refused:
        return NotTriggered(str(refused))
    return Triggered("; ".join(found))


def find_trigger(workflow: Workflow, event: str) -> Trigger | None:
    """Return the workflow's entry for `event` under `on`, or None."""
    return next((trigger for trigger in workflow.triggers if trigger.event == event), None)


def skip_mark(message: str) -> str | None:
    """Return what in a commit message asks for no runs, or None."""
    for mark in _SKIP_MARKS:
        if mark in message:
            return mark
    asked = "skip-checks:" in message and re.search(_SKIP_TRAILER, "\n\n" + message)
    return "skip-checks: true" if asked else None


def _subject(occurrence: Occurrence) -> str:
    """Say what happened."""
    if occurrence.event == "push":
        return f"push of {occurrence.ref_type} '{occurrence.ref_name}'"
    if occurrence.head_ref:
        return f"{occurrence.event} from '{occurrence.head_ref}' to '{occurrence.base_ref}'"
    return occurrence.event


def _check_skip(occurrence: Occurrence) -> None:
    if occurrence.event in _SKIP_EVENTS:
        mark = skip_mark(occurrence.message)
        if mark is not None:
            raise _Refused(f"the head commit's message says {mark}")


def _check_types(trigger: Trigger, occurrence: Occurrence) -> list[str]:
    """Test the activity type."""
    rule = EVENTS.get(occurrence.event)
    action = occurrence.action
    if trigger.types is None:
        allowed = rule.types if rule else None
        if allowed is None or action in allowed:
            return [f"type {action}"] if action else []
        raise _Refused(f"type '{action}' is not one of the default types: {', '.join(allowed)}")
    if not action and trigger.types:
        return [f"type {trigger.types[0]}, the first of its types"]
    if action in trigger.types:
        return [f"type {action}"]
    raise _Refused(f"type '{action}' is not in types: {', '.join(trigger.types)}")


def _check_event(trigger: Trigger, occurrence: Occurrence) -> list[str]:
    """Test what only one event has: a schedule's cron text, the names of watched workflows."""
    if occurrence.event == "schedule":
        return _check_schedule(trigger, occurrence)
    if occurrence.event == "workflow_run" and trigger.workflows is not None:
        name = text_field(occurrence.payload, "workflow_run", "name")
        if name and name not in trigger.workflows:
            listed = ", ".join(trigger.workflows)
            raise _Refused(f"workflow '{name}' is not in workflows: {listed}")
        return [f"workflow '{name or trigger.workflows[0]}'"]
    if occurrence.event == "image_version":
        name = text_field(occurrence.payload, "image_version", "name")
        version = text_field(occurrence.payload, "image_version", "version")
        return [
            *_check_globs("names", trigger.names, name),
            *_check_globs("versions", trigger.versions, version),
        ]
    return []


def _check_schedule(trigger: Trigger, occurrence: Occurrence) -> list[str]:
    crons = tuple(dict.fromkeys(entry.cron for entry in trigger.schedules))
    given = occurrence.payload.get("schedule")
    if given is None:
        others = f", the first of {len(crons)}" if len(crons) > 1 else ""
        return [f"cron '{crons[0]}'{others}"] if crons else []
    if given not in crons:
        raise _Refused(f"no entry is '{given}': {', '.join(crons)}")
    return [f"cron '{given}'"]


def _check_globs(key: str, patterns: tuple[str, ...] | None, name: str) -> list[str]:
    """Test a list of patterns against a name; a name that is not known passes."""
    if patterns is None or not name:
        return []
    if not matches(patterns, name):
        raise _Refused(f"'{name}' matches none of {key}: {', '.join(patterns)}")
    return [f"'{name}' matches {key}"]


def _check_refs(trigger: Trigger, occurrence: Occurrence) -> list[str]:
    """Test branches and tags; a push filtered by one of them alone excludes the other kind."""
    branches = _pair("branches", trigger.branches, trigger.branches_ignore)
    tags = _pair("tags", trigger.tags, trigger.tags_ignore)
    if occurrence.event != "push":
        return _check_ref("branch", occurrence.branch, branches) if occurrence.branch else []
    if occurrence.ref_type == "branch":
        kind, own, other = "branch", branches, tags
    else:
        kind, own, other = "tag", tags, branches
    if not own and other:
        raise _Refused(f"a {kind} was pushed, and only {' and '.join(other)} are given")
    return _check_ref(kind, occurrence.ref_name, own)


def _pair(
    key: str, wanted: tuple[str, ...] | None, ignored: tuple[str, ...] | None
) -> dict[str, tuple[str, ...]]:
    """Return the given ones of a filter and its `-ignore`."""
    both = {key: wanted, f"{key}-ignore": ignored}
    return {name: patterns for name, patterns in both.items() if patterns is not None}


def _check_ref(kind: str, name: str, filters: dict[str, tuple[str, ...]]) -> list[str]:
    found = []
    for key, patterns in filters.items():
        ignore = key.endswith("-ignore")
        hit = matches(patterns, name)
        if hit and ignore:
            raise _Refused(f"{kind} '{name}' matches {key}: {', '.join(patterns)}")
        if not hit and not ignore:
            raise _Refused(f"{kind} '{name}' matches none of {key}: {', '.join(patterns)}")
        found.append(f"{kind} '{name}' matches {'nothing in ' if ignore else ''}{key}")
    return found


def _check_paths(trigger: Trigger, occurrence: Occurrence) -> list[str]:
    """Test the changed files; tags are not tested. GitHub looks at the first 300 files."""
    filters = _pair("paths", trigger.paths, trigger.paths_ignore)
    if not filters or (occurrence.event == "push" and occurrence.ref_type == "tag"):
        return []
    files = occurrence.changed_files
    if files is None:
        return ["the changed files are not known, so paths are not tested"]
    if occurrence.commits > MAX_COMMITS:
        return [f"more than {MAX_COMMITS} commits, so paths are not tested"]
    found = []
    if trigger.paths is not None:
        found.append(_check_wanted_paths(trigger.paths, files))
    if trigger.paths_ignore is not None:
        found.append(_check_ignored_paths(trigger.paths_ignore, files))
    return found


def _check_wanted_paths(patterns: tuple[str, ...], files: tuple[str, ...]) -> str:
    hit = _first(name for name in files[:MAX_FILES] if matches(patterns, name))
    if hit is None:
        raise _Refused(f"{_count(files, 'no')} matches paths: {', '.join(patterns)}")
    return f"'{hit}' matches paths"


def _check_ignored_paths(patterns: tuple[str, ...], files: tuple[str, ...]) -> str:
    hit = _first(name for name in files[:MAX_FILES] if not matches(patterns, name))
    if hit is None:
        raise _Refused(f"{_count(files, 'every')} matches paths-ignore: {', '.join(patterns)}")
    return f"'{hit}' matches nothing in paths-ignore"


def _first(names: Iterable[str]) -> str | None:
    return next(iter(names), None)


def _count(files: tuple[str, ...], word: str) -> str:
    if not files:
        return "nothing has changed: no file"
    if len(files) > MAX_FILES:
        return f"{word} file among the first {MAX_FILES} of {len(files)} changed ones"
    return f"{word} changed file ({len(files)})"
