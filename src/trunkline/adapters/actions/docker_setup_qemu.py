"""docker/setup-qemu-action as a native action: it tells which platforms this machine can run."""

from __future__ import annotations

from typing import NamedTuple

from trunkline.adapters.toolkit.groups import group
from trunkline.adapters.toolkit.inputs import Inputs, warn_of_unsupported
from trunkline.adapters.toolkit.lists import parse_list
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.adapters.toolkit.world import World
from trunkline.ports.actions import ActionCall, ActionJob

UNSUPPORTED = {
    "image": "emulators are this machine's own.",
    "reset": "this machine's emulators are not a job's to remove.",
    "cache-image": "no image is pulled.",
}
# What QEMU calls a processor -> platforms, in the order that binfmt tells them (tonistiigi/binfmt).
_EMULATED = {
    "x86_64": ("linux/amd64",),
    "aarch64": ("linux/arm64",),
    "riscv64": ("linux/riscv64",),
    "ppc64le": ("linux/ppc64le",),
    "s390x": ("linux/s390x",),
    "i386": ("linux/386",),
    "mips64el": ("linux/mips64le",),
    "mips64": ("linux/mips64",),
    "loongarch64": ("linux/loong64",),
    "arm": ("linux/arm/v7", "linux/arm/v6"),
}
_NATIVE = {"X64": "linux/amd64", "ARM64": "linux/arm64", "ARM": "linux/arm/v7", "X86": "linux/386"}
BINFMT = "/proc/sys/fs/binfmt_misc"
# Prints every emulator that is on and works in containers too (flag F: the kernel holds it open).
_READ = """
for file in "$1"/qemu-*; do
  [ -f "$file" ] || continue
  read -r state <"$file"
  [ "$state" = enabled ] && grep -q '^flags:.*F' "$file" && printf '%s\\n' "${file##*/}"
done
:
"""
_HINT = (
    "Emulators belong to the machine, not to a job: install them once, as root, for example with "
    "Debian's qemu-user-static, or `docker run --privileged --rm tonistiigi/binfmt --install all`."
)


class _Platforms(NamedTuple):
    """What can run: the machine's own platform first; `emulators` as the kernel names them."""

    supported: tuple[str, ...]
    emulators: tuple[str, ...]


class DockerSetupQemu(VersionedAction):
    """Sets the platforms as output; what is missing is told, and nothing is installed."""

    oldest, newest = 2, 4
    inputs = frozenset({"platforms", *UNSUPPORTED})

    def __init__(self, world: World, binfmt: str = BINFMT) -> None:
        """Read what the kernel tells in the folder `binfmt`."""
        super().__init__(world)
        self._binfmt = binfmt

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Tell the platforms; one that is asked for and can't be had is a warning."""
        warn_of_unsupported(call, job, UNSUPPORTED)
        asked = parse_list(Inputs(call, {}).text("platforms"))
        found = _read(self._binfmt, job)
        with group(job, "Extracting available platforms"):
            job.log(",".join(found.supported))
            job.log(f"Emulators: {', '.join(found.emulators) or 'none'}")
        job.set_output("platforms", ",".join(found.supported))
        missing = [name for name in asked if name != "all" and not _is_had(name, found)]
        if missing:
            job.annotate(
                "warning",
                f"This machine has no emulator for {', '.join(missing)}: building for it works only "
                f"as far as nothing of it is run. {_HINT}",
            )
        elif len(found.supported) == 1:
            job.log(f"This machine has no emulators. {_HINT}")


def _read(binfmt: str, job: ActionJob) -> _Platforms:
    _, told = job.capture(["sh", "-c", _READ, "sh", binfmt])
    emulators = tuple(told.split())
    names = {name.removeprefix("qemu-") for name in emulators}
    platforms = [_NATIVE.get(job.layout.arch, "linux/amd64")]
    platforms += [each for name, those in _EMULATED.items() if name in names for each in those]
    return _Platforms(tuple(dict.fromkeys(platforms)), emulators)


def _is_had(name: str, found: _Platforms) -> bool:
    """Tell whether what the input names can be run: a platform, a processor, or QEMU's name of it."""
    wanted = name.removeprefix("linux/")
    platforms = {each.removeprefix("linux/") for each in found.supported}
    return (
        wanted in platforms
        or wanted in {each.partition("/")[0] for each in platforms}
        or f"qemu-{wanted.removeprefix('qemu-')}" in found.emulators
    )
