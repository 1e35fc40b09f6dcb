"""Jobs: the graph, matrix, containers, concurrency, permissions, calls."""

from __future__ import annotations

import pytest

from tests.unit.workflow.examples import call, errors, job, problems, valid, warnings, with_job
from trunkline.base.diagnostics import Severity
from trunkline.base.spans import Span
from trunkline.document.limits import GITHUB
from trunkline.expr.template import Expression, Literal
from trunkline.workflow.model import CallJob, Concurrency, Defaults, Environment, Permissions, Text
from trunkline.workflow.permissions import ORDER, default_levels, levels
from trunkline.workflow.schema import SCOPES


def test_a_job_keeps_all_it_says() -> None:
    found = job(
        """
        name: Build
        needs: []
        runs-on: [self-hosted, linux]
        environment: {name: prod, url: 'https://x', deployment: false}
        concurrency: {group: g, cancel-in-progress: true}
        defaults: {run: {shell: sh, working-directory: w}}
        timeout-minutes: 5
        cancel-timeout-minutes: 1
        continue-on-error: ${{ matrix.x }}
        permissions: {contents: read}
        """
    )
    assert found.id == "build"
    assert found.span == Span(3, 3)
    assert found.name == Literal("Build", Span(4, 11))
    assert found.environment == Environment(
        Literal("prod", Span(7, 25)),
        Literal("https://x", Span(7, 36)),
        Literal(value=False, span=Span(7, 61)),
        Span(7, 18),
    )
    assert found.concurrency == Concurrency(
        Literal("g", Span(8, 26)), Literal(value=True, span=Span(8, 49)), "single", Span(8, 18)
    )
    assert found.permissions == Permissions(scopes=(("contents", "read"),), span=Span(13, 18))
    assert found.continue_on_error == Expression("matrix.x", Span(12, 24))
    assert found.steps == ()


def test_defaults_may_be_one_expression() -> None:
    found = job("runs-on: x\ndefaults: {run: '${{ fromJSON(vars.D) }}'}").defaults
    assert isinstance(found.shell, Expression)
    assert found.shell.source == "(fromJSON(vars.D)).shell"
    assert job("runs-on: x").defaults == Defaults()


def test_an_empty_name_or_environment_is_none() -> None:
    found = job("runs-on: x\nname: ''\nenvironment: ''")
    assert found.name is None
    assert found.environment is None


# --- needs ----------------------------------------------------------------------------------


def graph(**needs: str) -> list[str]:
    text = "on: push\njobs:\n"
    for name, needed in needs.items():
        text += f"  {name}: {{runs-on: x, needs: [{needed}]}}\n"
    return [one.split(" ", 1)[1] for one in errors(text)]


def test_needs_ignore_case() -> None:
    assert graph(a="", b="A", c="a, B") == []


def test_unknown_jobs() -> None:
    assert graph(a="", b="c") == ["Job 'b' depends on unknown job 'c'."]


def test_cycles_are_told_at_every_need_that_stays() -> None:
    cycle = "which creates a cycle in the dependency graph."
    assert graph(a="", b="a, c", c="b", d="c") == [
        f"Job 'b' depends on job 'c' {cycle}",
        f"Job 'c' depends on job 'b' {cycle}",
        f"Job 'd' depends on job 'c' {cycle}",
    ]


def test_some_job_must_start() -> None:
    message = "The workflow must contain at least one job with no dependencies."
    assert graph(a="b", b="a") == [message]
    assert graph(a="a") == [message]
    assert errors("on: push\njobs: {}\n") == [f"2:7 {message}"]


def test_a_long_chain_is_no_trouble() -> None:
    chain = {f"j{number}": f"j{number + 1}" for number in range(3000)}
    assert graph(**chain, j3000="") == []


def test_every_job_has_something_to_do() -> None:
    text = "on: push\njobs:\n  a: {runs-on: x}\n  b: {runs-on: x, steps: []}\n"
    text += "  c: {uses: ./.github/workflows/a.yml}\n  d: {runs-on: x, stepps: [{run: a}]}\n"
    assert errors(text, GITHUB) == [
        "6:19 Unexpected value 'stepps'",
        (
            "3:3 No steps defined in `steps` and no workflow called in `uses` "
            "for the following jobs: a, b"
        ),
    ]


