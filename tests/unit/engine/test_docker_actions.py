"""What a Docker action's container is given: its command line, its paths, whether it gets the engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.engine.action_images import is_dockerfile
from trunkline.engine.job_containers import registry_of
from trunkline.engine.kind_docker import command_line, mounts_of
from trunkline.engine.mounted_paths import moved, turned
from trunkline.ports.containers import ActionRun
from trunkline.ports.sandbox import Layout
from trunkline.run.shells import split_arguments

LAYOUT = Layout(
    workspace="/w/cat/cat",
    runner_workspace="/w/cat",
    temp="/w/_temp",
    tool_cache="/t",
    actions="/w/_actions",
    home="/w/_temp/_github_home",
    file_commands="/w/_temp/_runner_file_commands",
    event_path="/w/_temp/_github_workflow/event.json",
    os="Linux",
    arch="X64",
    name="here",
    tracking_id="github_1",
    env={},
)
MOUNTS = mounts_of(LAYOUT)


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        ("/w/cat/cat", "/github/workspace"),
        ("/w/cat/cat/src/a", "/github/workspace/src/a"),
        ("/w/cat/cats", "/w/cat/cats"),
        ("/w/_temp", "/github/runner_temp"),
        ("/w/_temp/x", "/github/runner_temp/x"),
        ("/w/_temp/_github_home/.npmrc", "/github/home/.npmrc"),
        ("/w/_temp/_github_workflow/event.json", "/github/workflow/event.json"),
        ("/w/_temp/_runner_file_commands/set_env_1", "/github/file_commands/set_env_1"),
        ("see /w/cat/cat", "see /w/cat/cat"),
        ("/w/cat", "/w/cat"),
        ("", ""),
    ],
)
def test_paths_of_mounted_folders_become_the_container_s(value: str, inside: str) -> None:
    assert moved(value, MOUNTS) == inside


@given(st.text(alphabet="abc/._", max_size=30))
def test_what_is_moved_comes_back(below: str) -> None:
    path = f"{LAYOUT.workspace}/{below}"
    assert moved(moved(path, MOUNTS), turned(MOUNTS)) == path


def test_the_command_line_could_be_typed() -> None:
    action = ActionRun(
        image="sha256:1",
        name="cat_1",
        env={"B": "secret", "A": "1"},
        workdir="/github/workspace",
        mounts=(("/w", "/github/workspace"),),
        entrypoint="/main.sh",
        args=("two words", 'a "quote"', ""),
    )
    assert command_line(action) == (
        'docker run --name cat_1 --workdir /github/workspace --rm -e "A" -e "B" '
        '--entrypoint "/main.sh" -v "/w":"/github/workspace" sha256:1 '
        '"two words" "a \\"quote\\"" ""'
    )


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("", []),
        ("one two\tthree", ["one", "two", "three"]),
        ('-c "echo  hi"', ["-c", "echo  hi"]),
        ("echo 'a b'", ["echo", "'a", "b'"]),
        ('say \\"hi\\" ""', ["say", '"hi"', ""]),
        ("a\nb c", ["a\nb", "c"]),
    ],
)
def test_arguments_are_split_as_github_does(line: str, argv: list[str]) -> None:
    assert split_arguments(line) == argv


@pytest.mark.parametrize(
    ("image", "answer"),
    [
        ("Dockerfile", True),
        ("docker/dockerfile", True),
        ("./Dockerfile.action", True),
        ("alpine.Dockerfile", True),
        ("alpine", False),
        ("Dockerfiles", False),
        ("docker://alpine", False),
    ],
)
def test_what_is_a_dockerfile(image: str, *, answer: bool) -> None:
    assert is_dockerfile(image) is answer


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("alpine", ""),
        ("octo/cat:1", ""),
        ("docker.io/library/alpine", ""),
        ("ghcr.io/octo/cat", "ghcr.io"),
        ("localhost/cat", "localhost"),
        ("registry:5000/cat", "registry:5000"),
    ],
)
def test_the_registry_of_an_image(image: str, registry: str) -> None:
    assert registry_of(image) == registry
