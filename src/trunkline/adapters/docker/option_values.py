"""The values of `docker create`'s options, read and refused as Docker's client does."""

from __future__ import annotations

import csv
import ipaddress
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

Json = object

# What stands before the last digit or dot, then a space perhaps, then the unit.
SIZE = re.compile(r"(?P<number>.*[\d.]) ?(?P<unit>[^\d. ]*)", re.DOTALL)
AMOUNT = re.compile(r"\d+\.?\d*|\.\d+")
UNITS = {"": 1, "b": 1} | {
    f"{letter}{rest}": 1024**power
    for power, letter in enumerate("kmgtp", 1)
    for rest in ("", "b", "ib")
}
DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
PORT = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))?")
HIGHEST_PORT = 65535
PROTOCOLS = frozenset({"tcp", "udp", "sctp"})
LOOPBACK = "127.0.0.1"
TARGETS = frozenset({"target", "dst", "destination"})
SOURCES = frozenset({"source", "src"})


class InvalidValue(ValueError):
    """A value that Docker's client refuses; the message is its own."""


def text(value: str) -> Json:
    """Return a text as it is."""
    return value


def switch(value: str) -> bool:
    """Read a truth value (Go's strconv.ParseBool)."""
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise InvalidValue(f'strconv.ParseBool: parsing "{value}": invalid syntax')