# --- matrix ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("{a: []}", "Matrix vector 'a' does not contain any values"),
        ("{}", "Matrix must define at least one vector"),
        ("{include: []}", "Matrix must define at least one vector"),
        ("{exclude: [{a: b}]}", "Matrix must define at least one vector"),
        ("{a: [1], include: [{}]}", "Matrix include mapping does not contain any values"),
        ("{a: [1], exclude: [{}]}", "Matrix exclude filter must not be empty"),
        (
            "{a: [1], exclude: [{b: 1}]}",
            "Matrix exclude key 'b' does not match any key within the matrix",
        ),
        ("{a: 1}", "Unexpected value '1'"),
        ("[a]", "A sequence was not expected"),
        ("{a: [1], include: [b]}", "Unexpected value 'b'"),
    ],
)
def test_wrong_matrices(matrix: str, expected: str) -> None:
    found = errors(with_job(f"runs-on: x\nstrategy: {{matrix: {matrix}}}"))
    assert [one.split(" ", 1)[1] for one in found] == [expected]


@pytest.mark.parametrize(
    "matrix",
    [
        "{a: [1, {b: c}, [d]]}",
        "{include: [{a: 1}]}",
        "{a: [1], exclude: [{A: 1}]}",
        "'${{ fromJSON(vars.M) }}'",
        "{a: '${{ fromJSON(vars.M) }}'}",
        "{include: '${{ fromJSON(vars.M) }}'}",
        "{a: [], include: [{b: 1}]}".replace("[]", "[1]"),
    ],
)
def test_right_matrices(matrix: str) -> None:
    assert errors(with_job(f"runs-on: x\nstrategy: {{matrix: {matrix}}}")) == []


# --- containers, runners, snapshot ----------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("container: ''", []),
        ("container: node:22", []),
        ("container: docker://", ["Container image cannot be empty"]),
        ("container: {image: 'docker://'}", ["Container image cannot be empty"]),
        ("container: {options: x}", ["Container image cannot be empty"]),
        ("container: {image: ''}", ["Unexpected value ''"]),
        ("container: {imag: a}", ["Unexpected value 'imag'"]),
        ("container: '${{ matrix.i }}'", []),
        ("services: {db: redis, web: {image: a, command: b}}", []),
        ("services: {db: {ports: [80]}}", ["Container image cannot be empty"]),
        ("services: {db: 'docker://'}", ["Container image cannot be empty"]),
        ("services: {db: {image: '${{ matrix.i }}'}}", []),
        ("container: {image: a, command: b}", ["Unexpected value 'command'"]),
    ],
)
def test_containers(body: str, expected: list[str]) -> None:
    found = errors(with_job(f"runs-on: x\n{body}"))
    assert [one.split(" ", 1)[1] for one in found] == expected


@pytest.mark.parametrize(
    ("group", "wrong"),
    [
        ("big", False),
        ("org/big", False),
        ("enterprise/big", False),
        ("ent/", True),
        ("me/big", True),
        ("org/a/b", True),
        ("'${{ matrix.g }}'", False),
    ],
)
def test_runner_groups(group: str, *, wrong: bool) -> None:
    found = errors(with_job(f"runs-on: {{group: {group}, labels: [a]}}"))
    assert bool(found) is wrong
    assert all(one.startswith("4:22 Invalid runs-on group name") for one in found)


def test_snapshots_are_kept_and_have_no_local_effect() -> None:
    text = with_job("runs-on: x\nsnapshot: {image-name: a, version: 2.*, if: github.x}")
    (notice,) = problems(text, Severity.NOTICE)
    assert notice.message.startswith("'snapshot' has no local effect")
    assert errors(with_job("runs-on: x\nsnapshot: {image-name: a, version: 2.1}")) == [
        "5:15 Expected format '{major-version}.*' Actual '2.1'"
    ]


# --- concurrency ----------------------------------------------------------------------------


def test_concurrency_queue() -> None:
    found = job("runs-on: x\nconcurrency: {group: a, queue: max}").concurrency
    assert found is not None
    assert found.queue == "max"
    assert errors(with_job("runs-on: x\nconcurrency: {group: a, queue: min}")) != []
    both = "runs-on: x\nconcurrency: {group: a, queue: max, cancel-in-progress: true}"
    assert errors(with_job(both)) == [
        "5:29 'queue: max' cannot be combined with 'cancel-in-progress: true'."
    ]


def test_concurrency_names() -> None:
    assert errors(with_job(f"runs-on: x\nconcurrency: {'g' * 400}")) == []
    assert errors(with_job(f"runs-on: x\nconcurrency: {'g' * 401}")) == [
        "5:18 Concurrency group name must be less than 400 characters"
    ]
    text = "concurrency: Group\n" + with_job("runs-on: x\nconcurrency: {group: group}")
    assert valid(text).concurrency == Concurrency(Literal("Group", Span(1, 14)), span=Span(1, 14))
    assert warnings(text)[0].endswith("This will cause a deadlock.")


