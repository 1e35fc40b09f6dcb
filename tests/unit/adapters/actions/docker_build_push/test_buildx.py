"""docker/build-push-action with Buildx: the command, and what comes of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.jobs import LocalJob
from tests.unit.adapters.actions.docker_build_push.parts import (
    BASE,
    BUILDER,
    DIGEST,
    IMAGE_ID,
    KnownImages,
    Run,
    asked,
    groups,
)
from trunkline.ports.actions import ActionFailed


class TestBuildx:
    """A job with Buildx: the command of the action, but for pushing."""

    def test_an_image_to_push_is_loaded_and_pushed_by_the_engine(
        self, run: Run, client: Path, images: KnownImages
    ) -> None:
        job = run(context=".", push="true", tags="ghcr.io/o/n:1")
        expected = ["buildx", "build", "--tag", "ghcr.io/o/n:1", "--load"]
        place = ["--file", f"{job.workspace}/Dockerfile", "--", str(job.workspace)]
        assert asked(client) == [*expected, *place]
        assert images.specs == []
        assert images.pushes == [("ghcr.io/o/n:1", None)]
        assert job.outputs["imageid"] == IMAGE_ID
        assert json.loads(job.outputs["metadata"])["containerimage.digest"] == DIGEST
        assert job.built == [(IMAGE_ID, "alpine:3", BASE)]
        assert "#1 building" in job.lines
        assert groups(job) == [
            *("Docker info", "Proxy configuration", "Buildx version", "Builder info"),
            *("ImageID", "Digest", "Metadata"),
        ]
        assert list(Path(job.layout.temp).glob("docker-actions-toolkit-*")) == []

    def test_every_input_becomes_a_flag(self, run: Run, client: Path) -> None:
        (client / "builder").write_text(BUILDER.replace("no\n", "true\n"))
        job = run(
            context=".",
            add_hosts="a:1.1.1.1",
            allow="network.host",
            annotations="k=a,b",
            attests="type=other",
            build_args="A=1,2",
            build_contexts="x=docker-image://y",
            cache_from="type=gha",
            cache_to="type=gha",
            call="check",
            cgroup_parent="c",
            labels="l=v",
            network="host",
            no_cache="true",
            no_cache_filters="one,two",
            outputs="type=docker",
            platforms="linux/amd64,linux/arm64",
            provenance="mode=max",
            pull="true",
            sbom="true",
            **{"secret-envs": "S=HOME"},
            shm_size="1g",
            ssh="default",
            target="t",
            ulimit="nproc=3",
            builder="b",
        )
        url = "https://github.com/octo/demo/actions/runs/7/attempts/1"
        assert asked(client)[2:] == [
            *("--add-host", "a:1.1.1.1", "--allow", "network.host", "--annotation", "k=a,b"),
            *("--build-arg", "A=1,2", "--cache-from", "type=gha", "--label", "l=v"),
            *("--no-cache-filter", "one", "--no-cache-filter", "two", "--ssh", "default"),
            *("--ulimit", "nproc=3", "--build-context", "x=docker-image://y"),
            *("--cache-to", "type=gha"),
            *("--attest", f"type=provenance,mode=max,builder-id={url}"),
            *("--attest", "type=sbom,disabled=false", "--attest", "type=other"),
            *("--secret", "id=S,env=HOME", "--output", "type=docker", "--call", "check"),
            *("--cgroup-parent", "c", "--file", f"{job.workspace}/Dockerfile"),
            *("--platform", "linux/amd64,linux/arm64", "--shm-size", "1g", "--target", "t"),
            *("--builder", "b", "--network", "host", "--no-cache", "--pull"),
            *("--", str(job.workspace)),
        ]
        assert job.annotations == []

    def test_secrets_are_files_for_as_long_as_the_build_takes(self, run: Run, client: Path) -> None:
        job = run(
            context=".",
            secrets='A=b,c=d\n"KEY=one\ntwo\n"\nbroken',
            **{"secret-files": "F=a.txt\nG=no"},
        )
        words = [word.partition(",")[0] for word in asked(client) if word.startswith("id=")]
        assert words == ["id=A", "id=KEY", "id=F"]
        assert job.masks == ["b,c=d", "one\ntwo\n"]
        assert (client / "secrets").read_text() == "b,c=d\none\ntwo\n\na\n\n"
        assert list(Path(job.layout.temp).glob("docker-actions-toolkit-*")) == []
        assert [message for _, message in job.annotations] == [
            "an entry of the input 'secrets' is not a valid secret",
            "secret file no not found",
        ]

    @pytest.mark.parametrize(
        ("private", "attested"), [(False, "mode=max"), (True, "mode=min,inline-only=true")]
    )
    def test_provenance_is_the_default_where_an_image_can_carry_it(
        self, run: Run, client: Path, attested: str, *, private: bool
    ) -> None:
        (client / "builder").write_text(BUILDER.replace("no\n", "true\n"))
        run({"event": {"repository": {"private": private}}}, context=".", push="true", tags="o/n")
        (told,) = [word for word in asked(client) if word.startswith("type=provenance")]
        assert told.startswith(f"type=provenance,{attested},builder-id=https://")

    @pytest.mark.parametrize("name", ["sbom", "provenance", "cache_to"])
    def test_what_an_engine_of_old_lacks_is_left_out_aloud(
        self, run: Run, client: Path, name: str
    ) -> None:
        job = run(context=".", **{name: "type=gha" if name == "cache_to" else "true"})
        assert not {"--attest", "--cache-to"}.intersection(asked(client))
        assert len(job.annotations) == 1

    def test_several_platforms_need_an_engine_that_keeps_them(self, run: Run, client: Path) -> None:
        with pytest.raises(ActionFailed, match="one platform at a time"):
            run(context=".", platforms="linux/amd64,linux/arm64", push="true", tags="o/n")
        assert not (client / "argv").exists()

    def test_a_failed_build_says_its_last_line(
        self, run: Run, client: Path, images: KnownImages
    ) -> None:
        (client / "code").write_text("3")
        (client / "trouble").write_text("noise\nERROR: failed to solve: exit code: 1\n\n")
        with pytest.raises(ActionFailed, match=r"^buildx failed with: ERROR: failed to solve"):
            run(context=".", push="true", tags="o/n")
        assert images.pushes == []

    def test_an_engine_that_buildx_can_not_reach_builds_itself(
        self, run: Run, client: Path, images: KnownImages
    ) -> None:
        (client / "inspect-code").write_text("1")
        run(context=".")
        assert len(images.specs) == 1

    def test_a_builder_that_was_asked_for_must_be_there(self, run: Run, client: Path) -> None:
        (client / "inspect-code").write_text("1")
        (client / "builder").write_text('ERROR: no builder "mine" found\n')
        with pytest.raises(ActionFailed, match='no builder "mine" found'):
            run(context=".", builder="mine")

    def test_an_old_buildx_is_told_what_it_lacks(
        self, run: Run, client: Path, job: LocalJob
    ) -> None:
        job.env["BUILDX_SAYS"] = "v0.7.0"
        run(context=".", annotations="a=b", build_contexts="x=y")
        assert [message for _, message in job.annotations] == [
            "Input 'annotations' is ignored: it is only supported by buildx >= 0.12.0.",
            "Input 'build-contexts' is ignored: it is only supported by buildx >= 0.8.0.",
        ]
        assert asked(client)[2] == "--file"

    def test_what_is_odd_in_the_dockerfile_is_told_where_it_stands(
        self, run: Run, client: Path, job: LocalJob
    ) -> None:
        def encoded(text: str) -> str:
            return base64.b64encode(text.encode()).decode()

        odd = {
            "short": encoded("StageNameCasing: Stage name 'A' should be lowercase (line 2)"),
            "detail": [encoded("Stage names, "), encoded("in lowercase: 100%")],
            "url": "https://docs.docker.com/x/",
            "sourceInfo": {"filename": "Dockerfile"},
            "range": [{"start": {"line": 2}, "end": {"line": 2}}],
        }
        nowhere = {"short": encoded("x"), "detail": [encoded("y")]}
        told = {"buildx.build.warnings": [odd, nowhere, {"short": "???"}]}
        (client / "metadata").write_text(json.dumps(told))
        run(context=".")
        (line,) = [line for line in job.lines if line.startswith("::warning")]
        assert line == (
            "::warning title=Stage names%2C  in lowercase%3A 100%25,file=Dockerfile,line=2::"
            "StageNameCasing: Stage name 'A' should be lowercase%0A"
            "More info: https://docs.docker.com/x/"
        )
        job.env["DOCKER_BUILD_CHECKS_ANNOTATIONS"] = "false"
        job.lines.clear()
        run(context=".")
        assert not [line for line in job.lines if line.startswith("::warning")]

    def test_the_digest_of_the_base_is_what_the_builder_resolved(
        self, run: Run, client: Path, job: LocalJob
    ) -> None:
        material = {
            "uri": "pkg:docker/alpine@3?platform=linux%2Famd64",
            "digest": {"sha256": "4" * 64},
        }
        told = {"buildx.build.provenance": {"materials": [material]}}
        (client / "metadata").write_text(json.dumps(told))
        run(context=".")
        assert job.built == [(IMAGE_ID, "alpine:3", f"sha256:{'4' * 64}")]
