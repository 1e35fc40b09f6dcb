"""Steps: kinds, ids, background steps, references and scripts."""

from __future__ import annotations

import pytest

from tests.unit.workflow.examples import errors, steps, warnings, with_steps
from trunkline.base.spans import Span
from trunkline.expr.template import Expression, Literal
from trunkline.workflow.model import CancelStep, ParallelStep, RunStep, Text, UsesStep, WaitStep


def ids(body: str) -> list[str]:
    return [step.id for step in steps(body)]


def test_a_run_step_keeps_all_it_says() -> None:
    (step,) = steps(
        """
        - name: Test
          id: test
          if: always()
          run: make
          env: {A: b}
          shell: bash -l {0}
          working-directory: src
          continue-on-error: true
          timeout-minutes: 0.5
          background: true
        """
    )
    assert isinstance(step, RunStep)
    assert step.id == "test"
    assert step.condition == Expression("always()", Span(8, 13))
    assert step.run == Literal("make", Span(9, 14))
    assert step.timeout_minutes == Literal(0.5, Span(14, 26))
    assert step.background
    assert step.span == Span(6, 9)


def test_a_uses_step_keeps_all_it_says() -> None:
    (step,) = steps("- uses: actions/checkout@v4\n  with: {fetch-depth: 0}\n")
    assert isinstance(step, UsesStep)
    assert step.uses == Text("actions/checkout@v4", Span(6, 15))
    assert step.with_ is not None
    assert step.condition == Expression("success()")


def test_automatic_ids_count_up() -> None:
    body = """
    - run: a
    - run: b
    - uses: actions/checkout@v4
    - uses: actions/checkout@v3
    - uses: ./local
    - uses: $/tools/x
    - uses: docker://alpine:3.8
    - uses: Owner/repo.js/sub/path@main
    - id: run
      run: c
    """
    assert ids(body) == [
        "__run",
        "__run_2",
        "__actions_checkout",
        "__actions_checkout_2",
        "__self",
        "__selfRepository",
        "__alpine_3_8",
        "__Owner_repo_js",
        "run",
    ]


def test_automatic_ids_end_where_github_ends() -> None:
    text = with_steps("- run: x\n" * 1000)
    assert errors(text) == ["1005:9 Unable to create a unique name"]
    assert ids("- run: x\n" * 999)[-1] == "__run_999"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("a", ""),
        ("_a-B1", ""),
        ("1a", "is invalid. IDs may only contain"),
        ("-a", "is invalid. IDs may only contain"),
        ("a b", "is invalid. IDs may only contain"),
        ("ä", "is invalid. IDs may only contain"),
        ("__a", "is invalid. IDs starting with '__' are reserved."),
        ("a" * 99, ""),
        ("a" * 100, "is invalid. IDs may only contain"),
    ],
)
def test_written_ids(name: str, wrong: str) -> None:
    found = errors(with_steps(f"- id: {name}\n  run: x"))
    assert bool(found) is bool(wrong)
    assert all(wrong in one for one in found)


def test_ids_are_unique_whatever_their_case() -> None:
    body = "- id: a\n  run: x\n- id: A\n  run: x\n- parallel:\n  - id: a\n    run: x\n"
    assert errors(with_steps(body)) == [
        "8:13 The identifier 'A' may not be used more than once within the same scope.",
        "11:15 The identifier 'a' may not be used more than once within the same scope.",
    ]


# --- background -----------------------------------------------------------------------------


def test_background_steps_are_waited_for_and_cancelled() -> None:
    found = steps(
        """
        - id: server
          run: serve
          background: true
        - wait: SERVER
          name: Wait here
          continue-on-error: true
        - wait: [server]
        - wait-all:
        - wait-all: true
        - cancel: server
        - parallel:
          - run: a
          - uses: a/b@v1
        """
    )
    assert [type(one) for one in found] == [
        RunStep,
        WaitStep,
        WaitStep,
        WaitStep,
        WaitStep,
        CancelStep,
        ParallelStep,
    ]
    first, _, every, _, cancel, parallel = found[1:]
    assert isinstance(first, WaitStep)
    assert first.targets == (Text("server", Span(9, 15)),)
    assert isinstance(every, WaitStep)
    assert every.targets is None
    assert isinstance(cancel, CancelStep)
    assert cancel.target.value == "server"
    assert isinstance(parallel, ParallelStep)
    assert [one.id for one in parallel.steps] == ["__run", "__a_b"]
    assert [one.id for one in found] == [
        *("server", "__wait", "__wait_2", "__wait-all", "__wait-all_2", "__cancel", "__parallel"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "- wait: later\n- id: later\n  run: x\n  background: true",
            "6:15 Step references unknown step ID 'later'",
        ),
        ("- id: a\n  wait: a", "7:15 Step 'a' cannot reference itself"),
        (
            "- wait: __run",
            "6:15 The identifier '__run' is invalid. IDs starting with '__' are reserved.",
        ),
        ("- cancel: nope", "6:17 Step references unknown step ID 'nope'"),
        ("- wait-all: false", "6:19 The value of 'wait-all' must be true or omitted"),
        ("- wait-all:\n  if: always()", "7:9 Unexpected value 'if'"),
        ("- run: x\n  wait: a", "7:9 Unexpected value 'wait'"),
        ("- parallel:\n  - wait-all:", "7:11 'wait-all' is not allowed inside a parallel block."),
        ("- parallel:\n  - parallel: []", "7:11 Nested 'parallel' blocks are not allowed."),
        ("- parallel: [{run: x, background: true}]", "6:29 'background' is not allowed inside"),
        ("- parallel: []\n  name: x", "7:9 Unexpected value 'name'"),
    ],
)
def test_wrong_background_steps(body: str, expected: str) -> None:
    assert [one for one in errors(with_steps(body)) if one.startswith(expected)]


