"""Times the log path alone, 200,000 lines of 50 bytes without a process; prints JSON seconds."""

from __future__ import annotations

import json
import statistics
import string
import sys
import tempfile
import time
from collections.abc import Iterator
from random import Random

from trunkline.adapters.clock import SystemClock
from trunkline.adapters.logs.files import FileLogStore
from trunkline.adapters.patterns import compile_pattern
from trunkline.engine.job_log import JobLog
from trunkline.engine.output import JobOutput
from trunkline.run.matchers import parse_matchers

LINES = 200_000
CHUNK = 64 * 1024
MATCHERS = """
{"problemMatcher": [
  {"owner": "python", "pattern": [
    {"regexp": "^\\\\s*File\\\\s\\\\\\"(.*)\\\\\\",\\\\sline\\\\s(\\\\d+),\\\\sin\\\\s(.*)$", "file": 1, "line": 2},
    {"regexp": "^\\\\s*raise\\\\s(.*)\\\\(\\\\'(.*)\\\\'\\\\)$", "message": 2}]},
  {"owner": "eslint-compact", "pattern": [
    {"regexp": "^(.+):\\\\sline\\\\s(\\\\d+),\\\\scol\\\\s(\\\\d+),\\\\s(Error|Warning|Info)\\\\s-\\\\s(.+)\\\\s\\\\((.+)\\\\)$",
     "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5, "code": 6}]}]}
"""


def output(pattern: str) -> list[bytes]:
    """Return the chunks of a process that prints `pattern` with a number in each line."""
    text = "".join((pattern % number)[:49] + "\n" for number in range(LINES)).encode()
    return [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]


def secrets() -> list[str]:
    """Return twenty tokens as services hand them out."""
    random = Random(20)  # noqa: S311 - made up
    letters = string.ascii_letters + string.digits
    return ["".join(random.choices(letters, k=36)) for _ in range(20)]


def seconds(chunks: list[bytes], masks: list[str], matchers: str = "") -> float:
    """Return the median time that one step's output takes to the log on disk."""
    samples = []
    for _ in range(7):
        with tempfile.TemporaryDirectory() as folder:
            log = JobLog("1", "job", FileLogStore(folder), SystemClock(), lambda _: None)
            job = JobOutput(log)
            job.mask(masks)
            if matchers:
                log.add_matchers(parse_matchers(matchers, compile_pattern))
            step = job.step(1)
            started = time.perf_counter()
            for chunk in chunks:
                step.feed(chunk)
            step.close()
            samples.append(time.perf_counter() - started)
            job.close()
    return statistics.median(samples)


def cases() -> Iterator[tuple[str, float]]:
    """Yield what was measured."""
    plain = output("%06d ordinary output of a build tool, with some words")
    yield "plain", seconds(plain, [])
    yield "20 secrets", seconds(plain, secrets())
    yield (
        "20 secrets, capitals",
        seconds(output("%06d GET HTTPS://REPO.Example.Org/Maven2"), secrets()),
    )
    yield "words with ::", seconds(output("tests/test_module.py::test_case_%06d PASSED"), [])
    yield "every line a command", seconds(output("::debug::%06d this is not shown at all"), [])
    yield "two problem matchers", seconds(plain, [], MATCHERS)


if __name__ == "__main__":
    json.dump(dict(cases()), sys.stdout, indent=2)
