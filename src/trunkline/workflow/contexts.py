"""Which contexts and functions an expression may use, by the place it stands in."""

from __future__ import annotations

RUN = ("github", "inputs", "vars")
NEEDS = (*RUN, "needs")
LEG = (*NEEDS, "strategy", "matrix")
WORKER = ("steps", "job", "runner", "env")
HASH = "hashFiles(1,255)"

WORKFLOW_ENV = (*RUN, "secrets")
CALL_OUTPUT = (*RUN, "jobs")
JOB_IF = (*NEEDS, "always(0,0)", "failure(0,MAX)", "cancelled(0,0)", "success(0,MAX)")
JOB_ENV = (*LEG, "secrets")
JOB_DEFAULTS = (*LEG, "env")
CREDENTIALS = (*RUN, "secrets", "env")
ENVIRONMENT_URL = (*LEG, *WORKER)
JOB_OUTPUT = (*LEG, "secrets", *WORKER)
STEP = (*LEG, "secrets", *WORKER, HASH)
STATUS = ("always(0,0)", "failure(0,0)", "cancelled(0,0)", "success(0,0)")
STEP_IF = (*LEG, *WORKER, *STATUS, HASH)
SNAPSHOT_IF = STEP_IF

ACTION_INPUT = ("github", "strategy", "matrix", "job", "runner", HASH)
ACTION_OUTPUT = ("github", "strategy", "matrix", "steps", "inputs", "job", "runner", "env")
ACTION_STEP = ("github", "inputs", "strategy", "matrix", *WORKER, HASH)
ACTION_STEP_IF = (*ACTION_STEP, *STATUS)
ACTION_RUNS_IF = ("runner", "github", "job", "strategy", "matrix", "env", "inputs", *STATUS, HASH)
DOCKER_ARGS = ("inputs",)
