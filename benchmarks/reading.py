"""Times the reading and checking of workflow files in a warm process; prints JSON seconds."""

from __future__ import annotations

import json
import statistics
import sys
import time

from trunkline.workflow.parse import parse

HEAD = """\
name: CI
on:
  push:
    branches: [main, "release/**"]
  pull_request:
    types: [opened, synchronize]
permissions:
  contents: read
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
env:
  COLOR: always
jobs:
"""
JOB = """\
  test_{number}:
    name: Test on ${{{{ matrix.python }}}}
    runs-on: ubuntu-latest
    timeout-minutes: 20
    strategy:
      fail-fast: false
      matrix:
        python: ["3.11", "3.12"]
        suite: [unit, integration]
    steps:
      - uses: actions/checkout@v4
      - name: Set up Python
        uses: actions/setup-python@v5
        with:
          python-version: ${{{{ matrix.python }}}}
      - run: pip install -e . pytest
      - name: Test
        id: test
        if: ${{{{ github.event_name == 'push' && !contains(github.ref, 'skip') }}}}
        run: |
          pytest tests/${{{{ matrix.suite }}}} --junitxml=report.xml
          echo "report=report.xml" >> "$GITHUB_OUTPUT"
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: report-${{{{ matrix.suite }}}}-${{{{ matrix.python }}}}
          path: ${{{{ steps.test.outputs.report }}}}
"""


def workflow(lines: int) -> str:
    """Return a correct workflow of as many whole jobs as fit into about `lines` lines."""
    jobs = round((lines - HEAD.count("\n")) / JOB.count("\n"))
    return HEAD + "".join(JOB.format(number=number) for number in range(max(1, jobs)))


def seconds(text: str, rounds: int) -> float:
    """Return the median time to read and check `text`; exit if it is told to be wrong."""
    samples = []
    for _ in range(rounds + 3):
        started = time.perf_counter()
        model, diagnostics = parse(text, "ci.yml")
        samples.append(time.perf_counter() - started)
        if model is None or diagnostics:
            sys.exit(f"the measured file is not clean: {diagnostics}")
    return statistics.median(samples[3:])


if __name__ == "__main__":
    json.dump({str(lines): seconds(workflow(lines), 15) for lines in (40, 600)}, sys.stdout)
