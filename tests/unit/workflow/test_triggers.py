"""`on`: events, filters, schedules and inputs."""

from __future__ import annotations

import pytest

from tests.unit.workflow.examples import errors, problems, valid, warnings
from trunkline.base.diagnostics import Severity
from trunkline.workflow.cron import expand, is_zone_name, too_often
from trunkline.workflow.model import Input, Schedule, Trigger

JOBS = "jobs: {a: {runs-on: x}}\n"


def triggers(on: str) -> tuple[Trigger, ...]:
    return valid(f"{on}\n{JOBS}").triggers


def test_events_by_name_in_a_list_and_with_settings() -> None:
    assert [t.event for t in triggers("on: push")] == ["push"]
    assert [t.event for t in triggers("on: [push, pull_request]")] == ["push", "pull_request"]
    assert [t.event for t in triggers("on: {push: , workflow_dispatch: {}}")] == [
        "push",
        "workflow_dispatch",
    ]


def test_filters_are_lists_and_none_when_not_given() -> None:
    (push,) = triggers("on: {push: {branches: main, tags: [v1, '!v2'], paths-ignore: }}")
    assert push.branches == ("main",)
    assert push.tags == ("v1", "!v2")
    assert push.paths_ignore is None
    assert push.types is None


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("on: pushed", "1:5 Unexpected value 'pushed'"),
        ("on: [push, nothing]", "1:12 Unexpected value 'nothing'"),
        ("on: {pull: }", "1:6 Unexpected value 'pull'"),
        ("on: {push: {types: [a]}}", "1:13 Unexpected value 'types'"),
        ("on: {issues: {types: [open]}}", "1:23 Unexpected value 'open'"),
        ("on: {issues: {branches: main}}", "1:15 Unexpected value 'branches'"),
        ("on: {create: {types: a}}", "1:14 A mapping was not expected"),
        ("on: {schedule: }", "1:16 Unexpected value ''"),
        ("on: ${{ 'push' == 'push' }}", "1:5 A template expression is not allowed in this context"),
        (
            "on: {push: {branches: a, branches-ignore: b}}",
            "1:26 you may only define one of `branches` and `branches-ignore` for a single event",
        ),
        (
            "on: {push: {paths-ignore: b, paths: a}}",
            "1:30 you may only define one of `paths` and `paths-ignore` for a single event",
        ),
    ],
)
def test_what_is_wrong_with_events(on: str, expected: str) -> None:
    assert expected in errors(f"{on}\n{JOBS}")


@pytest.mark.parametrize(
    "on",
    [
        "{pull_request: {types: [opened, stacked, enqueued], paths: ['**']}}",
        "{issues: {types: [typed, field_added]}}",
        "{merge_group: {types: checks_requested, branches: main}}",
        "{repository_dispatch: {types: [anything, goes]}}",
        "{workflow_run: {workflows: [CI], types: completed, branches-ignore: [x]}}",
        "{registry_package: {types: published}, watch: {types: started}, page_build: }",
        "{workflow_call: {secrets: {a: , b: {required: true}}, outputs: {o: {value: x}}}}",
    ],
)
def test_what_may_be_said_of_events(on: str) -> None:
    assert errors(f"on: {on}\n{JOBS}") == []


def test_schedules_have_a_time_zone() -> None:
    (schedule,) = triggers(
        "on: {schedule: [{cron: '0 4 * * 1-5'}, {cron: '@', timezone: Europe/Berlin}]}".replace(
            "'@'", "'30 5,17 * * *'"
        )
    )
    plain = [(one.cron, one.timezone) for one in schedule.schedules]
    assert plain == [("0 4 * * 1-5", "UTC"), ("30 5,17 * * *", "Europe/Berlin")]
    assert isinstance(schedule.schedules[0], Schedule)


def test_wrong_schedules() -> None:
    text = "on:\n  schedule:\n    - cron: '* * * *'\n    - {cron: '0 0 * * *', timezone: 'a b'}\n    - {}\n"
    assert errors(text + JOBS) == [
        "5:7 Required property is missing: cron",
        (
            "3:13 Invalid cron expression. Expected format: '* * * * *' "
            "(minute hour day month weekday)"
        ),
        "4:37 Invalid timezone 'a b'",
    ]
    often = "on: {schedule: [{cron: '*/2 * * * *'}]}\n"
    assert warnings(often + JOBS) == ["1:24 Actions schedules run at most every 5 minutes."]


@pytest.mark.parametrize(
    "cron",
    [
        "0 0 * * *",
        "0 000 001 * *",
        "2,10 4,5 * * *",
        "30 4-6 * * *",
        "0 4-4 * * *",
        "20/15 * * * *",
        "28 */4 * * *",
        "28 5,*/4,6-8 * * *",
        "0 0 * * SUN",
        "0 0 * jan-DEC SUN-TUE",
        "0 0 * * SUN-2",
        "0 2-4/5 * * *",
        "0   0  *  *               *",
    ],
)
def test_cron_that_github_accepts(cron: str) -> None:
    assert expand(cron) is not None