def test_waiting_for_a_step_that_has_ended_is_warned_of() -> None:
    body = "- id: a\n  run: x\n- wait: a\n"
    assert warnings(with_steps(body)) == ["8:15 Step 'a' does not run in the background"]


# --- uses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uses",
    [
        *("a/b@v1", "a/b/c/d@main", "./a", ".\\a", "./", "docker://a", "$/a", "a/b@feature/x"),
        "actions/checkout@692973e3d937129bcbf40652eb9f2f61becf3332",
    ],
)
def test_references_to_actions(uses: str) -> None:
    assert errors(with_steps(f"- uses: {uses}")) == []


@pytest.mark.parametrize(
    "uses", ["checkout@v4", "actions/checkout", "a/b@", "a/b@v1@v2", "...docker://a", "/b@v1"]
)
def test_wrong_references_to_actions(uses: str) -> None:
    assert errors(with_steps(f"- uses: {uses}")) == [
        f"6:15 Expected format {{org}}/{{repo}}[/path]@ref. Actual '{uses}'"
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("dockers/login-action", "docker/login-action"),
        ("action/checkout", "actions/checkout"),
        ("actions/chekout", "actions/checkout"),
        ("Actions/Checkuot", "actions/checkout"),
        ("actions/upload-artifacts", "actions/upload-artifact"),
        ("astral-hs/setup-uv", "astral-sh/setup-uv"),
        ("actions/setup-zig", ""),
        ("me/checkout", ""),
        ("me/login-action", ""),
        ("Docker/Login-Action", ""),
        ("docker/my-own-action", ""),
    ],
)
def test_slips_in_well_known_names(written: str, meant: str) -> None:
    found = warnings(with_steps(f"- uses: {written}@v1"))
    told = f"6:15 '{written}' is not a well-known action, but '{meant}' is"
    assert found == ([told] if meant else [])


def test_an_image_without_a_name_is_told() -> None:
    assert warnings(with_steps("- uses: docker://")) == ["6:15 Container image cannot be empty"]
    assert warnings(with_steps("- uses: docker://alpine")) == []


# --- scripts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("pip install mlflow=1.2", ["6:26 mlflow"]),
        ("pip install mlflow=${{ vars.V }} x==1", ["6:26 mlflow"]),
        ("python -m pip install -U 'a[b]=1' c=2", ["6:40 a[b]", "6:48 c"]),
        ("pip3 install a=1 && echo b=2", ["6:27 a"]),
        ("pip install a==1 b>=2 c!=3 d~=4 e<=5 f===6", []),
        ("pip install --index-url=https://x --no-deps a", []),
        ("pip install git+https://x/y?z=1 ./a", []),
        ("pip install -r a.txt; X=1 make", []),
        ("conda install numpy=1.0", []),
        ("echo a=1", []),
    ],
)
def test_pip_with_a_single_equals_sign(line: str, names: list[str]) -> None:
    found = warnings(with_steps(f"- run: {line}"))
    assert found == [
        f"{name.split()[0]} pip will refuse '{name.split()[1]}=...': "
        "Invalid requirement, '=' is not a valid operator"
        for name in names
    ]


def test_the_place_in_a_longer_script() -> None:
    body = (
        "- name: x\n  run: |\n    echo hi\n    # pip install a=1\n    pip install b=1\n- run: c\n"
    )
    assert [one.split()[0] for one in warnings(with_steps(body))] == ["9:25", "10:23"]


def test_a_shell_that_is_none_is_warned_of() -> None:
    assert warnings(with_steps("- run: x\n  shell: fish"))[0].startswith(
        "7:16 Invalid shell option."
    )
    assert warnings(with_steps("- run: x\n  shell: fish {0}")) == []
    assert warnings(with_steps("- run: x\n  shell: Bash")) == []
