"""What a buildspec is lowered to: jobs, steps, and the conditions that say what a failure skips."""

from __future__ import annotations

import pytest

from trunkline.expr.template import Expression, Literal
from trunkline.expr.template import Mapping as MappingToken
from trunkline.plan.buildspec_file import read_buildspec
from trunkline.plan.permissions import effective
from trunkline.workflow.model import Job, SessionStep, UsesStep, Workflow

PHASES = "phases: {build: {commands: [make]}}\n"


def lowered(text: str, **files: str) -> Workflow:
    workflow, found = read_buildspec(
        f"version: 0.2\n{text}",
        "buildspec.yml",
        lambda path: files[path].encode() if path in files else None,
    )
    assert workflow is not None, [one.text() for one in found]
    return workflow


def job(text: str) -> Job:
    (found,) = lowered(text).jobs
    assert isinstance(found, Job)
    return found


def env(found: Job) -> dict[str, object]:
    assert isinstance(found.env, MappingToken)
    return {str(key.value): value for key, value in found.env.entries if isinstance(key, Literal)}


def conditions(found: Job) -> dict[str, str]:
    return {
        step.id: step.condition.source
        for step in found.steps
        if isinstance(step, (UsesStep, SessionStep))
    }


def test_a_build_is_a_job_whose_steps_are_what_codebuild_does():
    found = job(
        "phases:\n  install: {runtime-versions: {python: 3.x, java: corretto17}}\n"
        "  build: {commands: [make]}\nartifacts: {files: [a]}\ncache: {paths: [b]}\n"
    )
    assert found.id == "build"
    assert [step.id for step in found.steps if isinstance(step, (UsesStep, SessionStep))] == [
        "download_source",
        "environment",
        "cache",
        "runtime_python",
        "runtimes",
        "install",
        "build",
        "artifact_0",
        "cache_save",
    ]


def test_only_post_build_runs_after_a_failed_build():
    found = conditions(
        job(
            "phases: {build: {commands: [a]}, post_build: {commands: [b]}}\nartifacts: {files: [a]}"
        )
    )
    assert found["build"] == "success()"
    assert found["post_build"] == "!cancelled() && steps.build.outcome != 'skipped'"
    assert found["artifact_0"] == "!cancelled() && steps.build.outcome != 'skipped'"


def test_abort_ends_the_build():
    found = conditions(
        job(
            "phases: {build: {commands: [a], on-failure: ABORT}, post_build: {commands: [b]}}\n"
            "artifacts: {files: [a]}"
        )
    )
    assert found["post_build"] == "success()"
    assert found["artifact_0"].endswith("&& steps.build.outcome != 'failure'")


def test_a_phase_knows_whether_those_before_it_failed():
    found = job(
        "phases: {install: {commands: [a]}, build: {commands: [b]}, post_build: {commands: [c]}}"
    )
    told = {
        step.id: step.env.entries[0][1]
        for step in found.steps
        if isinstance(step, SessionStep) and isinstance(step.env, MappingToken)
    }
    assert told["install"] == Literal("1")
    assert told["post_build"] == Expression(
        "(steps.install.conclusion == 'failure' || steps.build.conclusion == 'failure') && '0' || '1'"
    )


def test_secrets_are_never_exported():
    found = job(
        "env:\n  parameter-store: {P: /p}\n  secrets-manager: {S: s}\n"
        f"  exported-variables: [P, S, AWS_X, OK]\n{PHASES}"
    )
    (phase,) = [step for step in found.steps if isinstance(step, SessionStep)]
    assert phase.exported == ("OK",)
    assert isinstance(found.outputs, MappingToken)
    assert [key for key, _ in found.outputs.entries] == [Literal("OK")]


def test_a_build_s_variables_beat_the_file_s_and_hands_beat_both():
    workflow = lowered(
        "env: {variables: {A: file, B: it's}}\n"
        f"batch: {{build-list: [{{identifier: one, env: {{variables: {{A: task}}}}}}]}}\n{PHASES}"
    )
    (found,) = workflow.jobs
    assert isinstance(found, Job)
    assert env(found)["A"] == Expression("env['A'] || 'task'")
    assert env(found)["B"] == Expression("env['B'] || 'it''s'")
    assert env(found)["CODEBUILD_BATCH_BUILD_IDENTIFIER"] == Literal("one")


