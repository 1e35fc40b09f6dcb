"""Images that a registry gives to those alone who log in."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.docker_engine import RUN_LABEL, Engine
from tests.registry_shop import ALICE, WORD, Shop
from tests.repositories import repository

CONTAINER = """
    container:
      image: {image}{login}
    steps:
      - run: echo inside
"""
SERVICE = """
    services:
      db:
        image: {image}{login}
    steps:
      - run: echo inside
"""
ACTION = """
    steps:
      - uses: docker://{image}
        with: {{args: echo inside}}
"""
LOGIN = """
{0}credentials:
{0}  username: ${{{{ vars.NAME }}}}
{0}  password: ${{{{ secrets.WORD }}}}"""


@pytest.fixture
def private(guarded_shop: Shop, engine: Engine, busybox_image: str) -> Iterator[str]:
    """Yield the name of an image that the registry has, and the engine not any more."""
    name = f"{guarded_shop.address}/team/tool:{secrets.token_hex(4)}"
    login = ["docker", "login", "-u", ALICE, "--password-stdin", guarded_shop.address]
    guarded_shop.run(*login, stdin=WORD)
    engine.docker("tag", busybox_image, name)
    guarded_shop.run("docker", "--host", engine.host, "push", name)
    engine.docker("rmi", name)
    yield name
    if engine.docker("image", "ls", "--quiet", name):
        engine.docker("rmi", name)


def run(place: Place, rest: str, password: str = "") -> Done:
    """Run a job; with a password its user is Alice."""
    root = place.root / "demo"
    text = f"on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    timeout-minutes: 5{rest}"
    repository(root, {".github/workflows/ci.yml": text})
    given = ["--var", f"NAME={ALICE}", "--secret", "WORD"] if password else []
    done = place.run("run", "--plain", *given, cwd=root, env={"WORD": password})
    assert_no_traceback(done)
    return done


def written(form: str, image: str, *, login: bool = False) -> str:
    """Return a job's container, service or action; `login` gives it credentials."""
    indent = " " * (6 if form == CONTAINER else 8)
    return form.format(image=image, login=LOGIN.format(indent) if login else "")


@pytest.mark.parametrize("form", [CONTAINER, SERVICE, ACTION], ids=["job", "service", "action"])
def test_who_does_not_log_in_is_denied_and_told(
    docked: Place, engine: Engine, private: str, form: str
) -> None:
    done = run(docked, written(form, private))
    assert done.code == 1
    wanted = [
        f"test | ##[error]The image {private} can't be pulled: …",
        "test | It may be private (`credentials`, `docker login`), or its name is wrong. …",
    ]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert "test | inside" not in done.out
    assert "back off" not in done.out
    [run_id] = docked.runs()
    assert not engine.owned(f"{RUN_LABEL}={run_id}")


def test_a_wrong_password_is_told_and_not_shown(docked: Place, private: str) -> None:
    done = run(docked, written(CONTAINER, private, login=True), password="not-her-word")  # noqa: S106
    assert done.code == 1
    assert f"The image {private} can't be pulled: " in done.out
    assert "not-her-word" not in done.text
    assert "back off" not in done.out


@pytest.mark.parametrize("form", [CONTAINER, SERVICE], ids=["job", "service"])
def test_who_logs_in_has_it(docked: Place, private: str, form: str) -> None:
    done = run(docked, written(form, private, login=True), password=WORD)
    assert done.code == 0, done.text
    assert "test | inside" in done.out.splitlines()
    assert WORD not in done.text