@pytest.mark.parametrize(
    "cron",
    [
        *("", "0 0 * *", "0 0 * * * *", "0 -1 * * *", "0 1- * * *", "0 /1 * * *", "0 1/ * * *"),
        *("0 ,1 * * *", "0 1, * * *", "0 5--5 * * *", "0 *//5 * * *", "0 */* * * *", "0 5/* * * *"),
        *("0 *-4 5-* *-* *", "0 ,, * * *", ", , , , ,", "0 ** * * *", "0 0 * * BUN"),
        *("0 0 * SUN JAN", "0 0 * * FRI-TUE", "0 12-4 * * *", "0 */0 * * *", "0 2/4-5 * * *"),
        *("0 2-4-6 * * *", "0 2/4/6 * * *", "0 * * */FEB */TUE", "60 * * * *", "0 24 * * *"),
        *("0 0 0 * *", "0 0 32 * *", "0 0 * 13 *", "0 0 * * 7", "@daily", "² * * * *"),
        "9" * 100 + " * * * *",
    ],
)
def test_cron_that_github_refuses(cron: str) -> None:
    assert expand(cron) is None


def test_cron_fields_are_expanded() -> None:
    found = expand("5-10/2,50 */12 1 jan,3 mon-fri")
    assert found is not None
    assert [sorted(field) for field in found] == [
        [5, 7, 9, 50],
        [0, 12],
        [1],
        [1, 3],
        [1, 2, 3, 4, 5],
    ]


@pytest.mark.parametrize(
    ("minutes", "often"),
    [({0}, False), ({0, 5}, False), ({0, 4}, True), ({1, 58}, True), (set(range(60)), True)],
)
def test_too_often(minutes: set[int], *, often: bool) -> None:
    assert too_often(frozenset(minutes)) is often


def test_zone_names() -> None:
    assert all(map(is_zone_name, ("UTC", "Europe/Berlin", "Etc/GMT+3", "America/Port-au-Prince")))
    assert not any(map(is_zone_name, ("", "a b", "/Berlin", "Europe/", "../etc/passwd")))


# --- inputs ---------------------------------------------------------------------------------


def inputs(spec: str, event: str = "workflow_dispatch") -> tuple[Input, ...]:
    (trigger,) = triggers(f"on: {{{event}: {{inputs: {spec}}}}}")
    return trigger.inputs


def test_inputs_are_strings_unless_said_otherwise() -> None:
    found = inputs("{a: , b: {type: boolean, default: true}, c: {required: true, description: d}}")
    assert [(one.id, one.type, one.required) for one in found] == [
        ("a", "string", False),
        ("b", "boolean", False),
        ("c", "string", True),
    ]
    assert found[2].description == "d"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{a: {type: choice}}", "Missing 'options' for choice input"),
        ("{a: {type: choice, options: []}}", "Missing 'options' for choice input"),
        ("{a: {options: [b]}}", "Input type is not 'choice', but 'options' is defined"),
        ("{a: {type: date}}", "Unexpected value 'date'"),
        ("{a: {required: maybe}}", "Unexpected value 'maybe'"),
    ],
)
def test_wrong_dispatch_inputs(spec: str, expected: str) -> None:
    found = errors(f"on: {{workflow_dispatch: {{inputs: {spec}}}}}\n{JOBS}")
    assert [one.split(" ", 1)[1] for one in found] == [expected]


def test_a_default_that_the_form_does_not_offer_is_warned_of() -> None:
    spec = "{a: {type: choice, options: [b], default: c}, d: {type: boolean, default: e}}"
    found = warnings(f"on: {{workflow_dispatch: {{inputs: {spec}}}}}\n{JOBS}")
    assert [one.split(" ", 1)[1] for one in found] == [
        "The default 'c' of the input 'a' is not one of its options",
        "The default 'e' of the input 'd' is not a boolean",
    ]


def test_a_form_has_at_most_25_inputs() -> None:
    spec = ", ".join(f"i{number}: " for number in range(26))
    found = errors(f"on: {{workflow_dispatch: {{inputs: {{{spec}}}}}}}\n{JOBS}")
    assert found[0].endswith(
        "you may only define up to 25 `inputs` for a `workflow_dispatch` event"
    )
    assert len(inputs(f"{{{spec.rsplit(',', 1)[0]}}}")) == 25


def test_unknown_keys_under_workflow_dispatch_are_ignored_aloud() -> None:
    text = f"on: {{workflow_dispatch: {{typo: 1}}}}\n{JOBS}"
    assert errors(text) == []
    assert warnings(text) == ["1:26 Unexpected value 'typo'"]


def test_inputs_of_callers_have_a_type_and_a_fitting_default() -> None:
    def wrong(spec: str) -> list[str]:
        return errors(f"on: {{workflow_call: {{inputs: {{a: {spec}}}}}}}\n{JOBS}")

    assert wrong("{type: number, default: 3}") == []
    assert wrong("{type: boolean, default: '${{ vars.X }}'}") == []
    assert wrong("{type: string, default: 3}") == []
    assert wrong("{default: 3}") == ["1:34 Required property is missing: type"]
    assert wrong("{type: choice}") == ["1:41 Unexpected value 'choice'"]
    assert wrong("{type: number, default: x}") == ["1:58 Unexpected value 'x'"]
    assert wrong("{type: boolean, default: 'true'}") == ["1:59 Unexpected value 'true'"]
    assert wrong("{type: string, default: '${{ secrets.X }}'}") != []


def test_image_version_has_no_local_effect() -> None:
    text = f"on: {{image_version: {{names: a, versions: ['1.*']}}}}\n{JOBS}"
    (notice,) = problems(text, Severity.NOTICE)
    assert notice.rule == "no-local-effect"
    assert valid(text).triggers[0].versions == ("1.*",)
