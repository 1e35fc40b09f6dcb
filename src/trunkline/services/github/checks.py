"""Check runs and suites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.plan.payloads import stable_id
from trunkline.services.github.calls import Answer, Call, Document, Listing, Reply, given, number
from trunkline.services.github.commits import resolve, resolve_sha
from trunkline.services.github.documents import APP, seconds_of, when
from trunkline.services.github.refusals import Refused, invalid, not_found

KIND = "check-runs"
STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
CONCLUSIONS = (
    *("action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale"),
    "timed_out",
)
GOOD = frozenset({"success", "neutral", "skipped"})
LEVELS = ("notice", "warning", "failure")
# Of one request; more come with further updates.
MOST_ANNOTATIONS = 50
LONGEST_TEXT = 65_535

Unset = msgspec.UnsetType


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """A message about lines of a file."""

    path: str
    start_line: int
    end_line: int
    annotation_level: str
    message: str
    start_column: int | None = None
    end_column: int | None = None
    title: str | None = None
    raw_details: str | None = None


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What a check run tells."""

    summary: str | None = None
    title: str | None = None
    text: str | None = None
    annotations: tuple[Annotation, ...] = ()
    images: tuple[Mapping[str, Any], ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a check run, told or not."""

    name: str | Unset = msgspec.UNSET
    status: str | Unset = msgspec.UNSET
    conclusion: str | Unset | None = msgspec.UNSET
    details_url: str | Unset | None = msgspec.UNSET
    external_id: str | Unset | None = msgspec.UNSET
    started_at: str | Unset | None = msgspec.UNSET
    completed_at: str | Unset | None = msgspec.UNSET
    output: Output | Unset = msgspec.UNSET
    actions: tuple[Mapping[str, Any], ...] | Unset = msgspec.UNSET


class NewCheckRun(Change, frozen=True, kw_only=True):
    """A check run to make."""

    name: str
    head_sha: str


def create(call: Call) -> Answer:
    """Make a check run of a commit."""
    asked = call.read(NewCheckRun, "CheckRun")
    if isinstance(asked.output, Output):
        _require(asked.output, "summary", "title")
    sha = resolve_sha(call, asked.head_sha)
    now = when(call.stores.clock.now())
    base: Document = {
        "head_sha": sha,
        "status": "queued",
        "conclusion": None,
        "details_url": None,
        "external_id": "",
        "started_at": now,
        "completed_at": None,
        "output": {"title": None, "summary": None, "text": None},
        "annotations": [],
    }
    document = _changed(call, {**base, "name": asked.name}, asked)
    made = _document(call, call.records.add(KIND, document), document)
    _tell(call, document)
    return Reply(made, 201, location=str(made["url"]))


def update(call: Call) -> Answer:
    """Change a check run; annotations are added to those it has."""
    key, old = _find(call)
    new = _changed(call, old, call.read(Change, "CheckRun"))
    call.records.replace(KIND, key, new)
    _tell(call, new)
    return Reply(_document(call, key, new))


def _tell(call: Call, check: Document) -> None:
    state = check["conclusion"] or check["status"]
    call.tell("check run", f"{check['name']}, {state}, of {check['head_sha'][:7]}")


def get(call: Call) -> Answer:
    """Return a check run."""
    return Reply(_document(call, *_find(call)))


def list_annotations(call: Call) -> Answer:
    """List a check run's annotations."""
    _, found = _find(call)
    blob = f"{call.page}/blob/{found['head_sha']}"
    return Listing(
        [{**each, "blob_href": f"{blob}/{each['path']}"} for each in found["annotations"]]
    )


def of_commit(call: Call) -> Answer:
    """List the check runs of a commit, by default the newest of each name."""
    sha = resolve(call, str(call.path["ref"]))
    return Listing(_filtered(call, sha), "check_runs")


def of_suite(call: Call) -> Answer:
    """List the check runs of a suite."""
    sha = _suite_sha(call)
    return Listing(_filtered(call, sha), "check_runs")


def suites(call: Call) -> Answer:
    """List the check suites of a commit: those of jobs' tokens are one."""
    sha = resolve(call, str(call.path["ref"]))
    return Listing([_suite(call, sha)] if _of(call, sha) else [], "check_suites")


def suite(call: Call) -> Answer:
    """Return a check suite."""
    return Reply(_suite(call, _suite_sha(call)))


def _suite_sha(call: Call) -> str:
    wanted = number(call.path["suite"])
    shas = {str(each["head_sha"]) for _, each in call.records.every(KIND)}
    found = next((sha for sha in shas if stable_id(f"suite/{sha}") == wanted), "")
    if not found:
        raise not_found()
    return found


def _suite(call: Call, sha: str) -> Document:
    runs = _of(call, sha)
    done = all(run["status"] == "completed" for run in runs)
    bad = [run["conclusion"] for run in runs if run["conclusion"] not in GOOD]
    key = stable_id(f"suite/{sha}")
    return {
        "id": key,
        "node_id": f"CS_{key}",
        "head_branch": call.context("ref_name"),
        "head_sha": sha,
        "status": "completed" if done else "in_progress",
        "conclusion": (bad[0] if bad else "success") if done else None,
        "url": f"{call.url}/check-suites/{key}",
        "app": APP,
        "pull_requests": [],
        "latest_check_runs_count": len(runs),
        "check_runs_url": f"{call.url}/check-suites/{key}/check-runs",
    }


def _filtered(call: Call, sha: str) -> list[Document]:
    query = call.query
    found = [
        run
        for run in _of(call, sha)
        if query.get("check_name", run["name"]) == run["name"]
        and query.get("status", run["status"]) == run["status"]
    ]
    if query.get("filter", "latest") == "all":
        return found
    newest: dict[str, Document] = {}
    for run in found:
        newest.setdefault(str(run["name"]), run)
    return list(newest.values())


def _of(call: Call, sha: str) -> list[Document]:
    found = reversed(call.records.every(KIND))
    return [_document(call, key, each) for key, each in found if each["head_sha"] == sha]


def _find(call: Call) -> tuple[int, Mapping[str, Any]]:
    key = number(call.path["check_run"])
    found = call.records.find(KIND, key)
    if found is None:
        raise not_found()
    return key, found


def _changed(call: Call, old: Mapping[str, Any], asked: Change) -> Document:
    fields = given(asked)
    fields.pop("head_sha", None)
    output = fields.pop("output", None)
    new = {**old, **fields}
    if isinstance(output, Output):
        _require(output, "summary")
        told = {name: getattr(output, name) for name in ("title", "summary", "text")}
        new["output"] = {**old["output"], **{k: v for k, v in told.items() if v is not None}}
        new["annotations"] = [*old["annotations"], *_annotations(output)]
        _check_text(output)
    if fields.get("conclusion"):
        new["status"] = "completed"
    elif "status" in fields and new["status"] != "completed":  # it goes on, or runs again
        new |= {"conclusion": None, "completed_at": None}
    _check(new)
    if new["status"] == "completed" and not new["completed_at"]:
        new["completed_at"] = when(call.stores.clock.now())
    return new


def _require(output: Output, *names: str) -> None:
    """Raise Refused, in GitHub's words, for what an output must tell and does not."""
    lacking = [f'"{name}"' for name in names if getattr(output, name) is None]
    if lacking:
        was = "weren't" if len(lacking) > 1 else "wasn't"
        raise Refused(422, f"Invalid request.\n\n{', '.join(lacking)} {was} supplied.")


def _annotations(output: Output) -> list[Document]:
    if len(output.annotations) > MOST_ANNOTATIONS:
        raise Refused(
            422,
            f"Invalid request.\n\nNo more than {MOST_ANNOTATIONS} items are allowed; "
            f"{len(output.annotations)} were supplied.",
        )
    for each in output.annotations:
        if each.annotation_level not in LEVELS:
            raise invalid("CheckRun", "annotation_level", "invalid")
    return [msgspec.structs.asdict(each) for each in output.annotations]


def _check_text(output: Output) -> None:
    for name in ("summary", "text"):
        if len((getattr(output, name) or "").encode()) > LONGEST_TEXT:
            raise invalid(
                "CheckRun", name, "custom", f"{name} is too long (maximum is {LONGEST_TEXT} bytes)"
            )


def _check(new: Document) -> None:
    if new["status"] not in STATUSES:
        raise invalid("CheckRun", "status", "invalid")
    if new["conclusion"] is not None and new["conclusion"] not in CONCLUSIONS:
        raise invalid("CheckRun", "conclusion", "invalid")
    if new["status"] == "completed" and new["conclusion"] is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    for name in ("started_at", "completed_at"):
        if new[name] and seconds_of(str(new[name])) is None:
            raise invalid("CheckRun", name, "invalid")


def _document(call: Call, key: int, kept: Mapping[str, Any]) -> Document:
    told = {name: kept[name] for name in kept if name not in {"annotations", "actions", "output"}}
    url, page = f"{call.url}/check-runs/{key}", f"{call.page}/runs/{key}"
    return {
        "id": key,
        "node_id": f"CR_{key}",
        "url": url,
        "html_url": page,
        **told,
        "details_url": kept["details_url"] or page,
        "output": {
            **kept["output"],
            "annotations_count": len(kept["annotations"]),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": stable_id(f"suite/{kept['head_sha']}")},
        "app": APP,
        "pull_requests": [],
    }
