"""The course's pipelines and the demo, from the repositories under `examples/`, red and green."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.repositories import git

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENT = 300.0
# What package clients need to find their registry, whoever runs the tests.
CLIENTS = ("PIP_", "UV_", "SSL_", "REQUESTS_", "CURL_", "HTTP", "http", "NO_PROXY", "no_proxy")


@pytest.fixture
def example(place: Place) -> Callable[[str], Path]:
    """Return what makes a repository of an example."""

    def make(name: str) -> Path:
        root = place.root / name
        shutil.copytree(EXAMPLES / name, root)
        git(root, "init", "-q", "-b", "main")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "start")
        return root

    return make


def ran(place: Place, root: Path, *args: str) -> Done:
    clients = {name: value for name, value in os.environ.items() if name.startswith(CLIENTS)}
    for name in (".config/pip/pip.conf", ".pip/pip.conf"):
        settings = Path.home() / name
        if settings.exists():
            clients.setdefault("PIP_CONFIG_FILE", str(settings))
    done = place.run("run", "--plain", *args, cwd=root, env=clients, patience=PATIENT)
    assert_no_traceback(done)
    return done


def test_secrets_is_rejected_with_both_slips_told(
    place: Place, example: Callable[[str], Path]
) -> None:
    root = example("course-secrets")
    for done in (ran(place, root), place.run("lint", cwd=root)):
        assert done.code == 2
        says = [
            ".github/workflows/secrets.yml:8:9: error: Unexpected value 'users'",
            "  8 |         users: dockers/login-action@v3",
            "…Did you mean 'uses'?",
            "….yml:8:16: …dockers/login-action…",
            "…docker/login-action…",
        ]
        assert not missing(says, done.text.splitlines()), done.text
    assert place.runs() == []


@pytest.mark.registry
def test_variables_reach_scripts_and_inputs_and_pip_tells_the_slip(
    place: Place, example: Callable[[str], Path]
) -> None:
    root = example("course-variables")
    done = ran(place, root, "--var", "MLFLOW_VERSION=2.9.2")
    assert done.code == 1, done.text
    says = [
        "test | Version is 1.0.0",
        "test | …3.11…",
        "test | ERROR: Invalid requirement: 'mlflow=2.9.2'…",
        "test | ##[error]Process completed with exit code 1.",
    ]
    assert not missing(says, done.out.splitlines()), done.text


def test_undefined_variables_are_named(place: Place, example: Callable[[str], Path]) -> None:
    root = example("course-variables")
    done = place.run("plan", "--var-file", "/dev/null", cwd=root)
    assert done.code == 0
    assert "vars.PYTHON_VERSION" in done.text
    assert "vars.MLFLOW_VERSION" in done.text


def test_lint_says_why_the_slip_of_pip_fails(place: Place, example: Callable[[str], Path]) -> None:
    done = place.run("lint", cwd=example("course-variables"))
    assert "mlflow==" in done.text


@pytest.mark.registry
def test_ci_cd_is_green_then_red_with_the_failing_test_in_view(
    place: Place, example: Callable[[str], Path]
) -> None:
    root = example("course-ci-cd")
    done = ran(place, root)
    assert done.code == 0, done.text
    broken = root / "app" / "tests" / "test_main.py"
    text = broken.read_text(encoding="utf-8")
    broken.write_text(f"{text}\n\ndef test_broken():\n    assert 1 + 1 == 3\n", encoding="utf-8")
    done = ran(place, root)
    assert done.code == 1, done.text
    says = ["test | …assert 1 + 1 == 3", "test | …FAILED app/tests/test_main.py::test_broken…"]
    assert not missing(says, done.out.splitlines()), done.text


@pytest.mark.registry
def test_the_demo_is_green_with_its_artifacts(place: Place, example: Callable[[str], Path]) -> None:
    done = ran(place, example("python-package"))
    assert done.code == 0, done.text
    (run_id,) = place.runs()
    shown = place.run("show", run_id).out
    for suite in ("unit", "integration"):
        assert f"artifact coverage-{suite}" in shown
    assert len(list((place.state / "runs" / run_id / "artifacts").glob("*.zip"))) == 2
