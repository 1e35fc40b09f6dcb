"""Structure: unknown keys, missing keys, wrong kinds of values, expressions out of place."""

from __future__ import annotations

import pytest

from tests.unit.workflow.examples import (
    SMALL,
    errors,
    job,
    problems,
    steps,
    valid,
    warnings,
    with_job,
    with_steps,
)
from trunkline.base.diagnostics import Severity
from trunkline.document.limits import Limits
from trunkline.expr.template import Expression, Insert, Literal, Mapping
from trunkline.workflow.model import RunStep


def hints(text: str) -> list[str]:
    return [one.hint for one in problems(text, Severity.ERROR)]


def test_all_mistakes_are_told_at_once_structure_and_meaning() -> None:
    text = """\
    on: pusch
    permission: read-all
    jobs:
      build:
        runs-on: ubuntu-latest
        needs: nobody
        steps:
          - run: echo ${{ secret.X }}
          - uses: actions/checkout
      __x:
        runs-on: ubuntu-latest
        timeout-minutes: long
    """
    assert errors(text) == [
        "1:5 Unexpected value 'pusch'",
        "2:1 Unexpected value 'permission'",
        "8:14 Unrecognized named-value: 'secret'. Located at position 1 within expression: secret.X",
        "12:22 Unexpected value 'long'",
        "9:15 Expected format {org}/{repo}[/path]@ref. Actual 'actions/checkout'",
        "10:3 The identifier '__x' is invalid. IDs starting with '__' are reserved.",
        "6:12 Job 'build' depends on unknown job 'nobody'.",
    ]


def test_hints_name_the_nearest_right_word() -> None:
    text = "on: pusch\npermission: {}\njobs:\n  a:\n    runs_on: x\n"
    assert hints(text)[:3] == [
        "Did you mean 'push'?",
        "Did you mean 'permissions'?",
        "Did you mean 'runs-on'?",
    ]


def test_a_value_under_a_near_key_is_checked_as_that_key() -> None:
    text = with_steps("- users: dockers/login-action@v3\n  with: {a: b}")
    assert errors(text) == [
        "6:9 Unexpected value 'users'",
        "6:9 Required property is missing: uses",
    ]
    assert warnings(text) == [
        "6:16 'dockers/login-action' is not a well-known action, but 'docker/login-action' is"
    ]
    wrong_inside = with_job("runs-on: x\nstepps:\n  - run: [a]\n")
    assert errors(wrong_inside) == [
        "5:5 Unexpected value 'stepps'",
        "6:14 A sequence was not expected",
    ]


def test_a_near_key_does_not_stand_in_for_what_is_missing() -> None:
    text = with_steps("- runn: echo")
    assert errors(text) == [
        "6:9 Unexpected value 'runn'",
        (
            "6:9 There's not enough info to determine what you meant. Add one of these properties: "
            "cancel, parallel, run, shell, uses, wait, wait-all, with, working-directory"
        ),
    ]


def test_a_key_of_another_kind_says_what_it_does_not_go_with() -> None:
    text = with_job("runs-on: x\nuses: ./.github/workflows/a.yml\n")
    assert errors(text) == ["5:5 Unexpected value 'uses'"]
    assert hints(text) == ["'uses' does not go together with 'runs-on'."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jobs: {}", "1:1 Required property is missing: on"),
        ("on: push", "1:1 Required property is missing: jobs"),
        ("- a", "1:1 A sequence was not expected"),
        ("push", "1:1 Unexpected value 'push'"),
        ("on: push\njobs:", "2:6 Unexpected value ''"),
        (SMALL.replace("ubuntu-latest", "''"), "4:14 Unexpected value ''"),
        (SMALL.replace("ubuntu-latest", "{labels: [a], more: b}"), "4:28 Unexpected value 'more'"),
        (SMALL.replace("echo hi", "[a]"), "6:14 A sequence was not expected"),
        (SMALL.replace("echo hi", "{a: b}"), "6:14 A mapping was not expected"),
        (SMALL + "        RUN: x\n", "7:9 'RUN' is already defined"),
        (SMALL + "        Shell: x\n", "7:9 Unexpected value 'Shell'"),
        (SMALL + "        timeout-minutes: '5'\n", "7:26 Unexpected value '5'"),
        (SMALL + "        continue-on-error: yes\n", "7:28 Unexpected value 'yes'"),
        (SMALL + "        ? [a]\n        : b\n", "7:11 A sequence was not expected"),
        (SMALL + "        <<: {a: b}\n", "7:9 Unexpected value '<<'"),
        (SMALL + "        env: {<<: {A: b}}\n", "7:15 Unexpected value '<<'"),
    ],
)
def test_wrong_structure(text: str, expected: str) -> None:
    assert expected in errors(text)


