"""What every test run shares: the closing count of passed, failed and skipped tests."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections import Counter

import hypothesis
import pytest

# Properties are tried with so many examples, however long a slow machine takes, and with the same ones
# until the test changes; `make test-long` tries more, and others each time.
SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "quick", max_examples=50, deadline=None, suppress_health_check=SLOW, derandomize=True
)
hypothesis.settings.register_profile(
    "thorough", max_examples=1000, deadline=None, suppress_health_check=SLOW
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "quick")

# The fixtures that every test may ask for.
pytest_plugins = ["tests.engine", "tests.aws"]

OUTCOMES = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write what scenarios expect anew")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = Counter()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name long bytes by their length: both workers must collect the same, and archives tell their time."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and len(val) > 100 else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("registry") is not None and (trouble := registry_trouble()):
        pytest.skip(f"no package can be installed here: {trouble}")


@functools.cache
def registry_trouble() -> str:
    """Return why pip can't get a small package from its registry, '' when it can."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--no-cache-dir"]
        try:
            done = subprocess.run(
                [*argv, "--retries", "3", "--timeout", "20", "--dest", folder, "iniconfig"],
                check=False,
                capture_output=True,
                text=True,
                timeout=120,
            )
        except subprocess.TimeoutExpired:
            return "pip got no answer in 120 seconds"
    told = done.stderr.strip().splitlines() or ["pip says nothing"]
    return told[-1] if done.returncode else ""


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    assert isinstance(reporter, pytest.TerminalReporter)
    counts = {kind: len(reports) for kind, reports in reporter.stats.items()}
    config.stash[OUTCOMES].update(
        passed=counts.get("passed", 0) + counts.get("xpassed", 0),
        failed=counts.get("failed", 0) + counts.get("error", 0),
        skipped=counts.get("skipped", 0) + counts.get("xfailed", 0),
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    outcomes = config.stash[OUTCOMES]
    if outcomes:
        print("{passed} passed, {failed} failed, {skipped} skipped".format_map(outcomes))
