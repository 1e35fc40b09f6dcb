"""The key structure of a workflow file, as a table (sections 1.2-1.9 of GitHub's syntax)."""

from __future__ import annotations

from trunkline.workflow import contexts as c
from trunkline.workflow.cache_modes import MODES
from trunkline.workflow.events import EVENTS
from trunkline.workflow.permissions import ORDER, known_levels
from trunkline.workflow.shapes import (
    ANYTHING,
    NOTHING,
    Keys,
    Shape,
    boolean,
    condition,
    either,
    filled,
    mapping,
    number,
    scalar,
    sequence,
    some,
    table,
    text,
    word,
)

NAMES = some(filled())
_FILTER = either(NOTHING, NAMES)

# --- shared by workflow and jobs ----------------------------------------------------------

SCOPES = {scope: word(*known_levels(scope)) for scope in sorted(ORDER)}
PERMISSIONS = either(word("read-all", "write-all"), mapping(SCOPES))
CACHE_MODE = word(*MODES)

_CONCURRENCY = mapping(
    {"group": filled(), "cancel-in-progress": boolean(), "queue": word("single", "max")}, ["group"]
)
_RUN_DEFAULTS = {"shell": filled(), "working-directory": filled()}

# --- on -----------------------------------------------------------------------------------

_DISPATCH_INPUT = Keys(
    {
        "description": text(),
        "type": word("string", "boolean", "number", "environment", "choice"),
        "required": boolean(),
        "default": scalar(),
        "options": sequence(text()),
        "deprecationMessage": text(),
    },
    lenient=True,
)
_DISPATCH_INPUTS = either(NOTHING, table(Shape(null=True, keys=(_DISPATCH_INPUT,))))
_CALL = either(
    NOTHING,
    mapping(
        {
            "inputs": table(
                mapping(
                    {
                        "description": text(),
                        "type": word("string", "boolean", "number"),
                        "required": boolean(),
                        "default": scalar(*c.RUN),
                    },
                    ["type"],
                )
            ),
            "secrets": table(
                either(NOTHING, mapping({"description": text(), "required": boolean()}))
            ),
            "outputs": table(
                mapping({"description": text(), "value": text(*c.CALL_OUTPUT)}, ["value"])
            ),
        }
    ),
)
_SCHEDULE = sequence(mapping({"cron": filled(), "timezone": filled()}, ["cron"]))
_SPECIAL = {
    "workflow_dispatch": Shape(null=True, keys=(Keys({"inputs": _DISPATCH_INPUTS}, lenient=True),)),
    "workflow_call": _CALL,
    "schedule": _SCHEDULE,
    "repository_dispatch": either(NOTHING, mapping({"types": NAMES})),
}


def _event(name: str) -> Shape:
    """Return what an event may be configured with: activity types and filters."""
    if name in _SPECIAL:
        return _SPECIAL[name]
    event = EVENTS[name]
    known = dict.fromkeys(event.filters, _FILTER)
    if event.types:
        known = {"types": either(NOTHING, some(word(*event.types))), **known}
    return either(NOTHING, mapping(known)) if known else NOTHING


ON = either(
    some(word(*EVENTS)),
    mapping({name: _event(name) for name in EVENTS}),
)

# --- steps --------------------------------------------------------------------------------

_ANY_STEP = {"name": text(*c.STEP), "id": filled(), "continue-on-error": boolean(*c.STEP)}
_WORK_STEP = {
    **_ANY_STEP,
    "if": condition(*c.STEP_IF),
    "timeout-minutes": number(*c.STEP),
    "env": table(text(), *c.STEP),
    "background": boolean(),
}
_RUN_STEP = Keys(
    {
        **_WORK_STEP,
        "run": text(*c.STEP),
        "working-directory": text(*c.STEP),
        "shell": filled(),
    },
    ("run",),
)
_USES_STEP = Keys({**_WORK_STEP, "uses": filled(), "with": table(text(), *c.STEP)}, ("uses",))
_WAIT_STEP = Keys({**_ANY_STEP, "wait": some(filled())}, ("wait",))
_WAIT_ALL_STEP = Keys({**_ANY_STEP, "wait-all": either(NOTHING, boolean())}, ("wait-all",))
_CANCEL_STEP = Keys({**_ANY_STEP, "cancel": filled()}, ("cancel",))
_PARALLEL_STEP = Keys({"parallel": Shape()}, ("parallel",))
STEP = Shape(keys=(_RUN_STEP, _USES_STEP, _WAIT_STEP, _WAIT_ALL_STEP, _CANCEL_STEP, _PARALLEL_STEP))
STEPS = sequence(STEP)
_PARALLEL_STEP.known["parallel"] = STEPS

