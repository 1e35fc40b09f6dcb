"""The repositories below examples/, each through the command itself, green and red."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.docker_engine import Engine
from tests.repositories import commit, repository

EXAMPLES = Path(__file__).parents[2] / "examples"
# What pip needs to reach its registry from here, and its cache.
_OF_PIP = ("HOME", "PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "PYENV_ROOT")


@pytest.fixture
def example(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a repository with the content of the example that the test names."""
    root = repository(tmp_path / request.param)
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache", "*.egg-info")
    shutil.copytree(EXAMPLES / request.param, root, dirs_exist_ok=True, ignore=ignored)
    commit(root, {})
    return root


def run(place: Place, root: Path, *args: str) -> Done:
    """Run a verb in a repository; pip works as it does for whoever runs the tests."""
    env = {name: value for name, value in os.environ.items() if name.upper().startswith(_OF_PIP)}
    done = place.run(*args, cwd=root, env=env)
    assert_no_traceback(done)
    return done


@pytest.mark.registry
@pytest.mark.parametrize("example", ["python-package"], indirect=True)
def test_the_package_of_the_demo_is_green(place: Place, example: Path):
    done = run(place, example, "run", "--plain")
    assert done.code == 0, done.text
    # Either leg may end first.
    for leg in ("unit", "integration"):
        wanted = [
            f"artifact coverage-{leg}, 1 file, … B: …/artifacts/coverage-{leg}.zip",
            "CI #1: success in …; jobs: 2 succeeded. Next: trunkline show …",
        ]
        assert not missing(wanted, done.out.splitlines())
    assert "Test (unit) | =" in done.out
    assert "19 passed" in done.out
    assert "3 passed" in done.out
    (run_id,) = place.runs()
    folder = place.state / "runs" / run_id / "artifacts"
    names = ("coverage-integration.zip", "coverage-unit.zip")
    assert [name for name in names if not (folder / name).is_file()] == []
    assert run(place, example, "show", run_id).code == 0


@pytest.mark.registry
@pytest.mark.parametrize("example", ["course-ci-cd"], indirect=True)
def test_the_course_s_first_pipeline_is_green(place: Place, example: Path):
    done = run(place, example, "run", "--plain")
    assert done.code == 0, done.text
    assert not missing(
        ["test | app/tests/test_main.py ….…", "test | app/tests/test_yolo_detect.py ….…"],
        done.out.splitlines(),
    )
    assert "CI/CD Pipeline #1: success" in done.out


@pytest.mark.long
@pytest.mark.registry
@pytest.mark.parametrize("example", ["course-ci-cd"], indirect=True)
def test_a_broken_test_is_red_with_its_output_in_view(place: Place, example: Path):
    path = example / "app" / "yolo_detect.py"
    text = path.read_text(encoding="utf-8")
    assert "score" in text
    path.write_text(text.replace("area", "arena", 1), encoding="utf-8")  # not committed
    done = run(place, example, "run", "--plain")
    assert done.code == 1, done.text
    assert not missing(
        [
            "test | FAILED app/tests/test_…",
            "test | ##[error]Process completed with exit code 1.",
            "test: failure in …, in step 5 'Test with pytest' (exit code 1)",
            "workspace of test kept: …",
            "CI/CD Pipeline #1: failure in …; jobs: 1 failed. Next: trunkline logs … -j test",
        ],
        done.out.splitlines(),
    )


@pytest.mark.registry
@pytest.mark.parametrize("example", ["course-variables"], indirect=True)
def test_a_wrong_requirement_fails_its_step_with_the_words_of_pip(place: Place, example: Path):
    done = run(place, example, "run", "--plain")
    assert done.code == 1, done.text
    assert not missing(
        [
            "test | Version is 1.0.0",
            "test | ERROR: Invalid requirement: 'mlflow=2.17.0'…",
            "test: failure in …, in step 5 'Install dependencies' (exit code 1)",
        ],
        done.out.splitlines(),
    )


@pytest.mark.parametrize("example", ["course-variables"], indirect=True)
def test_lint_says_why_pip_will_refuse(place: Place, example: Path):
    done = run(place, example, "lint")
    assert done.code == 0
    assert not missing(
        [
            ".github/workflows/variables.yml:21:23: warning: pip will refuse 'mlflow=...': …",
            "… = Did you mean 'mlflow==...'?",
        ],
        done.out.splitlines(),
    )


@pytest.mark.parametrize("verb", ["run", "lint"])
@pytest.mark.parametrize("example", ["course-secrets"], indirect=True)
def test_two_slips_are_told_and_nothing_runs(place: Place, example: Path, verb: str):
    done = run(place, example, verb)
    assert done.code == 2
    told = done.text.splitlines()
    for slip in (
        [
            ".github/workflows/secrets.yml:8:9: error: Unexpected value 'users'",
            "… = Did you mean 'uses'?",
        ],
        [
            ".github/workflows/secrets.yml:8:16: warning: 'dockers/login-action' is not a …",
            "… = Did you mean 'docker/login-action'?",
        ],
    ):
        assert not missing(slip, told)
    assert place.runs() == []


@pytest.mark.parametrize("example", ["course-variables"], indirect=True)
def test_variables_that_are_not_there_are_named(place: Place, example: Path):
    done = run(place, example, "plan", "--var-file", "/dev/null")
    assert done.code == 0
    assert "vars.PYTHON_VERSION" in done.text
    assert "vars.MLFLOW_VERSION" in done.text


@pytest.mark.parametrize("example", ["services"], indirect=True)
def test_services_are_reached_by_port_and_by_name(
    docked: Place, engine: Engine, example: Path, redis_image: str, postgres_image: str
):
    with engine.named(redis_image, "redis:7"), engine.named(postgres_image, "postgres:16"):
        done = run(docked, example, "run", "--plain")
    assert done.code == 0, done.text
    lines = done.out.splitlines()
    assert not missing(["On the machine | …Ran 2 tests in …", "On the machine | OK"], lines)
    assert not missing(["In a container | INSERT 0 2", "In a container | 2 notes"], lines)