def test_an_image_is_a_container_unless_codebuild_alone_has_it():
    found = lowered(
        "batch:\n  build-list:\n    - {identifier: a, env: {image: 'alpine:3'}}\n"
        f"    - {{identifier: b, env: {{image: 'aws/codebuild/standard:7.0'}}}}\n{PHASES}"
    )
    containers = [each.container for each in found.jobs if isinstance(each, Job)]
    assert isinstance(containers[0], Literal)
    assert containers[0].value == "alpine:3"
    assert containers[1] is None


def test_a_matrix_combines_its_lists_the_first_slowest():
    found = lowered(
        "batch:\n  build-matrix:\n    dynamic:\n      buildspec: [buildspec.yml, other.yml]\n"
        f"      env: {{variables: {{V: [1, 2]}}}}\n{PHASES}",
        **{
            "buildspec.yml": f"version: 0.2\n{PHASES}",
            "other.yml": "version: 0.2\nphases: {install: {commands: [x]}}\n",
        },
    )
    told = [
        (each.id, env(each)["V"], any(getattr(step, "id", "") == "install" for step in each.steps))
        for each in found.jobs
        if isinstance(each, Job)
    ]
    assert told == [
        ("build0", Expression("env['V'] || '1'"), False),
        ("build1", Expression("env['V'] || '2'"), False),
        ("build2", Expression("env['V'] || '1'"), True),
        ("build3", Expression("env['V'] || '2'"), True),
    ]


def test_a_graph_is_needs_and_fast_fail_is_the_plan_s():
    found = lowered(
        "batch:\n  fast-fail: true\n  build-graph:\n    - {identifier: a}\n"
        f"    - {{identifier: b, depend-on: [a], ignore-failure: true}}\n{PHASES}"
    )
    first, second = (each for each in found.jobs if isinstance(each, Job))
    assert found.fail_fast
    assert [need.value for need in second.needs] == ["a"]
    assert first.continue_on_error is None
    assert second.continue_on_error is not None


def test_artifacts_of_a_batch_are_joined_when_the_project_says_so():
    found = lowered(
        f"batch: {{build-fanout: {{parallelism: 2}}}}\nartifacts: {{files: [a]}}\n{PHASES}"
    )
    last = found.jobs[-1]
    assert isinstance(last, Job)
    assert last.id == "COMBINE_ARTIFACTS"
    assert [need.value for need in last.needs] == ["build0", "build1"]
    assert "CODEBUILD_COMBINE_ARTIFACTS" in last.condition.source


@pytest.mark.parametrize("text", ["plain-name", "with-$VAR", "at-$(date)", 'a"b`c`'])
def test_names_in_the_shell_s_language_are_read_by_the_build_s_shell(text: str):
    found = job(f"{PHASES}artifacts: {{files: [a], name: '{text}'}}\n")
    (upload,) = [step for step in found.steps if getattr(step, "id", "") == "artifact_0"]
    assert isinstance(upload, UsesStep)
    assert isinstance(upload.with_, MappingToken)
    name = next(value for key, value in upload.with_.entries if key == Literal("name"))
    names = [step for step in found.steps if getattr(step, "id", "") == "artifact_names"]
    if "$" not in text and "`" not in text:
        assert name == Literal(text)
        assert not names
    else:
        assert name == Expression("steps.artifact_names.outputs.codebuild_artifact_names_0")
        (step,) = names
        assert isinstance(step, SessionStep)
        quoted = text.replace('"', '\\"')
        assert [each.value for each in step.commands] == [f'codebuild_artifact_names_0="{quoted}"']


def test_mistakes_of_every_file_of_a_batch_are_told_at_once():
    workflow, found = read_buildspec(
        "version: 0.2\nbatch: {build-list: [{identifier: a, buildspec: b.yml}, "
        f"{{identifier: c, buildspec: d.yml}}]}}\n{PHASES}",
        "buildspec.yml",
        lambda path: b"version: 7\nphases: {}\n" if path == "b.yml" else None,
    )
    assert workflow is None
    told = [(one.file, one.message) for one in found]
    assert ("buildspec.yml", "YAML_FILE_ERROR: stat d.yml: no such file or directory") in told
    assert ("b.yml", "YAML_FILE_ERROR: Invalid version '7': 0.1 or 0.2 is expected") in told


@pytest.mark.parametrize(("helper", "level"), [("yes", "write"), ("no", "read")])
def test_a_build_may_push_with_git_s_credential_helper(helper: str, level: str):
    found = job(f"env: {{git-credential-helper: {helper}}}\n{PHASES}")
    assert effective(found.permissions)["contents"] == level
    assert effective(found.permissions)["packages"] == "read"