def number(value: str) -> int:
    """Read a whole number (Go's strconv.ParseInt)."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        raise InvalidValue(f'strconv.ParseInt: parsing "{value}": invalid syntax')
    return int(value)


def size(value: str) -> int:
    """Read a size in bytes: `64m`, `1.5g`, `512` (docker/go-units, RAMInBytes)."""
    found = SIZE.fullmatch(value)
    if found is None or value.startswith("-"):
        raise InvalidValue(f"invalid size: '{value}'")
    amount, unit = found["number"], found["unit"].lower()
    if not AMOUNT.fullmatch(amount):
        raise InvalidValue(f'strconv.ParseFloat: parsing "{amount}": invalid syntax')
    if unit not in UNITS:
        raise InvalidValue(f"invalid suffix: '{unit}'")
    return int(Decimal(amount) * UNITS[unit])


def swap(value: str) -> int:
    """Read a size, or -1 for no limit."""
    return -1 if value == "-1" else size(value)


def duration(value: str) -> int:
    """Read a time as nanoseconds: `10s`, `1m30s`, `500ms`, `0` (Go's time.ParseDuration)."""
    if value in {"0", "+0", "-0"}:
        return 0
    total, position = Decimal(0), 0
    for found in DURATION.finditer(value):
        if found.start() != position:
            break
        total += Decimal(found[1].rstrip(".") or "0") * NANOSECONDS[found[2]]
        position = found.end()
    if not value or position != len(value):
        raise InvalidValue(f"time: {_duration_problem(value, position)}")
    return int(total)


def _duration_problem(value: str, position: int) -> str:
    number = re.match(r"[\d.]*\d[\d.]*", value[position:])
    if number is None:
        return f'invalid duration "{value}"'
    unit = re.match(r"[^\d.]*", value[position + number.end() :])
    if unit is None or not unit[0]:
        return f'missing unit in duration "{value}"'
    return f'unknown unit "{unit[0]}" in duration "{value}"'


def nano_cpus(value: str) -> int:
    """Read a number of processors as billionths."""
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise InvalidValue(f"failed to parse {value} as a rational number") from None
    if not found.is_finite():
        raise InvalidValue(f"failed to parse {value} as a rational number")
    return int(found * 10**9)


def pair(value: str) -> tuple[str, str]:
    """Read `name=value`; without a value it is ''."""
    name, _, content = value.partition("=")
    return name, content


def ulimit(value: str) -> Json:
    """Read `name=soft[:hard]`."""
    name, sign, limits = value.partition("=")
    soft, _, hard = limits.partition(":")
    if not name or not sign:
        raise InvalidValue(f"invalid ulimit argument: {value}")
    try:
        return {"Name": name, "Soft": number(soft), "Hard": number(hard or soft)}
    except InvalidValue:
        raise InvalidValue(f"invalid ulimit argument: {value}") from None


def device(value: str) -> Json:
    """Read `/dev/here[:/dev/there][:rwm]`."""
    parts = value.split(":")
    if len(parts) > 3 or not parts[0]:
        raise InvalidValue(f"invalid device specification: {value}")
    permissions = "rwm"
    if len(parts) > 1 and re.fullmatch("[rwm]{1,3}", parts[-1]):
        permissions = parts.pop()
    inside = parts[1] if len(parts) > 1 and parts[1] else parts[0]
    return {"PathOnHost": parts[0], "PathInContainer": inside, "CgroupPermissions": permissions}


def device_weight(value: str) -> Json:
    """Read `/dev/here:WEIGHT`."""
    path, weight = _of_device(value)
    if not weight.isdecimal() or (int(weight) and not 10 <= int(weight) <= 1000):
        raise InvalidValue(f"invalid weight for device: {value}")
    return {"Path": path, "Weight": int(weight)}


def device_bytes(value: str) -> Json:
    """Read `/dev/here:BYTES` for a second, with a unit perhaps."""
    path, rate = _of_device(value)
    form = "<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional"
    try:
        return {"Path": path, "Rate": size(rate)}
    except InvalidValue as error:
        problem = f"invalid rate for device: {value}. The correct format is {form}"
        raise InvalidValue(f"{problem} and can be kb, mb, or gb") from error


def device_operations(value: str) -> Json:
    """Read `/dev/here:NUMBER` for a second."""
    path, rate = _of_device(value)
    if not rate.isdecimal():
        raise InvalidValue(
            f"invalid rate for device: {value}. The correct format is <device-path>:<number>."
            " Number must be a positive integer"
        )
    return {"Path": path, "Rate": int(rate)}


def _of_device(value: str) -> tuple[str, str]:
    path, sign, rest = value.partition(":")
    if not sign or not path:
        raise InvalidValue(f"bad format: {value}")
    if not path.startswith("/dev/"):
        raise InvalidValue(f"bad format for device path: {value}")
    return path, rest


def gpus(value: str) -> Json:
    """Read `all`, a number, or `device=0,driver=nvidia,...` (CSV)."""
    request: dict[str, Json] = {"Driver": "", "Count": 0, "Capabilities": [["gpu"]]}
    for field in _fields(value):
        name, sign, content = field.partition("=")
        if not sign:
            name, content = "count", field
        match name:
            case "count":
                request["Count"] = -1 if content == "all" else number(content)
            case "device":
                request["DeviceIDs"] = content.split(",")
            case "driver":
                request["Driver"] = content
            case "capabilities":
                request["Capabilities"] = [[*content.split(","), "gpu"]]
            case _:
                raise InvalidValue(f"unexpected key '{name}' in '{field}'")
    return request


def _fields(value: str) -> list[str]:
    """Return the fields of a line of CSV."""
    try:
        return next(csv.reader([value], strict=True), [])
    except csv.Error as error:
        raise InvalidValue(f"parse error: {error}") from None


def restart(value: str) -> Json:
    """Read a restart policy: `no`, `always`, `on-failure:3`."""
    name, sign, most = value.partition(":")
    if sign and not most.isdecimal():
        raise InvalidValue("maximum retry count must be an integer")
    return {"Name": name, "MaximumRetryCount": int(most) if sign else 0}


def extra_host(value: str) -> Json:
    """Read `name:address` or `name=address`."""
    name, sign, address = value.partition("=") if "=" in value else value.partition(":")
    if not name or not sign or not address:
        raise InvalidValue(f'bad format for add-host: "{value}"')
    return f"{name}:{address.strip('[]')}"


def mount(value: str) -> Json:
    """Read a `--mount`: `type=bind,src=/here,dst=/there,readonly` (CSV)."""
    found: dict[str, Json] = {"Type": "volume"}
    options: dict[str, Json] = {}
    for field in _fields(value):
        name, sign, content = field.partition("=")
        name = name.strip().lower()
        if name in {"readonly", "ro"}:
            found["ReadOnly"] = switch(content) if sign else True
        elif not sign and name != "volume-nocopy":
            raise InvalidValue(f"invalid field '{field}' must be a key=value pair")
        elif name == "type":
            found["Type"] = content.lower()
        elif name in SOURCES:
            found["Source"] = content
        elif name in TARGETS:
            found["Target"] = content
        else:
            _mount_option(options, name, content)
    if not found.get("Target"):
        raise InvalidValue("target is required")
    return found | options


def _mount_option(options: dict[str, Json], name: str, content: str) -> None:
    if name in MOUNT_MAPS:
        inner = options
        for part in MOUNT_MAPS[name]:
            inner = _below(inner, part)
        key, data = pair(content)
        inner[key] = data
    elif name in MOUNT_OPTIONS:
        path, key, read = MOUNT_OPTIONS[name]
        inner = options
        for part in path:
            inner = _below(inner, part)
        inner[key] = read(content)
    else:
        raise InvalidValue(f"unexpected key '{name}' in '{name}={content}'")


def _below(options: dict[str, Json], name: str) -> dict[str, Json]:
    inner = options.setdefault(name, {})
    if not isinstance(inner, dict):
        raise InvalidValue(f"unexpected key '{name}'")
    return inner


def _octal(content: str) -> int:
    if not re.fullmatch("[0-7]{1,5}", content):
        raise InvalidValue(f'strconv.ParseUint: parsing "{content}": invalid syntax')
    return int(content, 8)


def _no_copy(content: str) -> bool:
    return switch(content or "true")


# Where the other fields of a mount go: (below which names, name, how the value is read).
MOUNT_OPTIONS: dict[str, tuple[tuple[str, ...], str, Callable[[str], Json]]] = {
    "bind-nonrecursive": (("BindOptions",), "NonRecursive", switch),
    "bind-propagation": (("BindOptions",), "Propagation", text),
    "consistency": ((), "Consistency", text),
    "tmpfs-mode": (("TmpfsOptions",), "Mode", _octal),
    "tmpfs-size": (("TmpfsOptions",), "SizeBytes", size),
    "volume-driver": (("VolumeOptions", "DriverConfig"), "Name", text),
    "volume-nocopy": (("VolumeOptions",), "NoCopy", _no_copy),
}
MOUNT_MAPS = {
    "volume-label": ("VolumeOptions", "Labels"),
    "volume-opt": ("VolumeOptions", "DriverConfig", "Options"),
}


class Ports:
    """What is exposed and what is published where."""

    def __init__(self) -> None:
        self.exposed: dict[str, Mapping[str, str]] = {}
        self.bindings: dict[str, list[Mapping[str, str]]] = {}

    def expose(self, value: str) -> None:
        """Add `port[-port][/protocol]`."""
        ports, protocol = _protocol(value)
        for port in _range(ports, f"invalid range format for --expose: {value}"):
            self.exposed[f"{port}/{protocol}"] = {}

    def publish(self, value: str) -> None:
        """Add `[[address:]port:]port[/protocol]`, with ranges.

        Only this machine reaches a published port, unless an address is written.
        """
        problem = f"invalid containerPort: {value}"
        written, protocol = _protocol(value)
        rest, sign, inside = written.rpartition(":")
        address, _, outside = rest.rpartition(":") if sign else ("", "", "")
        host = _address(address) if address else LOOPBACK
        inner = _range(inside, problem)
        outer = _range(outside, f"invalid hostPort: {outside}") if outside else []
        if outer and len(outer) != len(inner):
            if len(inner) != 1:
                raise InvalidValue("invalid ranges specified for container and host Ports")
            outer = []
            whole = outside
        else:
            whole = ""
        for index, port in enumerate(inner):
            key = f"{port}/{protocol}"
            self.exposed[key] = {}
            binding = {
                "HostIp": host,
                "HostPort": str(outer[index]) if outer else whole,
            }
            self.bindings.setdefault(key, []).append(binding)


def _address(written: str) -> str:
    """Return an IP address, of version 6 perhaps, then in brackets or not."""
    address = written.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise InvalidValue(f"invalid IP address: {address}") from error
    return address


def _protocol(value: str) -> tuple[str, str]:
    ports, _, protocol = value.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in PROTOCOLS:
        raise InvalidValue(f"invalid proto: {protocol}")
    return ports, protocol


def _range(ports: str, problem: str) -> list[int]:
    found = PORT.fullmatch(ports)
    if found is None:
        raise InvalidValue(problem)
    first = int(found["first"])
    last = int(found["last"] or first)
    if not first <= last <= HIGHEST_PORT:
        raise InvalidValue(problem)
    return list(range(first, last + 1))
