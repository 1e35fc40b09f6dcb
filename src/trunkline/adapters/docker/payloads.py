"""What the Engine API is asked to create: a job's container, its services, its Docker actions."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Container, Mapping

import msgspec

from trunkline.adapters.docker.option_values import InvalidValue, Json
from trunkline.adapters.docker.options import Options, parse_options
from trunkline.adapters.docker.proxy.labelling import labelled_mounts, with_sources
from trunkline.base.errors import Unavailable
from trunkline.ports.containers import ActionRun, ContainerSpec
from trunkline.ports.sandbox import Layout

ENGINE_SOCKET = "/var/run/docker.sock"
# Node programs, which no job may change: others use them too.
EXTERNALS = "/__e"
NO_NEW_PRIVILEGES = "no-new-privileges"
IDLE = "setInterval(() => {}, 1 << 30)"
# What keeps the job's container alive: a program of the image, else a node for glibc or musl.
KEEPERS = (
    ("tail", "-f", "/dev/null"),
    ("sleep", "2147483647"),
    (f"{EXTERNALS}/node20/bin/node", "-e", IDLE),
    (f"{EXTERNALS}/node20_alpine/bin/node", "-e", IDLE),
)


class Limits(msgspec.Struct, frozen=True):
    """What a container may use: bytes of memory (0: all there is), number of processes."""

    memory: int = 0
    pids: int = 4096


class Site(msgspec.Struct, frozen=True):
    """A job, as its containers need to know it."""

    layout: Layout
    labels: Mapping[str, str]
    limits: Limits = Limits()


class Create(msgspec.Struct, frozen=True):
    """A container to create: its name, its platform ('' for the engine's), the API's body."""

    name: str
    platform: str
    body: dict[str, Json]


def job_container(site: Site, spec: ContainerSpec, network: str, token: str, socket: str) -> Create:
    """Return the container that a job's steps run in (reference section 3.14).

    `socket` is an engine's socket that it gets, or ''.
    """
    options = parse_options(spec.options)
    _publish(options, spec.ports)
    keeper = KEEPERS[0]
    env = {"HOME": site.layout.home}
    body: dict[str, Json] = {
        "WorkingDir": site.layout.workspace,
        **options.config,
        "Image": spec.image,
        "Entrypoint": [keeper[0]],
        "Cmd": list(keeper[1:]),
        "Env": _environment(options, {**spec.env, **env}),
    }
    mounts = [_bind(outside, inside) for inside, outside in site.layout.mounts]
    if socket:
        mounts.append(_bind(socket, ENGINE_SOCKET))
    return _create(site, options, body, Place("job", spec, network, mounts, token))


def with_job_socket(create: Create, sockets: Container[str], own: Callable[[], str]) -> Create:
    """Return a container that has the job's Engine API socket where it names the engine's.

    `sockets` are paths of the engine's, `own` returns the job's. Workflows name it as they do for
    GitHub (`/var/run/docker.sock:/var/run/docker.sock`), and what goes through it stays a rehearsal.
    """

    def there(path: str) -> str:
        return own() if posixpath.normpath(path) in sockets else path

    return msgspec.structs.replace(create, body=with_sources(create.body, there))


def with_keeper(create: Create, keeper: tuple[str, ...]) -> Create:
    """Return a job's container that something else keeps alive."""
    body = {**create.body, "Entrypoint": [keeper[0]], "Cmd": list(keeper[1:])}
    return msgspec.structs.replace(create, body=body)


def service(site: Site, alias: str, spec: ContainerSpec, network: str, token: str) -> Create:
    """Return a service's container: it has no folder of the job."""
    options = parse_options(spec.options)
    _publish(options, spec.ports)
    options.aliases.append(alias)
    body: dict[str, Json] = {
        **options.config,
        "Image": spec.image,
        "Env": _environment(options, spec.env),
    }
    if spec.entrypoint:
        body["Entrypoint"] = _words(spec.entrypoint)
    if spec.command:
        body["Cmd"] = _words(spec.command)
    return _create(site, options, body, Place(alias, spec, network, [], token))


def action(site: Site, run: ActionRun, network: str, socket: str) -> Create:
    """Return a Docker action's container; `socket` is an engine's socket that it gets, or ''."""
    body: dict[str, Json] = {
        "Image": run.image,
        "WorkingDir": run.workdir,
        "Env": [f"{name}={value}" for name, value in run.env.items()],
        "Labels": dict(site.labels),
        "NetworkingConfig": {"EndpointsConfig": {network: {}}},
    }
    if run.entrypoint:
        body["Entrypoint"] = [run.entrypoint]
    if run.args:
        body["Cmd"] = list(run.args)
    mounts = [_bind(_outside(site.layout, path), inside) for path, inside in run.mounts]
    mounts += [_lend(path) for path in run.lent]
    if socket:
        mounts.append(_bind(socket, ENGINE_SOCKET))
    host = _limited(site.limits, {"NetworkMode": network, "Mounts": mounts})
    return Create(run.name, "", {**body, "HostConfig": host})


class Place(msgspec.Struct, frozen=True):
    """Where a long-lived container stands: its alias, network, mounts and random name."""

    alias: str
    spec: ContainerSpec
    network: str
    mounts: list[dict[str, Json]]
    token: str


def _create(site: Site, options: Options, body: dict[str, Json], place: Place) -> Create:
    binds, anonymous = _volumes(site.layout, (*options.volumes, *place.spec.volumes))
    chosen = labelled_mounts(options.host.get("Mounts"), site.labels)
    taken = {bind.split(":")[1] for bind in binds} | {each.get("Target") for each in chosen}
    host: dict[str, Json] = {
        **options.host,
        "NetworkMode": place.network,
        "PortBindings": options.ports.bindings,
        "Binds": binds,
        "Mounts": [*(each for each in place.mounts if _is_free(each, taken)), *chosen],
    }
    body = {
        **body,
        "Labels": {**options.labels, **site.labels},
        "ExposedPorts": options.ports.exposed,
        "Volumes": anonymous,
        "HostConfig": _limited(site.limits, host),
        "NetworkingConfig": {"EndpointsConfig": {place.network: {"Aliases": options.aliases}}},
    }
    name = options.name or container_name(place.alias, place.spec.image, place.token)
    return Create(name, options.platform, body)


def container_name(alias: str, image: str, token: str) -> str:
    """Return `<alias>_<image>_<6hex>`, of the letters that a name may have."""
    cleaned = re.sub(r"[^A-Za-z0-9_]", "", image)
    return f"{alias.strip('_-') or 'service'}_{cleaned}_{token[:6]}"


def _limited(limits: Limits, host: dict[str, Json]) -> dict[str, Json]:
    """Add what limits a container, where its options say nothing else."""
    security = host.get("SecurityOpt")
    chosen = list(security) if isinstance(security, list) else []
    if not any(str(each).startswith(NO_NEW_PRIVILEGES) for each in chosen):
        chosen.append(NO_NEW_PRIVILEGES)
    limited: dict[str, Json] = {"PidsLimit": limits.pids, **host, "SecurityOpt": chosen}
    if limits.memory:
        limited.setdefault("Memory", limits.memory)
    return limited


def _publish(options: Options, ports: tuple[str, ...]) -> None:
    for port in ports:
        try:
            options.ports.publish(port)
        except InvalidValue as error:
            raise Unavailable(
                f'invalid argument "{port}" for "-p, --publish" flag: {error}'
            ) from error


def _environment(options: Options, env: Mapping[str, str]) -> list[str]:
    """Return the variables: those of `options` first, GitHub's own last."""
    whole = {**options.env, **env, "GITHUB_ACTIONS": "true"}
    whole.setdefault("CI", "true")
    return [f"{name}={value}" for name, value in whole.items()]


def _volumes(layout: Layout, volumes: tuple[str, ...]) -> tuple[list[str], dict[str, Json]]:
    """Return the volumes as binds and as anonymous ones; paths of the job become the machine's."""
    binds: list[str] = []
    anonymous: dict[str, Json] = {}
    for volume in volumes:
        source, _, rest = volume.partition(":")
        if not rest or rest == "ro":
            anonymous[source] = {}
        else:
            binds.append(f"{_outside(layout, source)}:{rest}")
    return binds, anonymous


def _outside(layout: Layout, path: str) -> str:
    """Return where the machine has a path of the job; names of volumes stay."""
    if not path.startswith("/"):
        return path
    return layout.outside(posixpath.normpath(path)) or path


def _is_free(mount: dict[str, Json], taken: Container[object]) -> bool:
    """Tell whether a mount of ours is wanted: the socket may be among the job's own volumes."""
    return mount["Target"] != ENGINE_SOCKET or ENGINE_SOCKET not in taken


def _bind(outside: str, inside: str) -> dict[str, Json]:
    is_fixed = inside == EXTERNALS
    return {"Type": "bind", "Source": outside, "Target": inside, "ReadOnly": is_fixed}


def _lend(path: str) -> dict[str, Json]:
    return {"Type": "bind", "Source": path, "Target": path, "ReadOnly": True}


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Unavailable(f"'{line}' can't be read as a command: {error}") from error