# --- jobs ---------------------------------------------------------------------------------

_CONTAINER = {
    "image": filled(),
    "options": text(),
    "env": table(text(*c.JOB_OUTPUT)),
    "ports": sequence(filled()),
    "volumes": sequence(filled()),
    "credentials": mapping({"username": filled(), "password": filled()}, contexts=c.CREDENTIALS),
}
_SERVICE = {**_CONTAINER, "entrypoint": text(), "command": text()}
_MATRIX_ROWS = sequence(table(ANYTHING))
_STRATEGY = mapping(
    {
        "fail-fast": boolean(),
        "max-parallel": number(),
        "matrix": Shape(
            keys=(
                Keys(
                    {"include": _MATRIX_ROWS, "exclude": _MATRIX_ROWS},
                    (),
                    sequence(ANYTHING),
                ),
            )
        ),
    },
    contexts=c.NEEDS,
)
_ENVIRONMENT = either(
    text(),
    mapping(
        {"name": text(*c.LEG), "url": text(*c.ENVIRONMENT_URL), "deployment": boolean()}, ["name"]
    ),
    contexts=c.LEG,
)
_SNAPSHOT = either(
    filled(),
    mapping(
        {
            "image-name": filled(),
            "if": condition(*c.SNAPSHOT_IF, raw=True),
            "version": filled(),
        },
        ["image-name"],
    ),
    contexts=c.LEG,
)
_ANY_JOB = {
    "name": text(*c.LEG),
    "needs": NAMES,
    "if": condition(*c.JOB_IF),
    "strategy": _STRATEGY,
    "permissions": PERMISSIONS,
    "cache-mode": CACHE_MODE,
    "concurrency": either(filled(), _CONCURRENCY, contexts=c.LEG),
}
_JOB = Keys(
    {
        **_ANY_JOB,
        "runs-on": either(NAMES, mapping({"group": filled(), "labels": NAMES}), contexts=c.LEG),
        "timeout-minutes": number(*c.LEG),
        "cancel-timeout-minutes": number(*c.LEG),
        "continue-on-error": boolean(*c.LEG),
        "container": either(text(), mapping(_CONTAINER), contexts=c.LEG),
        "services": table(either(filled(), mapping(_SERVICE)), *c.LEG),
        "env": table(text(), *c.JOB_ENV),
        "environment": _ENVIRONMENT,
        "outputs": table(text(*c.JOB_OUTPUT)),
        "defaults": mapping({"run": mapping(_RUN_DEFAULTS, contexts=c.JOB_DEFAULTS)}),
        "steps": STEPS,
        "snapshot": _SNAPSHOT,
    },
    ("runs-on",),
)
_CALL_JOB = Keys(
    {
        **_ANY_JOB,
        "uses": filled(),
        "with": table(scalar(*c.LEG)),
        "secrets": either(word("inherit"), table(scalar(*c.JOB_ENV))),
    },
    ("uses",),
)
JOB = Shape(keys=(_JOB, _CALL_JOB))

# --- the file -----------------------------------------------------------------------------

WORKFLOW = mapping(
    {
        "on": ON,
        "name": text(),
        "description": text(),
        "run-name": text(*c.RUN),
        "defaults": mapping({"run": mapping(_RUN_DEFAULTS)}),
        "env": table(text(), *c.WORKFLOW_ENV),
        "permissions": PERMISSIONS,
        "cache-mode": CACHE_MODE,
        "concurrency": either(text(), _CONCURRENCY, contexts=c.RUN),
        "jobs": table(JOB),
    },
    ["on", "jobs"],
)
