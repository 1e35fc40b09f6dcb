"""Docker actions on a real engine: built and pulled, with GitHub's folders, variables and stages."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import yaml

from tests.commands import Done, Place, assert_no_traceback, missing
from tests.repositories import repository, write

CHECKOUT: dict[str, Any] = {"uses": "actions/checkout@v4"}
SHOW = """\
#!/bin/sh
echo "args: $#: $*"
echo "user $(id -u) in $PWD, home $HOME"
echo "who $INPUT_WHO, from $FROM_ACTION, step $STEP, job $JOB"
echo "workspace $GITHUB_WORKSPACE, temp $RUNNER_TEMP, event $GITHUB_EVENT_PATH"
grep -q repository "$GITHUB_EVENT_PATH" && echo event is there
cat committed.txt
echo from-action > "$GITHUB_WORKSPACE/made.txt"
echo temporary > "$RUNNER_TEMP/temporary.txt"
echo at home > "$HOME/kept.txt"
echo "said=hello $INPUT_WHO" >> "$GITHUB_OUTPUT"
echo "LATER=from docker" >> "$GITHUB_ENV"
echo "$GITHUB_WORKSPACE/bin" >> "$GITHUB_PATH"
echo "# Summary of $INPUT_WHO" >> "$GITHUB_STEP_SUMMARY"
echo "::warning file=/github/workspace/committed.txt,line=1::look here"
"""
ACTION = """\
name: Show
inputs:
  who: {description: whom to greet, default: world}
outputs:
  said: {description: what was said}
runs:
  using: docker
  image: Dockerfile
  args: ["--name", "${{ inputs.who }}", "two words"]
  env: {FROM_ACTION: "${{ inputs.who }}"}
