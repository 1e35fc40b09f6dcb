"""Waiting until a job's services are ready, in the words of GitHub's runner."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from docker.errors import APIError, NotFound

from trunkline.adapters.docker.engine import START_EXEC, Engine, refusals
from trunkline.adapters.docker.streams import Output
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import Watch

# What the runner waits between two looks, in seconds; the engine is asked more often here.
TOLD_PAUSES = (2, 4, 8, 16, 32)
FIRST_POLL, LONGEST_POLL = 0.1, 0.5
HEALTHY, STARTING = "healthy", "starting"
# The engine's own, where a health check does not say (nanoseconds).
SECOND = 10**9
INTERVAL, RETRIES = 30 * SECOND, 3
# What a test of ours may take, and how much of what it prints is kept (bytes), as the engine does.
TEST_SECONDS = 10.0
LOGGED = 4096
# What an engine logs of a test that did not end.
FAILED, TOO_LONG = -1, f"Health check exceeded timeout ({TEST_SECONDS:g}s)"
NO_TEST = frozenset({"", "NONE"})


def await_health(engine: Engine, services: Mapping[str, str], watch: Watch) -> list[str]:
    """Wait for each service (alias -> container id); return the aliases of those that failed."""
    failed = []
    for alias, container in services.items():
        if _is_healthy(engine, alias, container, watch):
            watch.tell(f"{alias} service is healthy.")
        else:
            failed.append(alias)
    return failed


def _is_healthy(engine: Engine, alias: str, container: str, watch: Watch) -> bool:
    """Wait until a container is no longer starting; without a test it must not have failed.

    Its test is run here as well, since the engine's first is an interval away (30 s by default),
    and Podman without systemd makes none.
    """
    begun, told, poll = time.monotonic(), 0, FIRST_POLL
    next_word = begun
    ours: dict[str, Any] = {}
    while not watch.unwanted():
        found = _inspect(engine, container)
        test = _test(found)
        state = found.get("State", {})
        if not test:  # one that has done its work counts, one that crashed does not
            is_ready = bool(state.get("Running")) or not state.get("ExitCode")
            return is_ready or _tell_why(alias, state, watch)
        health = state.get("Health") or {}
        status = str(health.get("Status") or STARTING)
        if status != STARTING or not state.get("Running"):
            return status == HEALTHY or _tell_why(alias, state, watch)
        now = time.monotonic()
        if ours and not health.get("Log") and now - begun > _longest(found):
            # The engine makes no tests, and ours (one at least) have failed for as long as may be.
            return _tell_why(alias, {**state, "Health": {"Log": [ours]}}, watch)
        if now >= next_word:
            pause = TOLD_PAUSES[min(told, len(TOLD_PAUSES) - 1)]
            watch.tell(
                f"{alias} service is starting, waiting {pause} seconds before checking again."
            )
            told, next_word = told + 1, now + pause
        ours = _tried(engine, container, test)
        if ours["ExitCode"] == 0:
            return True
        time.sleep(poll)
        poll = min(poll * 1.5, LONGEST_POLL)
    return False


def _tell_why(alias: str, state: Mapping[str, Any], watch: Watch) -> bool:
    """Tell why a service is not ready; return False."""
    if not state.get("Running"):
        code = state.get("ExitCode", "unknown, since it has removed itself")
        watch.tell(f"{alias} service has ended, exit code {code}.")
        return False
    watch.tell(f"{alias} service is unhealthy.")
    for last in ((state.get("Health") or {}).get("Log") or [])[-1:]:
        output = str(last.get("Output") or "").strip() or "it printed nothing"
        watch.tell(f"Its health check ended with exit code {last.get('ExitCode')}: {output}")
    return False


def _inspect(engine: Engine, container: str) -> dict[str, Any]:
    with refusals():
        try:
            found: dict[str, Any] = engine.client.inspect_container(container)
        except NotFound:  # it has removed itself (--rm)
            return {"Config": {"Healthcheck": {"Test": ["CMD"]}}}
    return found


def _test(found: dict[str, Any]) -> list[str]:
    """Return the command that a container is tested with, [] for none."""
    check = (found.get("Config") or {}).get("Healthcheck") or {}
    test = check.get("Test") or []
    return [] if not test or test[0] in NO_TEST else list(test)


def _longest(found: dict[str, Any]) -> float:
    """Return after how many seconds of failures the engine would call a container unhealthy."""
    check = found["Config"]["Healthcheck"]
    interval = check.get("Interval") or INTERVAL
    retries = check.get("Retries") or RETRIES
    return float((check.get("StartPeriod") or 0) + interval * (retries + 1)) / SECOND


def _tried(engine: Engine, container: str, test: list[str]) -> dict[str, Any]:
    """Run a container's test; return its `ExitCode` and `Output` as the engine logs its own."""
    kind, *rest = test
    argv = ["/bin/sh", "-c", *rest] if kind == "CMD-SHELL" else rest
    if not argv:
        return {"ExitCode": FAILED}
    with refusals():
        try:
            made = engine.client.exec_create(container, argv)
            output = Output(engine.hijack(f"/exec/{made['Id']}/start", START_EXEC))
            said = _first_words(output)
            output.close()
            code = engine.client.exec_inspect(made["Id"])["ExitCode"]
        except (APIError, Unavailable) as error:  # it ends at this moment; the next look tells
            return {"ExitCode": FAILED, "Output": str(error)}
    if code is None:
        return {"ExitCode": FAILED, "Output": TOO_LONG}
    return {"ExitCode": code, "Output": said.decode("utf-8", "replace")}


def _first_words(output: Output) -> bytes:
    """Wait for a test's end, as long as one may take; return as much as an engine keeps of it."""
    end = time.monotonic() + TEST_SECONDS
    said = b""
    while data := output.read(end - time.monotonic()):
        said += data[: LOGGED - len(said)]
    return said
