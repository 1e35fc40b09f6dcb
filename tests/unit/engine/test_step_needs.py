"""What a step needs, told by its text: words that count, words that do not, and what nobody can tell."""

from __future__ import annotations

import pytest

from trunkline.engine.instances import Instance
from trunkline.engine.scopes import Scope, SharedEnvironment
from trunkline.engine.step_needs import job_needs_engine, needs_services, speaks_of_engine
from trunkline.expr.template import Expression
from trunkline.ports.containers import ContainerSpec
from trunkline.workflow.model import Job, SessionStep, Text, WorkStep
from trunkline.workflow.parse import parse

PLAIN = ContainerSpec(image="alpine")


def instance_of(step: str) -> Instance:
    """Return a step as written, in a job of its own."""
    body = step.strip("\n").replace("\n", "\n        ")
    workflow, found = parse(
        f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - {body}\n", "ci.yml"
    )
    assert workflow is not None, found
    job = workflow.jobs[0]
    assert isinstance(job, Job)
    only = job.steps[0]
    assert isinstance(only, WorkStep)
    return Instance(only, Scope(SharedEnvironment({})))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("docker build .", True),
        ("DOCKER_HOST=x make", True),
        ("run: podman ps", True),
        ("pip install testcontainers", True),
        ("/var/run/docker.sock:/x", True),
        ("docker-compose up", True),
        ("hadolint Dockerfile", False),
        ("docker.io/library/python", False),
        ("hub.docker.com", False),
        ("dockerhub/login", False),
        ("make test", False),
    ],
)
def test_words_of_an_engine(text: str, *, answer: bool) -> None:
    assert speaks_of_engine(text) is answer


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("run: docker ps", True),
        ("run: echo 'docker is not here'", True),  # a word in a string counts
        ("run: |\n  # no docker here\n  make test", False),
        ("run: |\n  # tag ${{ github.ref }} for docker\n  echo '${{ github.sha }}'", False),
        ("run: |\n  # ${{ github.ref }}\n  docker push '${{ github.sha }}'", True),
        ("run: ./build.sh", False),  # whatever is in there: decision 0010
        ("uses: docker/login-action@v3", True),
        ("uses: docker://alpine", False),
        ("uses: octo/any@v1\nwith: {run: podman ps}", True),
        ("uses: octo/any@v1\nwith: {file: Dockerfile}", False),
    ],
)
def test_steps_that_need_the_engine(step: str, *, answer: bool) -> None:
    assert job_needs_engine(PLAIN, [instance_of(step)]) is answer


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        (PLAIN, False),
        (ContainerSpec(image="docker:cli"), False),
        (ContainerSpec(image="x", options="-v /var/run/docker.sock:/d"), True),
        (ContainerSpec(image="x", volumes=("/var/run/docker.sock:/d",)), True),
    ],
)
def test_containers_that_need_the_engine(spec: ContainerSpec, *, answer: bool) -> None:
    assert job_needs_engine(spec, []) is answer


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("run: git push", True),
        ("run: git -C site fetch --all", True),
        ("run: git commit -m x; echo push", False),
        ("run: |\n  git add .\n  ./push", False),
        ("run: |\n  git add '${{ github.ref }}'\n  ./push", False),
        ("run: |\n  # then git push\n  make", False),
        ("run: ./release.sh", False),
        ("run: ./release.sh\nenv: {GITHUB_TOKEN: '${{ github.token }}'}", True),
        ("run: ./release.sh\nenv: {ANY: '${{ secrets.GITHUB_TOKEN }}'}", True),
        ("run: curl $GITHUB_API_URL", True),
        ("run: curl '${{ github.graphql_url }}'", True),
        ("run: 'true'\nif: github.api_url != ''", True),
        ("run: echo $MY_URL", False),
        ("uses: octo/any@v1\nwith: {url: '${{ github.api_url }}'}", True),
        ("uses: octo/any@v1\nwith: {script: git push}", False),  # actions have them anyway
    ],
)
def test_steps_that_need_the_services(step: str, *, answer: bool) -> None:
    assert needs_services(instance_of(step)) is answer


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        (["make", "git push"], True),
        (["# git push", "make"], False),
        (["git add .", "./push"], False),
        (["curl $GITHUB_API_URL"], True),
    ],
)
def test_phases_that_need_the_services(commands: list[str], *, answer: bool) -> None:
    texts = tuple(map(Text, commands))
    for first, last in ((texts, ()), ((), texts)):
        phase = SessionStep(
            id="build",
            phase="BUILD",
            condition=Expression("success()"),
            commands=first,
            finally_=last,
        )
        assert needs_services(Instance(phase, Scope(SharedEnvironment({})))) is answer
