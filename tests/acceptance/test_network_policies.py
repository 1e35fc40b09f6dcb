"""What containers of a job reach by `--network-policy`: real ones, which try to get out."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.commands import Done, Place, assert_no_traceback
from tests.docker_engine import Engine, locked
from tests.repositories import repository

CLOSED = ("none", "registry")
POLICIES = (*CLOSED, "open")
SERVE = "mkdir /www; echo outside >/www/index.html; exec httpd -f -h /www -p 80"
TRY = "nc -w {} {} 80 </dev/null"
# Seconds: who is there answers at once on a machine that has time, who is kept out hears nothing.
PATIENCE, SILENCE = 60, 2
GET = "wget -q -O - {}"


class Outside(NamedTuple):
    """What only an open job reaches: another machine, and a container of somebody else."""

    machine: str
    container: str
    name: str

    def tries(self, label: str, found: Mapping[str, str]) -> str:
        """Return a shell line that tells, in any order, whether a container gets to what is `found`.

        What it is to be kept from is waited for no longer than `SILENCE`.
        """
        places = {"machine": self.machine, "container": self.container}
        patience = {"reached": PATIENCE, "kept from": SILENCE}
        tries = (
            f"(if {TRY.format(patience[what], places[kind])}; then echo '{label} reached {kind}'; "
            f"else echo '{label} kept from {kind}'; fi) &"
            for kind, what in found.items()
        )
        return f"{' '.join(tries)} wait"


@contextmanager
def other_machine() -> Iterator[str]:
    """Yield the address of a machine that serves port 80, behind a wire of its own."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("another machine can't be made here: that takes root, and iproute2")
    name = f"tl{os.urandom(3).hex()}"
    served = None
    try:
        with locked("wires"):  # two tests at once must not choose the same addresses
            taken = subprocess.run(
                ["ip", "-oneline", "-4", "addr"], check=True, capture_output=True, text=True
            ).stdout
            net = next(net for n in range(256) if f" {(net := f'198.18.{n}')}." not in taken)
            for command in (
                f"ip netns add {name}",
                f"ip link add {name} type veth peer name inner netns {name}",
                f"ip addr add {net}.1/24 dev {name}",
                f"ip link set {name} up",
                f"ip -n {name} addr add {net}.2/24 dev inner",
                f"ip -n {name} link set inner up",
            ):
                subprocess.run(command.split(), check=True, capture_output=True)
        server = ["ip", "netns", "exec", name, sys.executable, "-m", "http.server", "80"]
        served = subprocess.Popen(server, cwd="/proc/self/fdinfo", stderr=subprocess.DEVNULL)
        await_answer(f"{net}.2")
        yield f"{net}.2"
    finally:
        if served is not None:
            served.kill()
            served.wait()
        subprocess.run(["ip", "link", "del", name], check=False)
        subprocess.run(["ip", "netns", "del", name], check=False)


def await_answer(address: str) -> None:
    """Wait until somebody listens on port 80 of an address."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((address, 80), PATIENCE).close()
        except OSError:
            assert time.monotonic() < end, f"nobody answers at {address}"
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="module")
def outside(engine: Engine, busybox_image: str) -> Iterator[Outside]:
    name = f"trunkline-test-outside-{os.urandom(4).hex()}"
    engine.docker("run", "--detach", "--name", name, busybox_image, "sh", "-c", SERVE)
    try:
        container = engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name)
        await_answer(container)
        with other_machine() as machine:
            yield Outside(machine, container, name)
        assert name in engine.docker("ps", "--format", "{{.Names}}")
    finally:
        engine.docker("rm", "--force", name)


def run(place: Place, policy: str, script: str, job: str = "", files: str = "") -> Done:
    """Run a job of one script to its end."""
    lines = "\n".join(f"          {line}" for line in script.splitlines())
    root = place.root / "demo"
    text = (
        "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    timeout-minutes: 5\n"
        f"{job}    steps:\n      - uses: actions/checkout@v4\n      - run: |\n{lines}\n"
    )
    repository(root, {".github/workflows/ci.yml": text, "Dockerfile": files or "FROM scratch\n"})
    done = place.run("run", "--plain", "--network-policy", policy, cwd=root)
    assert_no_traceback(done)
    return done


def said(done: Done) -> list[str]:
    """Return what the job's script found out."""
    words = (" reached ", " kept from ", "network policy", "No such container", "answer")
    lines = [line.partition("test | ")[2].rstrip() for line in done.out.splitlines()]
    shown = "\x1b[36;1m"  # a line of the script itself; steps are called by it as well
    return [
        line
        for line in lines
        if any(word in line for word in words) and not line.startswith((shown, "##[", "Step "))
    ]


def expected(policy: str, *, is_own: bool) -> dict[str, str]:
    """Return what a container finds, by what it tries, on a network of its own or on the engine's.

    That networks which are open are kept apart is the engine's affair, and not tried: its rule goes
    for a moment whenever somebody makes a network (libnetwork's EnsureJumpRule).
    """
    if policy != "open":
        return dict.fromkeys(("machine", "container"), "kept from")
    return dict.fromkeys(("machine",) if is_own else ("machine", "container"), "reached")