# --- permissions ----------------------------------------------------------------------------


def test_permissions_as_written() -> None:
    assert job("runs-on: x").permissions is None
    assert job("runs-on: x\npermissions: {}").permissions == Permissions(span=Span(5, 18))
    assert job("runs-on: x\npermissions: read-all").permissions == Permissions(
        all_="read", span=Span(5, 18)
    )
    body = "runs-on: x\npermissions: {drives: read, code-quality: write, copilot-requests: write}"
    assert errors(with_job(body)) == []
    assert errors(with_job("runs-on: x\npermissions: {models: write, content: read}")) == [
        "5:27 Unexpected value 'write'",
        "5:34 Unexpected value 'content'",
    ]


def test_levels_of_every_scope() -> None:
    assert set(ORDER) == set(SCOPES)
    assert set(levels(Permissions()).values()) == {"none"}
    every = levels(Permissions(all_="write"))
    assert every["contents"] == "write"
    assert every["models"] == "read"
    assert every["id-token"] == "write"
    assert levels(Permissions(all_="read"))["copilot-requests"] == "none"
    assert levels(Permissions(scopes=(("issues", "write"),)))["issues"] == "write"


def test_the_policies_of_a_repository() -> None:
    limited = default_levels("LimitedRead")
    assert {scope for scope, level in limited.items() if level != "none"} == {
        "contents",
        "packages",
    }
    assert default_levels("Write")["contents"] == "write"
    assert default_levels("Write")["id-token"] == "none"


# --- calls ----------------------------------------------------------------------------------


def test_a_call_keeps_all_it_says() -> None:
    found = call("uses: ./.github/workflows/a.yml\nwith: {a: true}\nsecrets: inherit\n")
    assert isinstance(found, CallJob)
    assert found.uses == Text("./.github/workflows/a.yml", Span(4, 11))
    assert found.inherit_secrets
    assert found.secrets is None
    assert call("uses: a/b/.github/workflows/c.yml@v1\nsecrets: {a: b}").secrets is not None


@pytest.mark.parametrize(
    "uses",
    [
        "./.github/workflows/a.yml",
        "$/.github/workflows/a.yaml",
        "a/b/.github/workflows/c.yml@v1",
        "a/b/.github/workflows/c.yml@feature/x",
    ],
)
def test_references_to_workflows(uses: str) -> None:
    assert errors(with_job(f"uses: {uses}")) == []


@pytest.mark.parametrize(
    ("uses", "reason"),
    [
        ("./a.yml", "local workflow references must be rooted in '.github/workflows'"),
        ("./.github/workflows/a.yml@v1", "cannot specify version when calling local workflows"),
        ("./.github/workflows/a", "workflow file should have either a '.yml' or '.yaml'"),
        ("./.github/workflows/a/b.yml", "workflows must be defined at the top level of the"),
        ("./.github/workflows/.yml", "invalid workflow file name"),
        ("$/a.yml", "self repository workflows must be rooted in '.github/workflows'"),
        ("a/b/.github/workflows/c.yml", "no version specified"),
        ("a/b/.github/workflows/c.yml@", "no version specified"),
        ("a/b/.github/workflows/c.yml@v1@2", "too many '@' in workflow reference"),
        ("a/b/c.yml@v1", "references to workflows must be rooted in '.github/workflows'"),
        ("b/.github/workflows/c.yml@v1", "references to workflows must be prefixed with format"),
        ("a b/c/.github/workflows/c.yml@v1", "owner name must be a valid repository owner name"),
        ("a/b c/.github/workflows/c.yml@v1", "repository name is invalid"),
        ("a/b/.github/workflows/c.yml@a..b", "invalid character '..' in version"),
        ("a/b/.github/workflows/c.yml@/b", "version cannot begin or end with a slash"),
        ("a/b/.github/workflows/c.yml@a/.b", "invalid version: a/.b"),
        ("a/b/.github/workflows/c.yml@a b", "version cannot have whitespace"),
    ],
)
def test_wrong_references_to_workflows(uses: str, reason: str) -> None:
    (found,) = errors(with_job(f"uses: '{uses}'"))
    assert found.startswith(f"4:11 Invalid workflow reference '{uses}': {reason}")


def test_a_call_has_few_keys() -> None:
    text = with_job("uses: ./.github/workflows/a.yml\nenv: {A: b}\n")
    assert errors(text) == ["5:5 Unexpected value 'env'"]