"""


def workflow(steps: list[dict[str, Any]], **job: Any) -> str:
    """Return a workflow of one job, `test`."""
    jobs = {"test": {"runs-on": "ubuntu-latest", "timeout-minutes": 5, **job, "steps": steps}}
    return yaml.safe_dump({"on": "push", "jobs": jobs}, sort_keys=False)


def dockerfile(image: str, script: str = "/main.sh") -> str:
    """Return a Dockerfile that puts `*.sh` into an image, and runs one.

    Tests beside each other must not share layers: what one removes the other may be building on.
    """
    own = f"FROM {image}\nLABEL test={uuid.uuid1()}\n"
    return f'{own}COPY *.sh /\nRUN chmod +x /*.sh\nENTRYPOINT ["{script}"]\n'


def run(place: Place, steps: list[dict[str, Any]], files: dict[str, str], **job: Any) -> Done:
    """Run a workflow to its end."""
    root = place.root / "demo"
    repository(root, {".github/workflows/ci.yml": workflow(steps, **job), **files})
    done = place.run("run", "--plain", cwd=root)
    assert_no_traceback(done)
    return done


def assert_says(done: Done, *wanted: str) -> None:
    lines = [line.rstrip() for line in done.out.splitlines()]
    absent = missing([f"test | {line}" for line in wanted], lines)
    assert not absent, "\n".join([*absent, "in:", *lines])


@pytest.mark.parametrize("inside", [False, True], ids=["host", "container"])
def test_a_local_action(docked: Place, busybox_image: str, *, inside: bool):
    steps = [
        CHECKOUT,
        {
            "id": "show",
            "uses": "./.github/show",
            "with": {"who": "Ada"},
            "env": {"STEP": "here"},
        },
        {"name": "After", "run": 'echo "${{ steps.show.outputs.said }}, $LATER, $PATH"'},
        {"run": 'cat made.txt "$RUNNER_TEMP/temporary.txt" "$HOME/kept.txt"'},
    ]
    files = {
        "committed.txt": "committed\n",
        ".github/show/action.yml": ACTION,
        ".github/show/Dockerfile": dockerfile(busybox_image),
        ".github/show/main.sh": SHOW,
    }
    job = {"container": busybox_image} if inside else {}
    done = run(docked, steps, files, env={"JOB": "mine"}, **job)
    assert done.code == 0, done.text
    assert_says(
        done,
        "##[group]Building docker image",
        "args: 3: --name Ada two words",
        "user 0 in /github/workspace, home /github/home",
        "who Ada, from Ada, step here, job mine",
        "workspace /github/workspace, temp /github/runner_temp, event /github/workflow/event.json",
        "event is there",
        "committed",
        "##[warning]look here",
        "hello Ada, from docker, /github/workspace/bin:…",
        "from-action",
        "temporary",
        "at home",
    )


def test_a_remote_action_with_all_its_stages(docked: Place, busybox_image: str):
    action = docked.root / "action"
    script = '#!/bin/sh\necho "$0 $STATE_from $*"\n'
    write(
        action,
        {
            "action.yml": (
                "runs: {using: docker, image: docker/Dockerfile, pre-entrypoint: /pre.sh,\n"
                "  entrypoint: /main.sh, post-entrypoint: /post.sh, args: [x]}\n"
            ),
            "docker/Dockerfile": dockerfile(busybox_image, "/never.sh"),
            "docker/pre.sh": script + "echo from=pre >> $GITHUB_STATE\n",
            "docker/main.sh": script + "echo from=main >> $GITHUB_STATE; exit 7\n",
            "docker/post.sh": script,
        },
    )
    root = docked.root / "demo"
    steps = [{"name": "First", "run": "echo first"}, {"uses": "octo/stages@v1"}]
    repository(root, {".github/workflows/ci.yml": workflow(steps)})
    given = ("--local-repository", f"octo/stages={action}")
    done = docked.run("run", "--plain", *given, cwd=root)
    assert done.code == 1, done.text
    wanted = ("/pre.sh  x", "first", "/main.sh pre x", "Post job cleanup.", "/post.sh main x")
    assert_says(done, *wanted)


def test_an_image_of_another_user_reads_the_event_and_the_workspace(
    docked: Place, busybox_image: str
):
    script = '#!/bin/sh\nid -u; cat committed.txt; grep -c "\\"repository\\"" $GITHUB_EVENT_PATH\n'
    files = {
        "act/action.yml": "runs: {using: docker, image: Dockerfile}\n",
        "act/Dockerfile": dockerfile(busybox_image) + "USER 1234\n",
        "act/main.sh": script,
        "committed.txt": "committed\n",
    }
    done = run(docked, [CHECKOUT, {"uses": "./act"}], files)
    assert done.code == 0, done.text
    assert_says(done, "1234", "committed", "1")


def test_an_image_by_name(docked: Place, busybox_image: str):
    image = f"docker://{busybox_image}"
    steps = [
        CHECKOUT,
        {"uses": image, "with": {"args": 'sh -c "echo one  two; pwd; ls"'}},
        {"uses": image, "with": {"entrypoint": "/bin/echo", "args": "a 'b c' \"d e\""}},
        {"uses": image, "with": {"args": "false"}, "continue-on-error": True},
        {"uses": image, "with": {"args": "/no/such/program"}},
    ]
    done = run(docked, steps, {"committed.txt": ""})
    assert done.code == 1, done.text
    assert_says(done, "one two", "/github/workspace", "committed.txt", "a 'b c' d e")
    assert "/no/such/program" in done.text


def test_services_are_in_reach(docked: Place, busybox_image: str, redis_image: str):
    steps = [
        {
            "uses": f"docker://{busybox_image}",
            "with": {"args": "sh -c \"printf 'PING\\r\\nQUIT\\r\\n' | nc -w 60 redis 6379\""},
        }
    ]
    options = "--health-cmd 'redis-cli ping' --health-interval 1s --health-retries 60"
    services = {"redis": {"image": redis_image, "options": options}}
    done = run(docked, steps, {}, services=services)
    assert done.code == 0, done.text
    assert_says(done, "+PONG")


def test_a_dockerfile_that_fails(docked: Place, busybox_image: str):
    steps = [CHECKOUT, {"uses": "./act"}, {"if": "always()", "run": "echo after"}]
    done = run(docked, steps, {"act/Dockerfile": f"FROM {busybox_image}\nRUN exit 9\n"})
    assert done.code == 1, done.text
    assert_says(done, "##[group]Building docker image", "after")
    assert "returned a non-zero code: 9" in done.text


def test_the_objects_that_a_checkout_borrows_are_seen_but_not_written(
    docked: Place, busybox_image: str
):
    script = "cd $(cat .git/objects/info/alternates) && ls | wc -w && ! touch new"
    steps = [
        CHECKOUT,
        {"uses": f"docker://{busybox_image}", "with": {"args": f'sh -c "{script}"'}},
    ]
    done = run(docked, steps, {"a": "1"})
    assert done.code == 0, done.text
    assert_says(done, "touch: new: Read-only file system")


def test_it_is_stopped_when_its_time_is_up(docked: Place, busybox_image: str):
    loop = "sh -c \"trap 'echo told; exit 3' INT; echo up; while :; do sleep 0.2; done\""
    step = {
        "uses": f"docker://{busybox_image}",
        "with": {"args": loop},
        "timeout-minutes": "${{ fromJSON(vars.MINUTES) }}",
    }
    root = repository(docked.root / "demo", {".github/workflows/ci.yml": workflow([step])})

    def stopped_after(minutes: float) -> Done:
        done = docked.run("run", "--plain", "--var", f"MINUTES={minutes}", cwd=root)
        assert done.code == 1, done.text
        assert f"has timed out after {minutes} minutes." in done.text
        return done

    # A busy machine may take longer than three seconds until the container is up.
    tries = map(stopped_after, (0.05, 0.5, 1.5))
    done = next((done for done in tries if "test | up" in done.out.splitlines()), None)
    assert done is not None
    assert_says(done, "up", "told")
