"""The `options:` of a container: the flags of `docker create`, read as Docker's client reads them.

Reference: https://docs.docker.com/reference/cli/docker/container/create/
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from trunkline.adapters.docker import option_values as values
from trunkline.adapters.docker.option_values import InvalidValue, Json, Ports
from trunkline.base.errors import Unavailable

HINT = (
    "The flags of `docker create` are understood, except those of networks and of files that Docker's "
    "client reads or writes."
)
NOT_HERE = "The option '--{name}' is not supported: {why}."
OWN_NETWORK = "every container of a job is in the job's own network"
CLIENT_FILE = "it is a file of Docker's client, which has no part in this"
BY_NAME = "Containers of a job reach each other by the names of the services."
# Flags that Docker's client has and that no container of a job can have: why, and what to do.
REFUSED = {
    "cidfile": (CLIENT_FILE, "`job.container.id` and `job.services.<id>.id` name the containers."),
    "env-file": (CLIENT_FILE, "`env` of the container gives it variables."),
    "ip": (OWN_NETWORK, BY_NAME),
    "ip6": (OWN_NETWORK, BY_NAME),
    "label-file": (CLIENT_FILE, "`--label NAME=VALUE` gives it a label."),
    "link-local-ip": (OWN_NETWORK, BY_NAME),
    "network": (OWN_NETWORK, BY_NAME),
    "use-api-socket": (
        "a job has an engine's socket of its own",
        "`volumes: ['/var/run/docker.sock:/var/run/docker.sock']` brings it into the container.",
    ),
}


class Options(msgspec.Struct):
    """What the flags say: parts of the Engine API's container, and what stands beside it."""

    config: dict[str, Json] = {}
    host: dict[str, Json] = {}
    health: dict[str, Json] = {}
    env: dict[str, str] = {}
    labels: dict[str, str] = {}
    aliases: list[str] = []
    volumes: list[str] = []
    name: str = ""
    platform: str = ""
    pull: str = ""
    ports: Ports = msgspec.field(default_factory=Ports)


class Flag(NamedTuple):
    """A flag: how its value is read, and where that goes."""

    read: Callable[[str], Json]
    put: Callable[[Options, Json], None]
    is_switch: bool = False


def _config(name: str, read: Callable[[str], Json] = values.text) -> Flag:
    return Flag(read, lambda options, value: _set(options.config, name, value))


def _host(name: str, read: Callable[[str], Json] = values.text) -> Flag:
    return Flag(read, lambda options, value: _set(options.host, name, value))


def _health(name: str, read: Callable[[str], Json]) -> Flag:
    return Flag(read, lambda options, value: _set(options.health, name, value))


def _list(name: str, read: Callable[[str], Json] = values.text) -> Flag:
    return Flag(read, lambda options, value: _append(options.host, name, value))


def _map(name: str) -> Flag:
    def put(options: Options, value: Json) -> None:
        key, content = values.pair(str(value))
        inner = options.host.setdefault(name, {})
        if isinstance(inner, dict):
            inner[key] = content

    return Flag(values.text, put)


def _switch(put: Flag) -> Flag:
    return Flag(values.switch, put.put, is_switch=True)


def _set(parts: dict[str, Json], name: str, value: Json) -> None:
    parts[name] = value


def _append(parts: dict[str, Json], name: str, value: Json) -> None:
    known = parts.setdefault(name, [])
    if isinstance(known, list):
        known.append(value)


def _own(name: str) -> Flag:
    return Flag(values.text, lambda options, value: setattr(options, name, value))


def _env(options: Options, value: Json) -> None:
    name, sign, content = str(value).partition("=")
    if not name:
        raise InvalidValue(f"invalid environment variable: {value}")
    if sign:  # a bare name means the client's own variable, which is nobody's here
        options.env[name] = content


def _label(options: Options, value: Json) -> None:
    name, content = values.pair(str(value))
    options.labels[name] = content


def _entrypoint(options: Options, value: Json) -> None:
    options.config["Entrypoint"] = [value] if value else [""]


def _expose(options: Options, value: Json) -> None:
    options.ports.expose(str(value))


def _publish(options: Options, value: Json) -> None:
    options.ports.publish(str(value))


def _tmpfs(options: Options, value: Json) -> None:
    path, _, settings = str(value).partition(":")
    inner = options.host.setdefault("Tmpfs", {})
    if isinstance(inner, dict):
        inner[path] = settings


