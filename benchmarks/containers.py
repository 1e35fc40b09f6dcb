"""The case that needs a Docker Engine: a job of one step in a container."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.cases import Case, job
from tests.docker_engine import Engine, found
from tests.images import Lacking

NAME = "one step in a container"


@contextmanager
def container_cases() -> Iterator[list[Case]]:
    """Yield what can be measured here: nothing, and a word about it, where there is no engine."""
    try:
        engine = found()
        image = engine.image("debian")
    except Lacking as lack:
        print(f"not measured: {NAME}: {lack}", file=sys.stderr)
        yield []
        return
    workflow = job("      - run: echo step 1\n", before_steps=f"    container: {image}\n")
    before = _volumes(engine)
    yield [Case(NAME, workflow, 1.2, None, lambda text: "step 1" in text, {})]
    # act keeps a volume for tools.
    for volume in _volumes(engine) - before:
        engine.docker("volume", "rm", volume)


def _volumes(engine: Engine) -> set[str]:
    return set(engine.docker("volume", "ls", "--quiet", "--filter", "name=act-").split())
