"""`action.yml`: JavaScript, composite and Docker actions."""

from __future__ import annotations

from textwrap import dedent

import pytest

from trunkline.base.spans import Span
from trunkline.expr.template import Expression, Literal, Sequence
from trunkline.workflow.action import parse_action
from trunkline.workflow.model import (
    Action,
    CompositeRuns,
    DockerRuns,
    JavaScriptRuns,
    RunStep,
    UsesStep,
)

FILE = "action.yml"
NODE = "name: a\nruns: {using: node20, main: index.js}\n"


def action(text: str) -> Action:
    found, problems = parse_action(dedent(text), FILE)
    assert found is not None, [one.text() for one in problems]
    return found


def errors(text: str) -> list[str]:
    found, problems = parse_action(dedent(text), FILE)
    assert found is None or not problems
    return [f"{one.span.line}:{one.span.column} {one.message}" for one in problems]


def test_a_javascript_action() -> None:
    found = action(
        """\
        name: Greet
        description: Says hello
        author: me
        branding: {icon: anchor, color: blue}
        inputs:
          who:
            description: whom
            required: true
            default: ${{ github.actor }}
            deprecationMessage: use name
          other:
        outputs:
          time: {description: when}
        runs:
          using: Node24
          main: dist/index.js
          pre: dist/pre.js
          pre-if: runner.os == 'Linux'
          post: dist/post.js
          post-if: ${{ success() }}
        """
    )
    assert (found.name, found.description, found.author) == ("Greet", "Says hello", "me")
    who, other = found.inputs
    assert (who.id, who.required, who.deprecation) == ("who", True, "use name")
    assert who.default == Expression("github.actor", Span(9, 14))
    assert other.default is None
    assert found.outputs[0].description == "when"
    runs = found.runs
    assert isinstance(runs, JavaScriptRuns)
    assert (runs.using, runs.main, runs.pre, runs.post) == (
        *("node24", "dist/index.js", "dist/pre.js", "dist/post.js"),
    )
    assert runs.pre_condition.source == "runner.os == 'Linux'"
    assert runs.post_condition.source == "success()"


def test_conditions_around_an_action_are_always_unless_said() -> None:
    runs = action(NODE).runs
    assert isinstance(runs, JavaScriptRuns)
    assert runs.pre_condition == Expression("always()")


def test_a_composite_action() -> None:
    found = action(
        """\
        name: a
        outputs: {o: {value: '${{ steps.x.outputs.y }}'}}
        runs:
          using: composite
          steps:
            - id: x
              run: echo ${{ inputs.a }}
              shell: ${{ inputs.shell }}
              if: inputs.a
            - uses: ./b
              with: {c: '${{ hashFiles(''x'') }}'}
        """
    )
    runs = found.runs
    assert isinstance(runs, CompositeRuns)
    first, second = runs.steps
    assert isinstance(first, RunStep)
    assert first.condition.source == "success() && (inputs.a)"
    assert isinstance(second, UsesStep)
    assert second.id == "__self"
    assert found.outputs[0].value == Expression("steps.x.outputs.y", Span(2, 22))


def test_a_docker_action() -> None:
    runs = action(
        """\
        name: a
        runs:
          using: docker
          image: Dockerfile
          entrypoint: /run
          args: [a, '${{ inputs.b }}']
          env: {A: '${{ inputs.b }}'}
          post-entrypoint: /clean
        """
    ).runs
    assert isinstance(runs, DockerRuns)
    assert (runs.image, runs.entrypoint, runs.post_entrypoint) == ("Dockerfile", "/run", "/clean")
    assert isinstance(runs.args, Sequence)
    assert runs.args.items[0] == Literal("a", Span(6, 10))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a", "1:1 Required property is missing: runs"),
        ("runs: {main: x}", "1:7 Required property is missing: using"),
        ("runs: {using: node20}", "1:7 There's not enough info to determine what you meant."),
        ("runs: {using: node20, mian: x}", "1:23 Unexpected value 'mian'"),
        ("runs: {using: node20, image: x}", "1:7 Required property is missing: main"),
        ("runs: {using: composite, main: x}", "1:7 Required property is missing: steps"),
        ("runs: {using: docker, main: x}", "1:7 Required property is missing: image"),
        ("runs: {using: node8, main: x}", "1:15 'using: node8' is not supported, use 'docker',"),
        (
            "runs: {using: composite, steps: [{run: a}]}",
            "1:34 Required property is missing: shell",
        ),
        (
            "runs: {using: composite, steps: [{run: a, shell: sh, timeout-minutes: 1}]}",
            "1:54 Unexpected value 'timeout-minutes'",
        ),
        (
            "runs: {using: composite, steps: [{run: a, shell: sh, background: true}]}",
            "1:54 Unexpected value 'background'",
        ),
        (
            "runs: {using: composite, steps: [{run: '${{ secrets.x }}', shell: sh}]}",
            "1:40 Unrecognized named-value: 'secrets'.",
        ),
        ("inputs: {a: {default: '${{ inputs.b }}'}}\n" + NODE, "1:23 Unrecognized named-value"),
        ("runs: {using: node20, main: x, pre-if: ''}", "1:40 An expression was expected"),
        ("runs: {using: node20, main: x, pre-if: 'a b'}", "1:40 Unrecognized named-value: 'a'"),
        ("", "1:1 Expected document start parse event"),
    ],
)
def test_what_is_wrong_with_an_action(text: str, expected: str) -> None:
    assert any(one.startswith(expected) for one in errors(text))


def test_keys_of_others_are_left_alone() -> None:
    text = NODE + "x-more: [1, {a: b}]\ninputs: {a: {type: boolean, anything: [1]}}\n"
    assert action(text).inputs[0].id == "a"


def test_required_may_be_text() -> None:
    found = action(NODE + "inputs: {a: {required: 'true'}, b: {required: 'no'}}\n")
    assert [one.required for one in found.inputs] == [True, False]
