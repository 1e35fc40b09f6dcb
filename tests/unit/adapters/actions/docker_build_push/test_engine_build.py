"""docker/build-push-action without Buildx: what the engine is asked, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import LocalJob, world
from tests.unit.adapters.actions.docker_build_push.parts import (
    BASE,
    DIGEST,
    IMAGE_ID,
    KnownImages,
    Run,
    call,
    groups,
)
from trunkline.adapters.actions.docker_build_push.action import DockerBuildPush
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionFailed
from trunkline.ports.containers import BuildSpec


class TestEngine:
    """A job without Buildx: the engine's own builder."""

    def test_an_image_is_built_and_pushed_under_every_tag(
        self, run: Run, images: KnownImages
    ) -> None:
        job = run(context=".", push="true", tags="ghcr.io/o/n:1,ghcr.io/o/n:latest")
        (spec,) = images.specs
        assert spec.context == str(job.workspace)
        assert spec.dockerfile == f"{job.workspace}/Dockerfile"
        assert spec.tags == ("ghcr.io/o/n:1", "ghcr.io/o/n:latest")
        assert images.pushes == [("ghcr.io/o/n:1", None), ("ghcr.io/o/n:latest", None)]
        assert images.meant == [IMAGE_ID, IMAGE_ID]
        assert job.outputs["imageid"] == IMAGE_ID
        assert job.outputs["digest"] == DIGEST
        assert json.loads(job.outputs["metadata"]) == {
            "containerimage.config.digest": IMAGE_ID,
            "containerimage.digest": DIGEST,
            "image.name": "ghcr.io/o/n:1,ghcr.io/o/n:latest",
        }
        assert job.built == [(IMAGE_ID, "alpine:3", BASE)]
        assert groups(job) == [
            "Docker info",
            "Proxy configuration",
            "ImageID",
            "Digest",
            "Metadata",
        ]

    def test_every_input_that_the_builder_has_reaches_it(
        self, run: Run, images: KnownImages
    ) -> None:
        job = run(
            context="sub/..",
            file="a.txt",
            build_args='A=1,2\nB\nFROM_ENV\n"C=x\ny"',
            labels="l=v\nempty",
            target="t",
            platforms="linux/amd64",
            network="host",
            no_cache="true",
            pull="true",
            cache_from="o/n:cache\ntype=registry,ref=o/n:more\n",
            add_hosts="a:1.1.1.1,b:2.2.2.2",
            ulimit="nofile=1:2\nnproc=3",
            shm_size="2g",
            cgroup_parent="/c",
        )
        (spec,) = images.specs
        assert spec == BuildSpec(
            context=str(job.workspace),
            dockerfile=f"{job.workspace}/a.txt",
            args={"A": "1,2", "C": "x\ny"},
            labels={"l": "v", "empty": ""},
            target="t",
            platform="linux/amd64",
            network="host",
            no_cache=True,
            pull=True,
            cache_from=("o/n:cache", "o/n:more"),
            add_hosts=("a:1.1.1.1", "b:2.2.2.2"),
            ulimits=("nofile=1:2", "nproc=3"),
            shm_size=2 << 30,
            cgroup_parent="/c",
        )
        assert job.annotations == []
        assert job.outputs["digest"] == IMAGE_ID

    def test_an_argument_without_a_value_comes_from_the_environment(
        self, run: Run, job: LocalJob, images: KnownImages
    ) -> None:
        job.env["KEY"] = "t"
        run(context=".", build_args="KEY\nNOTHING\nBASE=debian:12")
        assert images.specs[0].args == {"KEY": "t", "BASE": "debian:12"}
        assert job.built == [(IMAGE_ID, "debian:12", "sha256:d")]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("provenance", "mode=max"),
            ("sbom", "true"),
            ("attests", "type=sbom"),
            ("annotations", "a=b"),
            ("cache_to", "type=gha,mode=max"),
            ("cache_from", "type=gha"),
            ("builder", "mine"),
        ],
    )
    def test_what_is_only_added_is_left_out_aloud(
        self, run: Run, images: KnownImages, name: str, value: str
    ) -> None:
        job = run(context=".", **{name: value})
        assert len(images.specs) == 1
        ((level, message),) = job.annotations
        assert level == "warning"
        assert message.startswith(f"Input '{name.replace('_', '-')}' is ignored:")

    @pytest.mark.parametrize("name", ["provenance", "sbom"])
    def test_what_is_switched_off_needs_no_warning(
        self, run: Run, images: KnownImages, name: str
    ) -> None:
        assert run(context=".", **{name: "false"}).annotations == []
        assert len(images.specs) == 1

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("secrets", "A=b"),
            ("secret_envs", "A=B"),
            ("secret_files", "A=a.txt"),
            ("ssh", "default"),
            ("build_contexts", "x=y"),
            ("call", "check"),
            ("outputs", "type=local,dest=out"),
            ("outputs", "out"),
            ("outputs", "type=docker,dest=i.tar"),
            ("outputs", "type=image,name=o/n,push-by-digest=true,push=true"),
            ("platforms", "linux/amd64,linux/arm64"),
        ],
    )
    def test_what_would_make_another_result_fails(
        self, run: Run, images: KnownImages, name: str, value: str
    ) -> None:
        with pytest.raises(ActionFailed, match=f"Input '{name.replace('_', '-')}': .*Buildx"):
            run(context=".", **{name: value})
        assert images.specs == []

    def test_an_exporter_can_say_what_is_pushed(self, run: Run, images: KnownImages) -> None:
        run(context=".", outputs='type=image,"name=o/n:1,o/n:2",push=true', tags="o/n:0")
        assert [name for name, _ in images.pushes] == ["o/n:0", "o/n:1", "o/n:2"]

    def test_a_push_needs_a_tag(self, run: Run, images: KnownImages) -> None:
        with pytest.raises(ActionFailed, match="tag is needed when pushing to registry"):
            run(context=".", push="true")
        assert images.specs == []

    def test_a_failed_build_pushes_nothing(self, run: Run, images: KnownImages) -> None:
        images.trouble = "The command '/bin/sh -c false' returned a non-zero code: 1"
        with pytest.raises(Unavailable, match="non-zero code"):
            run(context=".", push="true", tags="o/n:1")
        assert images.pushes == []

    @pytest.mark.parametrize(
        ("key", "tag"), [("ghcr.io", "ghcr.io/o/n:1"), ("https://index.docker.io/v1/", "o/n:1")]
    )
    def test_pushes_use_the_login_of_the_job(
        self, run: Run, job: LocalJob, images: KnownImages, key: str, tag: str
    ) -> None:
        config = {
            "auths": {key: {"auth": "b2N0bzpzZWNyZXQ="}},
            "proxies": {"default": {"httpProxy": "p"}},
        }
        job.sandbox.put(f"{job.layout.home}/.docker/config.json", json.dumps(config).encode())
        run(context=".", push="true", tags=tag)
        ((_, login),) = images.pushes
        assert login is not None
        assert (login.username, login.password) == ("octo", "secret")
        assert login.server == ("ghcr.io" if "ghcr" in tag else "")
        assert "httpProxy: p" in job.lines