def lines_of(label: str, found: Mapping[str, str]) -> list[str]:
    """Return what a container called `label` tells of what it `found`."""
    return [f"{label} {what} {kind}" for kind, what in found.items()]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_job_s_container_and_its_services(
    docked: Place, outside: Outside, busybox_image: str, policy: str
):
    wanted = expected(policy, is_own=True)
    service = outside.tries("service", wanted)
    job = (
        f"    container: {busybox_image}\n    services:\n      web:\n        image: {busybox_image}\n"
        f'        command: sh -c "({service}) >/log; mkdir /w; mv /log /w; exec httpd -f -h /w"\n'
        '        options: --health-cmd "wget -q -O - http://127.0.0.1/log" --health-interval 1s --health-retries 60\n'
    )
    registry = GET.format("http://$TRUNKLINE_REGISTRY/v2/")
    script = (
        f"{outside.tries('job', wanted)}\n{GET.format('http://web/log')}\n"
        f'test -z "$TRUNKLINE_REGISTRY" || echo "answer $({registry})"'
    )
    done = run(docked, policy, script, job)
    assert done.code == 0, done.text
    answered = ["answer {}"] if policy == "registry" else []
    found = [*lines_of("job", wanted), *lines_of("service", wanted), *answered]
    assert sorted(said(done)) == sorted(found)


@pytest.mark.parametrize(
    "policy", ["none", pytest.param("registry", marks=pytest.mark.long), "open"]
)
def test_containers_and_builds_of_scripts(
    docked: Place, outside: Outside, busybox_image: str, policy: str
):
    token = os.urandom(4).hex()
    networks = {"plain": "", "bridge": "--network bridge", "made": f"--network made-{token}"}
    wanted = {label: expected(policy, is_own=label == "made") for label in (*networks, "build")}
    script = "\n".join(
        (
            f"export DOCKER_BUILDKIT=0 IMAGE=trunkline-test-{token}",
            f"docker network create made-{token} >/dev/null",
            *(
                f'docker run --rm {network} {busybox_image} sh -c "{outside.tries(label, wanted[label])}" &'
                for label, network in networks.items()
            ),
            "docker build --no-cache -q -t $IMAGE . >/dev/null",
            "docker run --rm $IMAGE cat /found",
            "docker rmi $IMAGE >/dev/null",
            "wait",
        )
    )
    build = outside.tries("build", wanted["build"])
    done = run(docked, policy, script, "", f"FROM {busybox_image}\nRUN ({build}) >/found\n")
    assert done.code == 0, done.text
    found = (line for label, found in wanted.items() for line in lines_of(label, found))
    assert sorted(said(done)) == sorted(found)


def test_networks_of_scripts_have_a_gateway_that_is_nobody_s(docked: Place, busybox_image: str):
    token, net = os.urandom(4).hex(), f"198.19.{os.urandom(1)[0]}"
    nobody = "{{range .IPAM.Config}}{{.AuxiliaryAddresses.DefaultGatewayIPv4}}{{end}}"
    script = f"""
docker network create made-{token} >/dev/null
docker network create --subnet {net}.0/28 given-{token} >/dev/null
for name in made-{token} given-{token}; do
  routes=$(docker run --rm --network $name {busybox_image} ip route)
  echo "$routes" | grep -q "default via $(docker network inspect -f '{nobody}' $name) " && echo answer $name
done
docker network inspect -f 'answer {nobody}' given-{token}
docker network create --subnet {net}.0/28 again-{token} 2>&1 | sed "s/^/answer /"
"""
    done = run(docked, "none", script)
    assert done.code == 0, done.text
    made, given, address, refused = said(done)
    assert (made, given) == (f"answer made-{token}", f"answer given-{token}")
    assert address == f"answer {net}.14"
    assert "overlaps" in refused


@pytest.mark.parametrize("policy", CLOSED)
def test_ways_out_are_refused(docked: Place, outside: Outside, busybox_image: str, policy: str):
    mine = f"job-{os.urandom(4).hex()}"
    script = f"""
docker create --name {mine} {busybox_image} true >/dev/null
set +e
export DOCKER_BUILDKIT=0
docker run --rm --network host {busybox_image} true
docker run --rm --network container:{outside.name} {busybox_image} true
docker network connect bridge {mine}
docker network create --driver macvlan way-out
docker exec {outside.name} true
docker network connect $(docker inspect -f '{{{{.HostConfig.NetworkMode}}}}' {mine}) {outside.name}
docker build --network host .
docker run --rm -p 80 {busybox_image} true
true
"""
    done = run(docked, policy, script, "", f"FROM {busybox_image}\nRUN true\n")
    assert done.code == 0, done.text
    policy = f"network policy {policy}"
    out = "leads out of the job"
    wanted = [
        f"{policy}: the network host {out}",
        f"No such container: {outside.name}",
        f"{policy}: the network bridge {out}",
        f"{policy}: a network of the driver macvlan {out}",
        f"No such container: {outside.name}",
        f"No such container: {outside.name}",
        f"{policy}: the network host {out}",
        f"{policy}: the job's network publishes no ports.",
    ]
    found = said(done)
    assert len(found) == len(wanted), done.text
    for line, part in zip(found, wanted, strict=True):
        assert part in line