def test_scalars_become_text_where_text_is_due() -> None:
    env = job("runs-on: x\nenv: {a: true, b: 1e3, c: , d: 0x10, e: 1.50, f: .inf}").env
    assert isinstance(env, Mapping)
    values = [value.value for _, value in env.entries if isinstance(value, Literal)]
    assert values == ["true", "1000", "", "16", "1.5", "Infinity"]


def test_keys_become_text_too() -> None:
    env = job("runs-on: x\nenv: {1: a, true: b, 0x10: c}").env
    assert isinstance(env, Mapping)
    assert [key.value for key, _ in env.entries if isinstance(key, Literal)] == ["1", "true", "16"]


# --- expressions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("${{ github.sha }}", Expression("github.sha")),
        ("a ${{ github.sha }} b", Expression("format('a {0} b', github.sha)")),
        ("it's {0} ${{ 1 }}", Expression("format('it''s {{0}} {0}', 1)")),
        ("${{ 'lit''eral' }}", Literal("lit'eral")),
        ("$${{ 1 }}", Expression("format('${0}', 1)")),
        ("$ {{ x }}", Literal("$ {{ x }}")),
    ],
)
def test_expressions_are_compiled(text: str, token: Expression | Literal) -> None:
    env = job(f'runs-on: x\nenv:\n  A: "{text}"').env
    assert isinstance(env, Mapping)
    found = env.entries[0][1]
    assert type(found) is type(token)
    if isinstance(found, Expression) and isinstance(token, Expression):
        assert found.source == token.source
    if isinstance(found, Literal) and isinstance(token, Literal):
        assert found.value == token.value


def test_insert_is_a_key_only() -> None:
    env = job("runs-on: x\nenv:\n  ${{ insert }}: ${{ fromJSON('{}') }}\n").env
    assert isinstance(env, Mapping)
    assert isinstance(env.entries[0][0], Insert)
    assert errors(with_job("runs-on: ${{ insert }}\n")) == ["4:14 Unexpected value '${{ insert }}'"]
    text = with_job("runs-on: x\nenv:\n  A: x ${{ insert }}\n")
    assert errors(text)[0].startswith("6:10 The directive 'insert' is not allowed in this context.")


def test_expression_keys_stand_where_expressions_may() -> None:
    matrix = job("runs-on: x\nstrategy:\n  matrix:\n    ${{ vars.K }}: ${{ fromJSON('[]') }}\n")
    assert matrix.strategy is not None
    assert errors("on: push\njobs:\n  ${{ 'a' == 'b' }}: {}\n") == [
        "3:3 A template expression is not allowed in this context",
        "3:3 The workflow must contain at least one job with no dependencies.",
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("name: ${{ steps.x }}", "Unrecognized named-value: 'steps'"),
        ("env: {A: '${{ steps.x }}'}", "Unrecognized named-value: 'steps'"),
        ("env: {A: '${{ hashFiles(1) }}'}", "Unrecognized function: 'hashFiles'"),
        ("if: ${{ secrets.x }}", "Unrecognized named-value: 'secrets'"),
        ("if: matrix.x", "Unrecognized named-value: 'matrix'"),
        ("if: always(1)", "Too many parameters supplied: 'always'"),
        ("if: a b", "Unrecognized named-value: 'a'"),
        ("outputs: {A: '${{ matrix.x + 1 }}'}", "Unexpected symbol: '+'"),
        ("timeout-minutes: ${{ secrets.x }}", "Unrecognized named-value: 'secrets'"),
        ("name: ${{ }}", "An expression was expected"),
        ("name: ${{ x", "The expression is not closed."),
        ("name: ${{ 'a }}", "The expression is not closed."),
        ('name: ${{ "a" }}', "Unexpected symbol: '\"a\"'"),
        ("name: ${{ case(1, 2) }}", "Too few parameters supplied: 'case'"),
        ("needs: ${{ 'a' == 'a' }}", "A template expression is not allowed in this context"),
    ],
)
def test_expressions_are_checked_where_they_stand(body: str, message: str) -> None:
    found = errors(with_job(f"runs-on: x\n{body}"))
    assert found[0].split(" ", 1)[1].startswith(message)
    assert found[0].startswith("5:")


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        ("if: success('a') || failure('a', 'b') || cancelled()", True),
        ("defaults: {run: {shell: '${{ env.SHELL }}'}}", True),
        ("container: {image: a, env: {A: '${{ steps.a }}'}}", True),
        ("container: {image: a, credentials: {username: '${{ secrets.a }}', password: b}}", True),
        ("container: {image: '${{ secrets.a }}'}", False),
        ("environment: {name: a, url: '${{ steps.a.outputs.b }}'}", True),
        ("environment: {name: '${{ steps.a }}'}", False),
        ("concurrency: ${{ matrix.a }}", True),
        ("strategy: {matrix: {a: '${{ fromJSON(needs.a.outputs.b) }}'}}", True),
        ("strategy: {matrix: {a: ['${{ matrix.b }}']}}", False),
        ("strategy: {fail-fast: '${{ inputs.a }}'}", True),
        ("services: {a: {image: '${{ matrix.a }}', entrypoint: x, command: y}}", True),
    ],
)
def test_contexts_by_place(body: str, *, allowed: bool) -> None:
    assert (errors(with_job(f"runs-on: x\n{body}")) == []) is allowed