def _log(options: Options) -> dict[str, Json]:
    log = options.host.setdefault("LogConfig", {"Type": "", "Config": {}})
    return log if isinstance(log, dict) else {}


def _log_driver(options: Options, value: Json) -> None:
    _log(options)["Type"] = value


def _log_option(options: Options, value: Json) -> None:
    name, content = values.pair(str(value))
    settings = _log(options)["Config"]
    if isinstance(settings, dict):
        settings[name] = content


def _no_health(options: Options, value: Json) -> None:
    if value:
        options.health["Test"] = ["NONE"]


def _health_command(options: Options, value: Json) -> None:
    options.health["Test"] = ["CMD-SHELL", value]


def _ignore(options: Options, value: Json) -> None:
    """What concerns only Docker's client."""
    del options, value


FLAGS: dict[str, Flag] = {
    "add-host": _list("ExtraHosts", values.extra_host),
    "annotation": _map("Annotations"),
    "attach": Flag(values.text, _ignore),
    "blkio-weight": _host("BlkioWeight", values.number),
    "blkio-weight-device": _list("BlkioWeightDevice", values.device_weight),
    "cap-add": _list("CapAdd"),
    "cap-drop": _list("CapDrop"),
    "cgroup-parent": _host("CgroupParent"),
    "cgroupns": _host("CgroupnsMode"),
    "cpu-count": _host("CpuCount", values.number),
    "cpu-percent": _host("CpuPercent", values.number),
    "cpu-period": _host("CpuPeriod", values.number),
    "cpu-quota": _host("CpuQuota", values.number),
    "cpu-rt-period": _host("CpuRealtimePeriod", values.number),
    "cpu-rt-runtime": _host("CpuRealtimeRuntime", values.number),
    "cpu-shares": _host("CpuShares", values.number),
    "cpus": _host("NanoCpus", values.nano_cpus),
    "cpuset-cpus": _host("CpusetCpus"),
    "cpuset-mems": _host("CpusetMems"),
    "device": _list("Devices", values.device),
    "device-cgroup-rule": _list("DeviceCgroupRules"),
    "device-read-bps": _list("BlkioDeviceReadBps", values.device_bytes),
    "device-read-iops": _list("BlkioDeviceReadIOps", values.device_operations),
    "device-write-bps": _list("BlkioDeviceWriteBps", values.device_bytes),
    "device-write-iops": _list("BlkioDeviceWriteIOps", values.device_operations),
    "disable-content-trust": _switch(Flag(values.switch, _ignore)),
    "dns": _list("Dns"),
    "dns-option": _list("DnsOptions"),
    "dns-search": _list("DnsSearch"),
    "domainname": _config("Domainname"),
    "entrypoint": Flag(values.text, _entrypoint),
    "env": Flag(values.text, _env),
    "expose": Flag(values.text, _expose),
    "gpus": _list("DeviceRequests", values.gpus),
    "group-add": _list("GroupAdd"),
    "health-cmd": Flag(values.text, _health_command),
    "health-interval": _health("Interval", values.duration),
    "health-retries": _health("Retries", values.number),
    "health-start-interval": _health("StartInterval", values.duration),
    "health-start-period": _health("StartPeriod", values.duration),
    "health-timeout": _health("Timeout", values.duration),
    "hostname": _config("Hostname"),
    "init": _switch(_host("Init")),
    "interactive": _switch(_config("OpenStdin")),
    "ipc": _host("IpcMode"),
    "isolation": _host("Isolation"),
    "kernel-memory": _host("KernelMemory", values.size),
    "label": Flag(values.text, _label),
    "link": _list("Links"),
    "log-driver": Flag(values.text, _log_driver),
    "log-opt": Flag(values.text, _log_option),
    "mac-address": _config("MacAddress"),
    "memory": _host("Memory", values.size),
    "memory-reservation": _host("MemoryReservation", values.size),
    "memory-swap": _host("MemorySwap", values.swap),
    "memory-swappiness": _host("MemorySwappiness", values.number),
    "mount": _list("Mounts", values.mount),
    "name": _own("name"),
    "network-alias": Flag(values.text, lambda options, value: options.aliases.append(str(value))),
    "no-healthcheck": _switch(Flag(values.switch, _no_health)),
    "oom-kill-disable": _switch(_host("OomKillDisable")),
    "oom-score-adj": _host("OomScoreAdj", values.number),
    "pid": _host("PidMode"),
    "pids-limit": _host("PidsLimit", values.number),
    "platform": _own("platform"),
    "privileged": _switch(_host("Privileged")),
    "publish": Flag(values.text, _publish),
    "publish-all": _switch(_host("PublishAllPorts")),
    "pull": _own("pull"),
    "quiet": _switch(Flag(values.switch, _ignore)),
    "read-only": _switch(_host("ReadonlyRootfs")),
    "restart": _host("RestartPolicy", values.restart),
    "rm": _switch(_host("AutoRemove")),
    "runtime": _host("Runtime"),
    "security-opt": _list("SecurityOpt"),
    "shm-size": _host("ShmSize", values.size),
    "stop-signal": _config("StopSignal"),
    "stop-timeout": _config("StopTimeout", values.number),
    "storage-opt": _map("StorageOpt"),
    "sysctl": _map("Sysctls"),
    "tmpfs": Flag(values.text, _tmpfs),
    "tty": _switch(_config("Tty")),
    "ulimit": _list("Ulimits", values.ulimit),
    "user": _config("User"),
    "userns": _host("UsernsMode"),
    "uts": _host("UTSMode"),
    "volume": Flag(values.text, lambda options, value: options.volumes.append(str(value))),
    "volume-driver": _host("VolumeDriver"),
    "volumes-from": _list("VolumesFrom"),
    "workdir": _config("WorkingDir"),
}
SHORT = {
    "a": "attach",
    "c": "cpu-shares",
    "e": "env",
    "h": "hostname",
    "i": "interactive",
    "l": "label",
    "m": "memory",
    "p": "publish",
    "P": "publish-all",
    "q": "quiet",
    "t": "tty",
    "u": "user",
    "v": "volume",
    "w": "workdir",
}
OTHER_NAMES = {"net": "network", "net-alias": "network-alias", "dns-opt": "dns-option"}


