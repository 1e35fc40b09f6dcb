"""docker/build-push-action: what is sent to the builder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import commit, git, repository, write
from tests.unit.adapters.actions.docker_build_push.parts import (
    DOCKERFILE,
    KnownImages,
    Run,
    asked,
    call,
)
from trunkline.adapters.actions.docker_build_push.action import DockerBuildPush
from trunkline.adapters.actions.docker_build_push.contexts import GitContext, git_context
from trunkline.ports.actions import ActionFailed


class TestContext:
    """What is sent to the builder."""

    @pytest.fixture(autouse=True)
    def mine(self, tmp_path: Path) -> Path:
        made = repository(tmp_path / "mine", {"Dockerfile": DOCKERFILE, "sub/x.txt": "1\n"})
        write(made, {"sub/x.txt": "uncommitted\n"})
        return made

    def contents(self, images: KnownImages) -> dict[str, str]:
        root = Path(images.specs[-1].context)
        return {
            str(path.relative_to(root)): path.read_text()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def test_without_one_it_is_the_repository_as_it_is_on_disk(
        self, run: Run, images: KnownImages, job: LocalJob
    ) -> None:
        run()
        assert self.contents(images) == {"Dockerfile": DOCKERFILE, "sub/x.txt": "uncommitted\n"}
        assert images.specs[0].dockerfile == f"{images.specs[0].context}/Dockerfile"
        assert images.specs[0].context.startswith(job.layout.temp)

    @pytest.mark.parametrize("ref", ["first", "refs/tags/first"])
    def test_a_ref_of_the_repository_is_a_commit(
        self, run: Run, images: KnownImages, mine: Path, ref: str
    ) -> None:
        git(mine, "tag", "first")
        commit(mine, {"later.txt": "2\n"}, "second")
        run(context=f"https://github.com/octo/demo.git#{ref}")
        assert self.contents(images) == {"Dockerfile": DOCKERFILE, "sub/x.txt": "1\n"}

    def test_only_commits_when_that_was_asked_for(
        self, job: LocalJob, images: KnownImages, tmp_path: Path
    ) -> None:
        place = world(tmp_path, tmp_path / "mine", committed=True)
        DockerBuildPush(place).main(call(job), job)
        assert self.contents(images)["sub/x.txt"] == "1\n"

    @pytest.mark.parametrize("ref", ["nothing", "--all", "f" * 40])
    def test_a_ref_that_is_not_there_is_told(self, run: Run, ref: str) -> None:
        with pytest.raises(ActionFailed, match=f"couldn't find remote ref {ref}"):
            run(context=f"https://github.com/octo/demo.git#{ref}")

    def test_a_folder_of_the_repository(self, run: Run, images: KnownImages) -> None:
        run(context="{{ defaultContext }}:sub", file="x.txt")
        assert self.contents(images) == {"x.txt": "uncommitted\n"}
        assert images.specs[0].dockerfile == f"{images.specs[0].context}/x.txt"

    @pytest.mark.parametrize(
        "context", ["{{defaultContext}}:../..", "{{defaultContext}}:a/../../b"]
    )
    def test_a_folder_outside_is_refused(self, run: Run, context: str) -> None:
        with pytest.raises(ActionFailed, match="outside of the build's context"):
            run(context=context)

    def test_an_address_of_another_server_takes_buildx(self, run: Run) -> None:
        with pytest.raises(ActionFailed, match=r"can't be fetched: .*Buildx"):
            run(context="https://example.com/o/n.git#main")

    def test_buildx_fetches_such_an_address_itself(self, run: Run, client: Path) -> None:
        run(context="https://example.com/o/n.git#main", file="x/Dockerfile")
        assert asked(client)[-4:] == [
            *("--file", "x/Dockerfile", "--", "https://example.com/o/n.git#main"),
        ]

    @pytest.mark.parametrize(
        ("context", "found"),
        [
            ("https://github.com/o/n.git", GitContext("o/n", "", "")),
            ("https://github.com/o/n.git#v1:a/b", GitContext("o/n", "v1", "a/b")),
            ("https://github.com/o/n.git?ref=v1&subdir=a", GitContext("o/n", "v1", "a")),
            ("github.com/o/n#main", GitContext("o/n", "main", "")),
            ("https://github.com/o/n", None),
            ("https://example.com/o/n.git", None),
            ("git@github.com:o/n.git", None),
        ],
    )
    def test_addresses_of_the_server_are_read(
        self, job: LocalJob, context: str, found: GitContext | None
    ) -> None:
        assert git_context(context, call(job)) == found