class TestSummary:
    """The job summary."""

    def post(self, job: LocalJob, tmp_path: Path) -> str:
        DockerBuildPush(world(tmp_path, tmp_path)).post(call(job), job)
        path = Path(job.env["GITHUB_STEP_SUMMARY"])
        return path.read_text() if path.exists() else ""

    def test_it_tells_what_was_built(self, run: Run, job: LocalJob, tmp_path: Path) -> None:
        run(context=".", push="true", tags="o/n:1\no/n:2", **{"github-token": "t0ken"})
        told = self.post(job, tmp_path)
        assert "| Image | `o/n:1`, `o/n:2` |" in told
        assert f"| Digest | `{DIGEST}` |" in told
        assert "| Platform | `linux/amd64` |" in told
        assert f"| Base image | `alpine:3@{BASE}` |" in told
        assert "| Pushed to | the local registry |" in told
        assert "| Status | :white_check_mark: completed |" in told
        assert "tags: |\n  o/n:1\n  o/n:2" in told
        assert "t0ken" not in told

    def test_it_tells_why_a_build_failed(
        self, run: Run, job: LocalJob, images: KnownImages, tmp_path: Path
    ) -> None:
        images.trouble = "no | space"
        with pytest.raises(Unavailable):
            run(context=".")
        assert "| Status | :x: no \\| space |" in self.post(job, tmp_path)

    @pytest.mark.usefixtures("client")
    def test_secrets_are_named_only(self, run: Run, job: LocalJob, tmp_path: Path) -> None:
        run(context=".", secrets="A=hidden")
        told = self.post(job, tmp_path)
        assert "secrets: A" in told
        assert "hidden" not in told

    def test_it_can_be_switched_off(self, run: Run, job: LocalJob, tmp_path: Path) -> None:
        job.env["DOCKER_BUILD_SUMMARY"] = "false"
        run(context=".")
        assert self.post(job, tmp_path) == ""