def parse_options(text: str) -> Options:
    """Read the flags. Raises Unavailable, in the words of Docker's client."""
    try:
        words = shlex.split(text, comments=False)
    except ValueError as error:
        raise Unavailable(f"The container's options can't be read: {error}: {text}") from error
    options = Options()
    for name, written, value in _flags(iter(words)):
        flag = FLAGS[name]
        try:
            flag.put(options, flag.read(value))
        except InvalidValue as error:
            raise Unavailable(
                f'invalid argument "{value}" for "{written}" flag: {error}', hint=HINT
            ) from error
    if options.health:
        options.config["Healthcheck"] = options.health
    return options


def _flags(words: Iterator[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each flag's name, how Docker's client writes it, and its value."""
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, sign, value = word[2:].partition("=")
            name = OTHER_NAMES.get(name, name)
            if name in REFUSED:
                why, instead = REFUSED[name]
                raise Unavailable(NOT_HERE.format(name=name, why=why), hint=instead)
            if name not in FLAGS:
                raise Unavailable(f"unknown flag: --{name}", hint=HINT)
            if not sign:
                value = "true" if FLAGS[name].is_switch else _next(words, f"--{name}")
            yield name, _written(name), value
        elif re.match("-[^-]", word):
            yield from _short(word, words)
        else:
            raise Unavailable(f"'{word}' in the container's options is not a flag.", hint=HINT)


def _short(word: str, words: Iterator[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the flags of a word like `-it`, `-eNAME=1`, `-p=80`."""
    letters = word[1:]
    while letters:
        rest, letter, letters = letters, letters[0], letters[1:]
        if letter not in SHORT:
            raise Unavailable(f"unknown shorthand flag: '{letter}' in -{rest}", hint=HINT)
        name = SHORT[letter]
        if FLAGS[name].is_switch and not letters.startswith("="):
            yield name, _written(name), "true"
            continue
        value, letters = letters.removeprefix("="), ""
        yield name, _written(name), value or _next(words, f"'{letter}' in -{rest}")


def _next(words: Iterator[str], flag: str) -> str:
    value = next(words, None)
    if value is None:
        raise Unavailable(f"flag needs an argument: {flag}", hint=HINT)
    return value


def _written(name: str) -> str:
    letter = next((short for short, long in SHORT.items() if long == name), "")
    return f"-{letter}, --{name}" if letter else f"--{name}"
