"""docker/build-push-action: what is asked of Buildx or the engine, and what comes of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import commit, git, repository, write
from trunkline.adapters.actions.docker_build_push.action import DockerBuildPush
from trunkline.adapters.actions.docker_build_push.contexts import GitContext, git_context
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionCall, ActionFailed
from trunkline.ports.containers import BuildSpec, ImageFacts, ImagePush, Login, Watch

IMAGE_ID = f"sha256:{'1' * 64}"
DIGEST = f"sha256:{'2' * 64}"
BASE = f"sha256:{'3' * 64}"
GITHUB: dict[str, Any] = {
    "server_url": "https://github.com",
    "repository": "octo/demo",
    "run_id": "7",
    "run_attempt": "1",
    "ref": "refs/heads/main",
    "sha": "",
    "event": {},
}
DOCKERFILE = "ARG BASE=alpine:3\nFROM ${BASE}\nCOPY a.txt /\n"

# Stands in for Docker's client: it says what BUILDER tells it to, and writes down what it is asked.
CLIENT = """\
#!/bin/sh
case "$1 $2" in
  "buildx version") echo github.com/docker/buildx $BUILDX_SAYS ;;
  "buildx inspect") cat "$HERE/builder"; exit "$(cat "$HERE/inspect-code")" ;;
  "buildx build")
    printf '%s\\0' "$@" >"$HERE/argv"
    while [ $# -gt 0 ]; do
      case "$1" in
        --iidfile) printf IID >"$2" ;;
        --metadata-file) cp "$HERE/metadata" "$2" ;;
        --secret) cat "${2##*src=}" >>"$HERE/secrets" 2>/dev/null; echo >>"$HERE/secrets" ;;
      esac
      shift
    done
    echo "#1 building"; cat "$HERE/trouble" >&2; exit "$(cat "$HERE/code")" ;;
  *) echo "docker $1" ;;
esac
"""
BUILDER = """\
Name:   default
Driver: docker

Nodes:
Name:             default
Endpoint:         default
BuildKit version: v0.21.0
Features:
 Cache export:         no
 Multi-platform build: no
"""


class KnownImages:
    """The engine's images as an action sees them; it keeps what it was asked."""

    def __init__(self) -> None:
        self.specs: list[BuildSpec] = []
        self.pushes: list[tuple[str, Login | None]] = []
        self.trouble = ""

    def build(self, spec: BuildSpec, watch: Watch) -> ImageFacts:
        self.specs.append(spec)
        watch.tell("Step 1/1 : FROM alpine")
        if self.trouble:
            raise Unavailable(self.trouble)
        return ImageFacts(id=IMAGE_ID)

    def push(self, reference: str, login: Login | None, watch: Watch) -> ImagePush:
        self.pushes.append((reference, login))
        watch.tell(f"The push refers to repository [{reference}]")
        return ImagePush(reference=reference, digest=DIGEST, kept_as=reference, image_id=IMAGE_ID)

    def inspect(self, reference: str) -> ImageFacts | None:
        if reference == IMAGE_ID:
            return ImageFacts(id=IMAGE_ID, os="linux", architecture="amd64")
        if reference == "alpine:3":
            return ImageFacts(id="sha256:a", digests=(f"alpine@{BASE}",))
        return None


class Containers:
    """A job's containers, of which an action uses the images."""

    def __init__(self, images: KnownImages) -> None:
        self.images = images


class Place:
    """A sandbox with an engine."""

    def __init__(self, inner: Any, images: KnownImages) -> None:
        self._inner = inner
        self.containers = Containers(images)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def images(job: LocalJob, tmp_path: Path) -> KnownImages:
    known = KnownImages()
    job.sandbox = Place(job.sandbox, known)  # type: ignore[assignment]
    write(job.workspace, {"Dockerfile": DOCKERFILE, "a.txt": "a\n"})
    job.env["PATH"] = without_docker(tmp_path / "tools")
    job.env["GITHUB_STEP_SUMMARY"] = f"{job.layout.temp}/summary"
    return known


def without_docker(folder: Path) -> str:
    """Return a search path of the tools that the action's scripts use: Docker is not among them."""
    folder.mkdir()
    for name in ("sh", "cat", "cp", "rm", "tee", "mktemp", "git"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


@pytest.fixture
def client(job: LocalJob, run: Run, tmp_path: Path) -> Path:
    """Give the job a Docker client that follows a script; return where the script keeps things."""
    del run  # the job's PATH is set
    here = tmp_path / "client"
    here.mkdir()
    program = here / "docker"
    program.write_text(CLIENT.replace("IID", IMAGE_ID))
    program.chmod(0o755)
    metadata = {"buildx.build.ref": "default/default/x", "containerimage.digest": IMAGE_ID}
    files = {"builder": BUILDER, "inspect-code": "0", "code": "0", "trouble": ""}
    for name, text in {**files, "metadata": json.dumps(metadata)}.items():
        (here / name).write_text(text)
    job.env |= {"PATH": f"{here}:{job.env['PATH']}", "HERE": str(here), "BUILDX_SAYS": "v0.29.1"}
    return here


Run = Callable[..., LocalJob]


@pytest.fixture
def run(job: LocalJob, images: KnownImages, tmp_path: Path) -> Run:
    """Return what performs the action's main stage."""
    del images  # the job has an engine

    def main(github: Mapping[str, Any] | None = None, **inputs: str) -> LocalJob:
        action = DockerBuildPush(world(tmp_path, tmp_path / "mine"))
        action.main(call(job, github, **inputs), job)
        return job

    return main


def call(job: LocalJob, github: Mapping[str, Any] | None = None, **inputs: str) -> ActionCall:
    return job.call("docker/build-push-action@v6", {**GITHUB, **(github or {})}, **inputs)


def asked(client: Path) -> list[str]:
    """Return the command that Buildx was given, without where its own files are."""
    argv = (client / "argv").read_text().split("\0")[:-1]
    hidden = ("--iidfile", "--metadata-file")
    return [
        word for at, word in enumerate(argv) if word not in hidden and argv[at - 1] not in hidden
    ]


def groups(job: LocalJob) -> list[str]:
    return [line[9:] for line in job.lines if line.startswith("##[group]")]


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
        assert job.built == [(IMAGE_ID, "debian:12", "")]

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


class TestSummary:
    """The job summary."""

    def post(self, job: LocalJob, tmp_path: Path) -> str:
        DockerBuildPush(world(tmp_path, tmp_path)).post(call(job), job)
        path = Path(job.env["GITHUB_STEP_SUMMARY"])
        return path.read_text() if path.exists() else ""

    def test_it_tells_what_was_built(self, run: Run, job: LocalJob, tmp_path: Path) -> None:
        run(context=".", push="true", tags="o/n:1\no/n:2", **{"github-token": "t0ken"})
        told = self.post(job, tmp_path)
        assert "| Image | `o/n:1`<br>`o/n:2` |" in told
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
