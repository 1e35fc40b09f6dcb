"""A job's container at a real engine, where the contract of sandboxes is not enough."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docker_engine import Engine
from tests.images import Layer, libraries
from tests.unit.adapters.docker.jobs import Job, job, job_of
from trunkline.adapters.docker import containers
from trunkline.app import Choices
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import ContainerSpec
from trunkline.ports.process import Signal
from trunkline.ports.sandbox import Folder

PATIENCE = 60


@pytest.fixture
def plain(engine: Engine, tmp_path: Path, busybox_image: str) -> Iterator[Job]:
    with job(engine, tmp_path, busybox_image) as made:
        yield made


@pytest.fixture(scope="module")
def shared(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, busybox_image: str
) -> Iterator[Job]:
    """Yield a job whose container runs: for tests that leave it as it is."""
    with job(engine, tmp_path_factory.mktemp("job"), busybox_image) as made:
        made.begin(env={"MINE": "1"})
        yield made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/run").write_text("#!/bin/sh\n")
    (folder / "sub/run").chmod(0o700)
    (folder / "plain").write_text("plain")
    (folder / "plain").chmod(0o600)
    return folder


# --- files -------------------------------------------------------------------------------


def test_files_of_the_image_are_read_and_written(shared: Job, source: Path) -> None:
    assert (shared.text("/etc/passwd") or "").startswith("root:")
    assert shared.text("/etc/missing") is None
    shared.sandbox.put("/opt/new/file", b"content", 0o750)
    assert shared.sh("cat /opt/new/file; stat -c %a /opt/new/file") == "content750\n"
    shared.sandbox.put("/opt/new/file", io.BytesIO(b"less"))
    assert shared.text("/opt/new/file") == "less"
    shared.sandbox.put("/opt/tree", Folder(path=str(source)))
    assert shared.sh("cd /opt/tree && stat -c '%n %a %U' plain sub/run") == (
        "plain 644 root\nsub/run 755 root\n"
    )
    with pytest.raises(Unavailable, match="Is a directory"):
        shared.sandbox.put("/opt/new", b"x")
    with pytest.raises(Unavailable, match="it is not a file"):
        shared.sandbox.get("/opt/new")


def test_a_search_sees_the_image_s_own_files(shared: Job) -> None:
    shared.sh(
        "mkdir -p /srv/s/a && echo 1 >/srv/s/a/one && echo 2 >/srv/s/.two && ln -s a /srv/s/l"
    )
    found = shared.sandbox.search("/srv/s", ["**"], digests=False)
    assert [file.path for file in found] == [
        "/srv/s", "/srv/s/.two", "/srv/s/a", "/srv/s/a/one", "/srv/s/l",
    ]  # fmt: skip
    shared.sh("ln -sf /srv/s/a/one in-image; ln -sf /srv/s/nothing nowhere")
    links = shared.sandbox.search(shared.layout.workspace, ["in-image", "nowhere"], digests=False)
    assert [(file.link, file.size, file.is_folder) for file in links] == [
        ("/srv/s/a/one", 2, False),
        ("/srv/s/nothing", 14, False),
    ]


def test_a_link_to_this_machine_s_files_shows_the_container_s(shared: Job, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not yours")
    workspace = shared.layout.workspace
    shared.sh(f"ln -s {secret} {workspace}/leak; ln -s / {workspace}/root")
    assert shared.text(f"{workspace}/leak") is None
    assert shared.text(f"{workspace}/root{secret}") is None
    assert shared.text(f"{workspace}/root/etc/group") == shared.sh("cat /etc/group")
    shared.sandbox.put(f"{workspace}/root/tmp/put", b"inside")
    assert shared.sh("cat /tmp/put") == "inside"
    assert secret.read_text() == "not yours"


def test_a_volume_over_the_workspace_is_what_is_seen(plain: Job) -> None:
    hidden = f"{plain.layout.workspace}/cache"
    plain.sandbox.put(f"{hidden}/below", b"below")
    plain.begin(volumes=(hidden,), options="--tmpfs /scratch")
    plain.sh(f"echo above > {hidden}/above")
    assert plain.text(f"{hidden}/above") == "above\n"
    assert plain.text(f"{hidden}/below") is None
    plain.sandbox.put(f"{hidden}/put", b"put")
    assert plain.sh(f"cat {hidden}/put") == "put"


def test_programs_are_found_in_the_image_and_in_the_folders(shared: Job) -> None:
    tool = f"{shared.layout.tool_cache}/bin/tool"
    shared.sandbox.put(tool, b"#!/bin/sh\necho tool\n", 0o755)
    path = f"/nowhere:{shared.layout.tool_cache}/bin:/bin"
    assert shared.sandbox.find("tool", path) == tool
    assert shared.sandbox.find("ls", path) == "/bin/ls"
    assert shared.sandbox.find("passwd-file", "/etc") is None
    assert shared.sandbox.find("passwd", "/etc") is None
    assert shared.run("tool", PATH=path) == (0, "tool\n")


# --- users -------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["1234", "nobody", "1234:77"])
def test_another_user_has_what_was_made_for_it(plain: Job, source: Path, user: str) -> None:
    temp, workspace = plain.layout.temp, plain.layout.workspace
    plain.sandbox.put(f"{temp}/early", b"early", 0o600)
    plain.begin(options=f"--user {user}")
    plain.sandbox.put(f"{temp}/late.sh", b"echo late", 0o700)
    plain.sandbox.put(workspace, Folder(path=str(source)))
    plain.sandbox.renew((), (f"{temp}/out",), 0o666)
    told = plain.sh(
        f"cat {temp}/early; . {temp}/late.sh; echo x >{temp}/out; echo y >>plain; rm -r sub;"
        " mkdir mine && echo z >mine/file; touch $HOME/config /__t/tool"
    )
    assert told == "earlylate\n"
    assert plain.text(f"{temp}/out") == "x\n"
    assert plain.text(f"{workspace}/plain") == "plainy\n"


def test_a_path_of_variables_that_shells_leave_out_is_kept(shared: Job) -> None:
    output = shared.run("env", **{"INPUT_NODE-VERSION": "20", "INPUT_A B": "c"})[1]
    assert {"INPUT_NODE-VERSION=20", "INPUT_A B=c"} <= set(output.splitlines())


# --- images ------------------------------------------------------------------------------


@pytest.fixture
def bare(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """Yield an image that has three programs and no shell."""
    tarball, name = tmp_path / "bare.tar", f"trunkline-test/bare:{os.urandom(4).hex()}"
    with tarfile.open(tarball, "w") as archive:
        archive.add("/bin/busybox", "bin/tail")
        for other in ("env", "false"):
            entry = tarfile.TarInfo(f"bin/{other}")
            entry.type, entry.linkname, entry.mode = tarfile.LNKTYPE, "bin/tail", 0o755
            archive.addfile(entry)
    engine.docker("import", str(tarball), name)
    yield name
    engine.docker("rmi", "--force", name)


def test_an_image_without_a_shell_runs_programs(engine: Engine, tmp_path: Path, bare: str) -> None:
    with job(engine, tmp_path, bare) as made:
        made.begin()
        assert "A=1" in made.run("env", A="1")[1].splitlines()
        assert made.run("false") == (1, "")
        running = made.start("tail", "-f", "/dev/null")
        running.signal(Signal.TERMINATE)
        assert running.wait() == 143
        with pytest.raises(Unavailable, match="No such file or directory"):
            made.start("sh", "-c", "true")


@pytest.mark.parametrize("has_node", [False, True], ids=["no node", "a node without its libraries"])
def test_an_image_that_nothing_keeps_running_is_told(
    engine: Engine, tmp_path: Path, *, has_node: bool
) -> None:
    tarball, name = tmp_path / "none.tar", f"trunkline-test/none:{os.urandom(4).hex()}"
    with tarfile.open(tarball, "w") as archive:
        archive.add("/bin/busybox", "bin/env")
    engine.docker("import", str(tarball), name)
    try:
        with job(engine, tmp_path, name) as made:
            if has_node:
                [node] = [out for inside, out in made.layout.mounts if inside == "/__e"]
                Path(node, "node20/bin").mkdir(parents=True)
                shutil.copy2("/bin/true", Path(node, "node20/bin/node"))
            with pytest.raises(Unavailable, match="neither 'tail' nor 'sleep'"):
                made.begin()
            assert made.sandbox.tear_down(keep=False) == ()
    finally:
        engine.docker("rmi", "--force", name)


def test_a_device_that_is_not_there_is_not_taken_for_a_program(
    engine: Engine, tmp_path: Path, busybox_image: str
) -> None:
    with job(engine, tmp_path, busybox_image) as made:
        with pytest.raises(Unavailable, match="/dev/no-such-device"):
            made.begin(options="--device /dev/no-such-device")
        assert made.sandbox.tear_down(keep=False) == ()


def test_a_node_that_runs_in_an_image_keeps_its_container(engine: Engine, tmp_path: Path) -> None:
    node = Path(shutil.which("node") or "").resolve()
    tarball, name = tmp_path / "node.tar", f"trunkline-test/node:{os.urandom(4).hex()}"
    layer = Layer()
    for library in libraries(node):
        layer.copy(library)
    layer.saved(tarball)
    engine.docker("import", str(tarball), name)
    try:
        with job(engine, tmp_path, name) as made:
            [externals] = [out for inside, out in made.layout.mounts if inside == "/__e"]
            Path(externals, "node20/bin").mkdir(parents=True)
            shutil.copy2(node, Path(externals, "node20/bin/node"))
            begun = made.begin()
            assert begun.job is not None
            assert made.inspect(begun.job.id)["Path"] == "/__e/node20/bin/node"
            told = made.run("/__e/node20/bin/node", "-p", "6 * 7")
            assert told == (0, "42\n")
    finally:
        engine.docker("rmi", "--force", name)


# --- signals where process numbers mean nothing --------------------------------------------


@pytest.fixture
def far(plain: Job, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return a job of an engine that seems to count its processes elsewhere (Docker Desktop)."""
    monkeypatch.setattr(containers, "is_near", lambda *_: False)
    plain.begin()
    return plain


