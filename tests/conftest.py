"""What every test run shares: the closing count of passed, failed and skipped tests."""

from __future__ import annotations

from collections import Counter

import pytest

OUTCOMES = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write what scenarios expect anew")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = Counter()


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
