"""The key structure of an `action.yml`, as a table."""

from __future__ import annotations

from trunkline.workflow import contexts as c
from trunkline.workflow.shapes import (
    ANYTHING,
    NOTHING,
    Keys,
    Shape,
    boolean,
    condition,
    either,
    filled,
    sequence,
    table,
    text,
)

USING = ("docker", "node12", "node16", "node20", "node24", "composite")

_LOOSE = ANYTHING
_INPUT = either(
    NOTHING,
    Shape(
        keys=(
            Keys(
                {
                    "description": text(),
                    "required": either(boolean(), text()),
                    "default": text(*c.ACTION_INPUT),
                    "deprecationMessage": text(),
                },
                loose=_LOOSE,
            ),
        )
    ),
)
_OUTPUT = either(
    NOTHING,
    Shape(keys=(Keys({"description": text(), "value": text(*c.ACTION_OUTPUT)}, loose=_LOOSE),)),
)
_ANY_STEP = {
    "name": text(*c.ACTION_STEP),
    "id": filled(),
    "if": condition(*c.ACTION_STEP_IF),
    "env": table(text(), *c.ACTION_STEP),
    "continue-on-error": boolean(*c.ACTION_STEP),
}
_RUN_STEP = Keys(
    {
        **_ANY_STEP,
        "run": text(*c.ACTION_STEP),
        "shell": text(*c.ACTION_STEP),
        "working-directory": text(*c.ACTION_STEP),
    },
    ("run", "shell"),
)
_USES_STEP = Keys({**_ANY_STEP, "uses": filled(), "with": table(text(), *c.ACTION_STEP)}, ("uses",))
_IF = condition(*c.ACTION_RUNS_IF, raw=True)
_DOCKER = Keys(
    {
        "using": filled(),
        "image": filled(),
        "entrypoint": filled(),
        "args": sequence(text(*c.DOCKER_ARGS)),
        "env": table(text(), *c.DOCKER_ARGS),
        "pre-entrypoint": filled(),
        "pre-if": _IF,
        "post-entrypoint": filled(),
        "post-if": _IF,
    },
    ("using", "image"),
)
_JAVASCRIPT = Keys(
    {
        "using": filled(),
        "main": filled(),
        "pre": filled(),
        "pre-if": _IF,
        "post": filled(),
        "post-if": _IF,
    },
    ("using", "main"),
)
_COMPOSITE = Keys(
    {"using": filled(), "steps": sequence(Shape(keys=(_RUN_STEP, _USES_STEP)))},
    ("using", "steps"),
)

# Keys that GitHub's runner does not know are left alone: marketplaces and bots have their own.
ACTION = Shape(
    keys=(
        Keys(
            {
                "name": text(),
                "author": text(),
                "description": text(),
                "inputs": either(NOTHING, table(_INPUT)),
                "outputs": either(NOTHING, table(_OUTPUT)),
                "runs": Shape(keys=(_DOCKER, _JAVASCRIPT, _COMPOSITE)),
                "branding": ANYTHING,
            },
            ("runs",),
            _LOOSE,
        ),
    )
)
