"""The runs that are measured: a repository, the flags both runners get, and what must come out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

LINES = 200_000
SECRETS = {f"TOKEN_{number}": f"s3cr3t-{number:02}-{number * 7919:08x}" for number in range(20)}


class Case(NamedTuple):
    """One workflow, run by both runners.

    `target` and `stretch` are Trunkline's wall time divided by act's; `holds` looks at what a
    runner printed and says whether it did the work at all.
    """

    name: str
    workflow: str
    target: float
    stretch: float | None
    holds: Callable[[str], bool]
    secrets: dict[str, str]


def job(steps: str, *, before_steps: str = "") -> str:
    return (
        "name: bench\non: push\njobs:\n  work:\n    runs-on: ubuntu-latest\n"
        f"{before_steps}    steps:\n{steps}"
    )


def many_steps(count: int) -> str:
    return job("".join(f"      - run: echo step {number}\n" for number in range(1, count + 1)))


def matrix(side: int) -> str:
    numbers = list(range(side))
    strategy = f"    strategy:\n      matrix:\n        a: {numbers}\n        b: {numbers}\n"
    return job("      - run: echo leg ${{ matrix.a }}${{ matrix.b }}.\n", before_steps=strategy)


def printing(lines: int) -> str:
    return job(
        "      - run: >-\n"
        f"          awk 'BEGIN {{ for (i = 1; i <= {lines}; i++)"
        ' print "tests/unit/test_reader.py::test_a_case_of_many[" i "] PASSED" }\'\n'
    )


def printing_secrets(lines: int) -> str:
    env = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in SECRETS)
    return job(
        "      - run: >-\n"
        f"          awk 'BEGIN {{ for (i = 1; i <= {lines}; i++)"
        ' print "request " i (i % 50 ? " without" : " with " ENVIRON["TOKEN_" i / 50 % 20])'
        ' " a token" }\'\n'
        f"        env:\n{env}"
    )


def clean(text: str) -> bool:
    return f"request {LINES} with *** a token" in text and not any(
        value in text for value in SECRETS.values()
    )


CASES = [
    Case("one step", many_steps(1), 2.0, 1.6, lambda text: "step 1" in text, {}),
    Case("100 steps", many_steps(100), 0.8, 0.6, lambda text: "step 100" in text, {}),
    Case(
        "a matrix of 100 legs",
        matrix(10),
        0.6,
        0.4,
        lambda text: all(f"leg {a}{b}." in text for a in range(10) for b in range(10)),
        {},
    ),
    Case(
        "200,000 log lines", printing(LINES), 1.0, 0.7, lambda text: f"[{LINES}] PASSED" in text, {}
    ),
    Case("200,000 log lines, 20 secrets", printing_secrets(LINES), 1.2, None, clean, SECRETS),
]