def test_every_expression_of_a_text_is_told() -> None:
    text = with_steps("- run: |\n    ${{ a }}\n    ${{ github.sha }}\n    ${{ b }}\n")
    assert [line.split(". ")[0] for line in errors(text)] == [
        "6:14 Unrecognized named-value: 'a'",
        "6:14 Unrecognized named-value: 'b'",
    ]


def test_hints_for_expressions() -> None:
    assert hints(with_job("runs-on: x\nname: ${{ gihub.sha }}")) == ["Did you mean 'github'?"]
    assert hints(with_job("runs-on: x\nname: ${{ toJsn(1) }}")) == ["Did you mean 'tojson'?"]
    assert hints(with_job('runs-on: x\nname: ${{ "a" }}')) == [
        "Strings in expressions stand in single quotes."
    ]
    assert hints(with_steps("- uses: a/b@${{ matrix.x }}")) == [
        "No contexts are available here: write the value itself."
    ]


def test_text_around_an_if_is_warned_of() -> None:
    text = with_steps("- run: x\n  if: github.ref == 'a' || ${{ true }}")
    assert warnings(text)[0].startswith("7:13 Conditional expression contains literal text outside")
    assert warnings(with_steps("- run: x\n  if: ${{ true }}")) == []


def test_conditions_are_rewritten() -> None:
    def condition(text: str) -> str:
        return job(f"runs-on: x\nif: {text}").condition.source

    assert condition("") == "success()"
    assert condition("''") == "success()"
    assert condition("true") == "success() && (true)"
    assert condition("${{ github.ref == 'a' }}") == "success() && (github.ref == 'a')"
    assert condition("\"  github.ref == 'a' \"") == "success() && (github.ref == 'a')"
    assert condition("Always()") == "Always()"
    assert condition("github.event_name == 'a' && !cancelled()").startswith("github.event_name")
    assert job("runs-on: x").condition == Expression("success()")


# --- limits ---------------------------------------------------------------------------------


def test_only_so_many_errors_are_kept() -> None:
    text = "on: push\njobs: {}\n" + "".join(f"k{n}: 1\n" for n in range(30))
    assert len(errors(text)) == 10
    assert len(errors(text, Limits(max_errors=0))) == 31


def test_long_messages_are_cut() -> None:
    found = problems(f"on: push\njobs: {{}}\n{'k' * 600}: 1\n", Severity.ERROR)[0]
    assert found.text().endswith("kkk[...]")
    assert len(found.text()) == 500 + len("[...]")


def test_the_size_of_a_file_has_a_limit() -> None:
    size = valid(SMALL).size
    assert errors(SMALL, Limits(max_size=size)) == []
    assert errors(SMALL, Limits(max_size=size - 1)) == ["0:0 Maximum object size exceeded"]


def test_an_alias_counts_where_it_stands() -> None:
    first, second = steps("- run: x\n  env: &e {A: b}\n- run: y\n  env: *e\n")
    assert isinstance(first, RunStep)
    assert isinstance(second, RunStep)
    assert isinstance(first.env, Mapping)
    assert first.env == second.env
