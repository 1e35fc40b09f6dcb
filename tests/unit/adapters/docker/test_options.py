"""A container's options: read as Docker's own client reads them, and refused in its words."""

from __future__ import annotations

import http.server
import json
import shlex
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.docker import option_values as values
from trunkline.adapters.docker.option_values import InvalidValue, Ports
from trunkline.adapters.docker.options import FLAGS, SHORT, parse_options
from trunkline.base.errors import Unavailable

needs_client = pytest.mark.skipif(not shutil.which("docker"), reason="Docker's client is missing")


class Recorder(http.server.BaseHTTPRequestHandler):
    """An engine that creates nothing, and remembers what it was asked to create."""

    protocol_version = "HTTP/1.1"
    server: Engine

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_GET(self) -> None:
        self._answer(200, b"OK")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/containers/create" in self.path:
            self.server.bodies.append(json.loads(body))
        self._answer(201, b'{"Id": "1", "Warnings": []}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Api-Version", "1.47")
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def address_string(self) -> str:
        return "client"


class Engine(socketserver.ThreadingUnixStreamServer):
    """Listens where Docker's client is told to look."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Recorder)
        self.bodies: list[dict[str, Any]] = []


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "s") as engine:
        threading.Thread(target=engine.serve_forever, args=(0.02,), daemon=True).start()
        yield engine
        engine.shutdown()


OPTIONS = [
    (
        "--health-cmd 'pg_isready -U x' --health-interval 10s --health-timeout 1m30s "
        "--health-retries 5 --health-start-period 500ms"
    ),
    "--no-healthcheck --init --privileged --read-only",
    "-e A=1 --env B='two words' -eC=3 -l x=y --label z -u 1001:5 -w /there -h me --domainname d",
    (
        "--cpus 1.5 -m 64m --memory-swap -1 --memory-reservation 1g --shm-size 2GB -c 512 "
        "--cpuset-cpus 0-1 --cpuset-mems 0 --cpu-period 1000 --cpu-quota 500 --pids-limit 10"
    ),
    "--cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-drop ALL --group-add audio --ipc host",
    (
        "--device /dev/null --device /dev/zero:/dev/z --device /dev/null:/dev/n:r "
        "--device-cgroup-rule 'c 42:* rwm'"
    ),
    "--dns 8.8.8.8 --dns-search example.com --dns-option timeout:1 --add-host a:1.2.3.4",
    (
        "--tmpfs /run:rw,size=64m --tmpfs /tmp --mount type=bind,source=/tmp,target=/in,readonly "
        "--mount type=volume,src=v,dst=/v,volume-opt=o=1,volume-driver=local,volume-label=k=l "
        "--mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777"
    ),
    (
        "--sysctl net.core.somaxconn=1024 --security-opt label=disable --security-opt apparmor=x "
        "--storage-opt size=1G --ulimit nofile=10:20 --ulimit nproc=5"
    ),
    "--log-driver json-file --log-opt max-size=1m --log-opt max-file=3 --restart on-failure:3",
    (
        "--expose 80 --expose 90-92/udp --stop-signal SIGINT --stop-timeout 7 -it "
        "--oom-kill-disable --oom-score-adj 500 --userns host --uts host --pid host --runtime runc"
    ),
    (
        "--cgroup-parent /x --cgroupns host --volumes-from other --blkio-weight 100 --gpus all "
        "--volume-driver d --link a:b --rm=false"
    ),
    '--gpus \'"device=0,1","capabilities=compute,utility"\' --annotation a=b --isolation default',
    "--device-read-bps /dev/vda:1mb --device-write-bps /dev/vda:2k --blkio-weight-device /dev/vda:50",
    "--device-read-iops /dev/vda:100 --device-write-iops /dev/vda:200 --device-write-iops /dev/vdb:0",
]


def meant(value: object) -> object:
    """Return a value without what says nothing: empty lists, zeros, false."""
    if isinstance(value, dict):
        cleaned = {name: meant(inner) for name, inner in value.items()}
        return {name: inner for name, inner in cleaned.items() if inner not in (None, {}, "")}
    if isinstance(value, list):
        return [meant(inner) for inner in value]
    return value


@needs_client
@pytest.mark.parametrize("text", OPTIONS)
def test_options_mean_what_docker_s_client_makes_of_them(recorded: Engine, text: str) -> None:
    argv = [
        "docker",
        "-H",
        f"unix://{recorded.server_address!s}",
        "create",
        *shlex.split(text),
        "x",
    ]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    [asked] = recorded.bodies
    options = parse_options(text)
    for name, value in options.config.items():
        if name != "Env":
            assert meant(asked[name]) == meant(value), name
    for name, value in options.host.items():
        if isinstance(value, list) and name.startswith("Cap"):
            value = sorted(f"CAP_{each}" for each in value if each != "ALL")  # noqa: PLW2901
            asked["HostConfig"][name] = [c for c in asked["HostConfig"][name] if c != "ALL"]
        assert meant(asked["HostConfig"][name]) == meant(value), name
    assert sorted(asked["Env"] or []) == sorted(f"{n}={value}" for n, value in options.env.items())
    assert (asked["Labels"] or {}) == options.labels
    if "expose" in text:
        assert asked["ExposedPorts"] == options.ports.exposed


@needs_client
@pytest.mark.parametrize(
    "text",
    [
        "--nope",
        "-Z",
        "-iZ",
        "--env",
        "-m",
        "-m abc",
        "--cpus x",
        "--health-interval 10",
        "--health-interval 5parsecs",
        "--health-retries many",
        "--init=perhaps",
        "--memory-swap 1x",
        "-m 1.2.3m",
        "-m -5",
        "-m 5kk",
        "--shm-size ''",
        "--health-timeout ''",
        "--health-timeout 1s5",
        "--device-read-bps /dev/vda",
        "--device-write-bps vda:1mb",
        "--device-read-iops /dev/vda:1k",
        "--device-write-iops /dev/vda:-1",
        "--blkio-weight-device /dev/vda:5",
    ],
)
def test_what_docker_s_client_refuses_is_refused_in_its_words(recorded: Engine, text: str) -> None:
    argv = ["docker", "-H", f"unix://{recorded.server_address!s}", "create", *shlex.split(text)]
    told = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60).stderr
    with pytest.raises(Unavailable) as raised:
        parse_options(text)
    assert raised.value.message in told


@pytest.mark.parametrize("text", ["--network host", "--net=none"])
def test_a_container_stays_in_its_job_s_network(text: str) -> None:
    with pytest.raises(Unavailable, match="'--network' is not supported"):
        parse_options(text)


@pytest.mark.parametrize(
    "flag", ["env-file", "label-file", "cidfile", "ip", "ip6", "link-local-ip", "use-api-socket"]
)
def test_a_flag_of_docker_s_client_that_is_not_for_jobs_is_no_unknown_one(flag: str) -> None:
    with pytest.raises(Unavailable, match=f"'--{flag}' is not supported: ") as raised:
        parse_options(f"--{flag}=x")
    assert raised.value.hint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("--env 'A=1", "No closing quotation"),
        ("alpine", "'alpine' in the container's options is not a flag"),
        ("--device a:b:c:d", "invalid device specification"),
        ("--ulimit nofile", "invalid ulimit argument"),
        ("--mount type=bind", "target is required"),
        ("--mount dst=/x,nope=1", "unexpected key 'nope'"),
        ("--mount dst=/x,nope", "must be a key=value pair"),
        ("--restart on-failure:x", "must be an integer"),
        ("--add-host x", "bad format for add-host"),
        ("-p x", "invalid containerPort"),
        ("-p 1:2:3:4:99999", "invalid IP address: 1:2:3"),
        ("-p localhost:80:80", "invalid IP address: localhost"),
        ("-p 99999", "invalid containerPort"),
        ("-p 80/icmp", "invalid proto"),
        ("-p 1-3:80-81", "invalid ranges"),
        ("-p x:80", "invalid hostPort"),
        ("--gpus what=1", "unexpected key 'what'"),
    ],
)
def test_a_wrong_option_is_told_with_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(Unavailable) as raised:
        parse_options(text)
    assert problem in raised.value.message


def test_the_drivers_of_a_volume_keep_its_options_in_any_order() -> None:
    for fields in ("volume-opt=o=1,volume-driver=d", "volume-driver=d,volume-opt=o=1"):
        mounts = parse_options(f"--mount dst=/x,{fields}").host["Mounts"]
        wanted = {"Name": "d", "Options": {"o": "1"}}
        assert mounts == [
            {"Type": "volume", "Target": "/x", "VolumeOptions": {"DriverConfig": wanted}}
        ]


@pytest.mark.parametrize(
    ("written", "key", "address", "port"),
    [
        ("80", "80/tcp", "127.0.0.1", ""),
        ("8080:80", "80/tcp", "127.0.0.1", "8080"),
        ("53:53/udp", "53/udp", "127.0.0.1", "53"),
        ("10.0.0.1:80:80", "80/tcp", "10.0.0.1", "80"),
        ("[::1]:8080:80", "80/tcp", "::1", "8080"),
        ("10.0.0.1::80", "80/tcp", "10.0.0.1", ""),
        ("8000-8010:80", "80/tcp", "127.0.0.1", "8000-8010"),
    ],
)
def test_ports_are_published_to_this_machine_alone_unless_an_address_is_written(
    written: str, key: str, address: str, port: str
) -> None:
    ports = Ports()
    ports.publish(written)
    assert ports.bindings == {key: [{"HostIp": address, "HostPort": port}]}
    assert list(ports.exposed) == [key]


def test_a_range_of_ports_is_published_one_by_one() -> None:
    ports = Ports()
    ports.publish("9000-9001:80-81")
    assert {key: each["HostPort"] for key, [each] in ports.bindings.items()} == {
        "80/tcp": "9000",
        "81/tcp": "9001",
    }


@given(st.integers(0, 10**6), st.sampled_from(["", "b", "k", "KiB", "m", "MB", "g", "GB"]))
def test_sizes_are_whole_numbers_of_bytes(number: int, unit: str) -> None:
    power = {"": 0, "b": 0, "k": 1, "K": 1, "m": 2, "M": 2, "g": 3, "G": 3}[unit[:1]]
    assert values.size(f"{number}{unit}") == number * 1024**power


@given(
    st.lists(
        st.tuples(st.integers(0, 999), st.sampled_from(["h", "m", "s", "ms", "us", "ns"])),
        min_size=1,
    )
)
def test_durations_add_up(parts: list[tuple[int, str]]) -> None:
    written = "".join(f"{number}{unit}" for number, unit in parts)
    assert values.duration(written) == sum(n * values.NANOSECONDS[unit] for n, unit in parts)


@given(st.text())
def test_no_text_breaks_the_reading_of_options(text: str) -> None:
    try:
        parse_options(text)
    except Unavailable as error:
        assert error.message  # noqa: PT017 - whether it raises depends on the text


FLAG = st.sampled_from([*(f"--{name}" for name in FLAGS), *(f"-{letter}" for letter in SHORT)])


@given(st.lists(st.tuples(FLAG, st.sampled_from(["", " "]), st.text(max_size=8)), max_size=4))
def test_no_value_breaks_the_reading_of_options(words: list[tuple[str, str, str]]) -> None:
    text = " ".join(f"{flag}{space}{shlex.quote(value)}" for flag, space, value in words)
    try:
        parse_options(text)
    except Unavailable as error:
        assert error.message  # noqa: PT017 - as above


@given(st.text(max_size=12))
def test_values_are_read_or_refused(text: str) -> None:
    readers = (values.size, values.duration, values.number, values.nano_cpus, values.switch)
    for read in (*readers, values.ulimit, values.device, values.mount, values.gpus, values.restart):
        try:
            read(text)
        except InvalidValue as error:
            assert str(error)  # noqa: PT017 - as above