def test_a_far_process_is_signalled_by_its_mark(far: Job) -> None:
    other = far.start("sh", "-c", "trap 'echo other' INT; echo ready; while :; do sleep 0.1; done")
    assert other.read(PATIENCE) == b"ready\n"
    trap = "trap 'echo stopped; exit 5' INT; echo ready; while :; do sleep 0.1; done"
    started = far.start("sh", "-c", trap)
    assert started.read(PATIENCE) == b"ready\n"
    started.signal(Signal.INTERRUPT)
    assert started.read(PATIENCE) == b"stopped\n"
    assert started.wait() == 5
    assert other.read(0.2) is None
    other.signal(Signal.KILL)
    assert other.wait() == 137


def test_an_engine_that_does_not_see_our_folders_is_told(
    plain: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = plain.layout.outside("/__w")
    assert outside is not None
    Path(outside).rename(f"{outside}.gone")
    with pytest.raises(Unavailable) as raised:
        plain.begin()
    assert "does not see this machine's folders" in raised.value.hint
    Path(f"{outside}.gone").rename(outside)
    monkeypatch.setattr(containers, "is_near", lambda *_: False)
    event = plain.layout.outside(plain.layout.event_path)
    assert event is not None
    Path(event).unlink()
    with pytest.raises(Unavailable, match="does not see this machine's folders"):
        plain.begin()


# --- isolation ---------------------------------------------------------------------------


def test_containers_are_limited_unless_their_options_say_else(
    engine: Engine, tmp_path: Path, busybox_image: str
) -> None:
    free = "--security-opt no-new-privileges=false --pids-limit 77 -m 64m"
    services = {
        "free": ContainerSpec(image=busybox_image, options=free, command="tail -f /dev/null")
    }
    limits = {"TRUNKLINE_CONTAINER_MEMORY": "100000000", "TRUNKLINE_CONTAINER_PIDS": "55"}
    with job(engine, tmp_path, busybox_image, None, **limits) as made:
        begun = made.begin(services)
        assert begun.job is not None
        own = made.inspect(begun.job.id)["HostConfig"]
        assert own["SecurityOpt"] == ["no-new-privileges"]
        assert (own["PidsLimit"], own["Memory"]) == (55, 100000000)
        other = made.inspect(begun.services["free"].id)["HostConfig"]
        assert other["SecurityOpt"] == ["no-new-privileges=false"]
        assert (other["PidsLimit"], other["Memory"]) == (77, 64 << 20)
        assert made.sh("grep NoNewPrivs /proc/self/status") == "NoNewPrivs:\t1\n"


def test_the_engine_s_socket_is_there_only_when_it_is_needed(plain: Job, shared: Job) -> None:
    assert shared.run("ls", "/var/run/docker.sock")[0] == 1
    plain.begin(needs_engine=True)
    assert plain.sh("ls /var/run/docker.sock") == "/var/run/docker.sock\n"


@pytest.mark.parametrize("policy", ["none", "registry", "open"])
def test_a_policy_says_whether_a_way_leads_out(
    engine: Engine, tmp_path: Path, busybox_image: str, policy: str
) -> None:
    with job(engine, tmp_path, busybox_image, Choices(network_policy=policy)) as made:
        begun = made.begin()
        assert made.inspect(begun.network)["Internal"] is (policy != "open")
        registry = begun.env.get("TRUNKLINE_REGISTRY", "")
        assert bool(registry) is (policy == "registry")
        if registry:
            assert made.sh(f"wget -q -O - http://{registry}/v2/") == "{}"


def test_a_closed_host_job_reaches_its_services_by_port_alone(
    engine: Engine, tmp_path: Path, redis_image: str
) -> None:
    with job(engine, tmp_path, "", Choices(network_policy="none")) as made:
        redis = ContainerSpec(
            image=redis_image, ports=("6379",), options="--health-cmd 'redis-cli ping'"
        )
        begun = made.sandbox.containers.begin(None, {"redis": redis}, made.watch)
        [network] = [begun.network]
        found = made.inspect(network)
        assert found["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
        port = begun.services["redis"].ports["6379"]
        inner = made.inspect(begun.services["redis"].id)["NetworkSettings"]["Ports"]["6379/tcp"]
        assert inner == [{"HostIp": "127.0.0.1", "HostPort": port}]
        assert made.run(
            "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}; echo PING >&3; head -1 <&3"
        ) == (
            0,
            "+PONG\r\n",
        )


def test_names_labels_and_volumes(plain: Job) -> None:
    plain.sandbox.put(f"{plain.layout.workspace}/data/file", b"shared")
    data = f"{plain.layout.workspace}/data:/data:ro"
    service = ContainerSpec(
        image=plain.image, command="tail -f /dev/null", volumes=("/anonymous", data)
    )
    begun = plain.begin(
        {"db": service}, options="--label mine=1 --name given-" + os.urandom(4).hex()
    )
    assert begun.job is not None
    own, db = plain.inspect(begun.job.id), plain.inspect(begun.services["db"].id)
    assert own["Name"].startswith("/given-")
    assert db["Name"].startswith("/db_trunklinetestbusybox")
    labels = own["Config"]["Labels"]
    assert labels["mine"] == "1"
    assert set(labels) > {"trunkline.run", "trunkline.job", "trunkline.engine", "trunkline.machine"}
    assert plain.engine.docker("exec", db["Id"], "cat", "/data/file") == "shared"
    [volume] = [each["Name"] for each in db["Mounts"] if each["Type"] == "volume"]
    assert volume in plain.engine.docker("volume", "ls", "--quiet")
    plain.sandbox.containers.end(plain.watch)
    assert volume not in plain.engine.docker("volume", "ls", "--quiet")


def test_volumes_that_a_job_names_go_with_it(plain: Job) -> None:
    def named(kind: str) -> str:
        return f"trunkline-test-{kind}-{os.urandom(4).hex()}"

    data, cache, users = named("data"), named("cache"), named("users")
    mount = f"--mount type=volume,src={cache},dst=/cache"
    plain.engine.docker("volume", "create", users)
    try:
        service = ContainerSpec(
            image=plain.image,
            command="tail -f /dev/null",
            volumes=(f"{data}:/data", f"{users}:/users"),
        )
        plain.begin({"db": service}, volumes=(f"{data}:/shared",), options=mount)
        assert plain.run("sh", "-c", "echo x >/shared/x; mount | grep -c /cache") == (0, "1\n")
        plain.sandbox.containers.end(plain.watch)
        left = plain.engine.docker("volume", "ls", "--quiet").split()
        assert {data, cache, users} & set(left) == {users}
    finally:
        plain.engine.docker("volume", "rm", users)


def test_a_volume_of_two_jobs_goes_with_the_last(plain: Job) -> None:
    name = f"trunkline-test-data-{os.urandom(4).hex()}"
    plain.begin(volumes=(f"{name}:/data",))
    with job_of(plain.system, plain.engine, plain.image) as other:
        other.begin(volumes=(f"{name}:/data",))
        for _ in range(2):  # as "Stop containers" does, and the end of the job's place
            plain.sandbox.containers.end(plain.watch)
        assert other.sh("ls -d /data") == "/data\n"
        other.sandbox.containers.end(other.watch)
    assert name not in plain.engine.docker("volume", "ls", "--quiet").split()


def test_volumes_of_a_container_that_can_not_be_made_go_too(plain: Job) -> None:
    name = f"trunkline-test-data-{os.urandom(4).hex()}"
    with pytest.raises(Unavailable, match="invalid volume specification"):
        plain.begin(volumes=(f"{name}:/data:ro:odd",))
    plain.sandbox.containers.end(plain.watch)
    assert name not in plain.engine.docker("volume", "ls", "--quiet")


@pytest.mark.parametrize(
    "more",
    [
        {"volumes": ("/var/run/docker.sock:/var/run/docker.sock",)},
        {"volumes": ("/var/run/docker.sock:/var/run/docker.sock:ro",), "needs_engine": True},
        {"options": "-v /run/docker.sock:/var/run/docker.sock", "needs_engine": True},
        {"options": "--mount type=bind,src=/var/run/docker.sock,dst=/var/run/docker.sock"},
    ],
)
def test_the_engine_s_socket_as_a_volume_is_the_job_s_own(plain: Job, more: dict[str, Any]) -> None:
    told = {name: value for name, value in more.items() if name != "needs_engine"}
    beside = ContainerSpec(image=plain.image, command="tail -f /dev/null", **told)
    begun = plain.begin({"beside": beside}, **more)
    assert begun.job is not None
    own = plain.sandbox.containers.socket()
    for container in (begun.job.id, begun.services["beside"].id):
        mounts = plain.inspect(container)["Mounts"]
        found = [each["Source"] for each in mounts if each["Destination"].endswith("docker.sock")]
        assert found == [own]