def test_a_port_that_a_script_publishes_is_reached_in_a_closed_job(
    docked: Place, busybox_image: str
):
    web = f"web-{os.urandom(4).hex()}"
    script = f"""
docker run --detach --name {web} -p 127.0.0.1::80 {busybox_image} sh -c '{SERVE}' >/dev/null
address=$(docker port {web} 80)
ask() {{ exec 3<>/dev/tcp/${{address%:*}}/${{address#*:}}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; tail -1 <&3; }}
# The engine takes the connection before the container's own server does.
for i in $(seq 600); do found=$(ask 2>/dev/null) && test -n "$found" && break; sleep 0.1; done
echo "answer $found"
"""
    done = run(docked, "none", script, "    defaults: {run: {shell: bash}}\n")
    assert done.code == 0, done.text
    assert said(done) == ["answer outside"]


@pytest.mark.parametrize("policy", CLOSED)
def test_a_service_whose_port_is_published(
    docked: Place, outside: Outside, busybox_image: str, policy: str
):
    wanted = expected(policy, is_own=True)
    job = (
        f"    services:\n      web:\n        image: {busybox_image}\n        ports: [80]\n"
        f'        command: sh -c "({outside.tries("service", wanted)}) >/log; mkdir /w; mv /log /w; '
        'exec httpd -f -h /w"\n'
        '        options: --health-cmd "wget -q -O - http://127.0.0.1/log" --health-interval 1s --health-retries 60\n'
    )
    script = (
        f'"{sys.executable}" -c "from urllib.request import urlopen\n'
        "print(urlopen('http://localhost:${{ job.services.web.ports['80'] }}/log').read().decode())\""
    )
    done = run(docked, policy, script, job)
    assert done.code == 0, done.text
    assert sorted(said(done)) == sorted(lines_of("service", wanted))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl, which asks for builds, is missing")
def test_builds_by_buildkit_are_refused(docked: Place):
    script = """
ask() { curl --silent --unix-socket "${DOCKER_HOST#unix://}" -X POST "http://docker$1"; }
ask /grpc
ask '/v1.41/build?version=2&networkmode=host'
"""
    done = run(docked, "none", script)
    assert done.code == 0, done.text
    by_grpc, by_build = said(done)
    assert "network policy none: BuildKit builds outside of the job's network" in by_grpc
    assert "network policy none: the network host leads out of the job" in by_build


def test_what_is_somebody_else_s_stays(
    docked: Place, engine: Engine, outside: Outside, busybox_image: str, tmp_path: Path
):
    del tmp_path
    volume = outside.name
    engine.docker("volume", "create", volume)
    before = engine.docker("image", "ls", "--quiet", "--no-trunc", busybox_image)
    script = f"""
docker run --detach --name mine-{volume} {busybox_image} sleep 1000 >/dev/null
docker volume create mine-{volume} >/dev/null
echo "answer $(docker ps --all --quiet | wc -l) $(docker volume ls --quiet | wc -l)"
docker rm --force {outside.name} 2>&1 | sed 's/^/answer /'
docker volume rm --force {volume} 2>&1 | sed 's/^/answer /'
docker rmi {busybox_image} 2>&1 | sed 's/^/answer /'
docker rmi --force {before} 2>&1 | sed 's/^/answer /'
docker tag {busybox_image} mine-{volume}:1
docker rmi mine-{volume}:1 | sed 's/^/answer /'
docker rm --force $(docker ps --all --quiet) >/dev/null
docker system prune --all --force --volumes >/dev/null
docker image prune --all --force >/dev/null
docker network ls --format '{{{{.Name}}}}' | sort | tr '\\n' ' ' | sed 's/^/answer /'
"""
    try:
        done = run(docked, "open", script)
        assert done.code == 0, done.text
        assert volume in engine.docker("volume", "ls", "--quiet")
        assert engine.docker("image", "ls", "--quiet", "--no-trunc", busybox_image) == before
        container, rest, removed, forced, own, networks = said(done)[1:]
        assert said(done)[0] == "answer 1 1"
        assert f"No such container: {outside.name}" in container
        assert f"get {volume}: no such volume" in rest
        assert "it was on this machine before the job" in removed
        assert "it was on this machine before the job" in forced
        assert f"Untagged: mine-{volume}:1" in own
        assert networks == "answer bridge host none"
    finally:
        engine.docker("volume", "rm", "--force", volume)
