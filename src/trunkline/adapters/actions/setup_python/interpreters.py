"""Finds the Python interpreters of the place a job runs in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trunkline.adapters.actions.setup_python.versions import Wish
from trunkline.adapters.toolkit.python_versions import python_version
from trunkline.adapters.toolkit.semver import Version
from trunkline.adapters.toolkit.tool_caches import tool_caches
from trunkline.ports.actions import ActionJob

# Below these of HOME, and of the machine, programs such as pyenv and uv keep interpreters;
# `*` is a version's own folder.
_HOME_PLACES = (
    ".pyenv/versions/*/bin",
    ".local/share/uv/python/*/bin",
    ".asdf/installs/python/*/bin",
    ".local/share/mise/installs/python/*/bin",
    ".rye/py/*/bin",
)
_MACHINE_PLACES = (
    "/usr/local/bin",
    "/usr/bin",
    "/opt/homebrew/bin",
    "/opt/python/*/bin",
)
# Prints every `python3.N` below the folders given; a pattern's `*` is the shell's to expand.
# Folders are told by their real names: /bin is often /usr/bin.
_LIST = """
look() {
  cd -P "$1" 2>/dev/null || return 0
  for file in python3.[0-9]*; do [ -f "$file" ] && [ -x "$file" ] && echo "$PWD/$file"; done
}
for place in "$@"; do
  case $place in
    *'*'*) for folder in "${place%%\\**}"*"${place#*\\*}"; do look "$folder"; done ;;
    *) look "$place" ;;
  esac
done
:
"""
# What an interpreter says of itself, and of where it has pip.
_ASK = r"""
import glob, os, sys, sysconfig
v = sys.version_info
name = "python%d.%d" % v[:2]
base = sys.base_prefix
tail = "" if v[3] == "final" else {"alpha": "a", "beta": "b", "candidate": "rc"}[v[3]] + str(v[4])
print("%d.%d.%d" % v[:3] + tail)
print(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
print(base)
print("free" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
scheme = getattr(sysconfig, "get_default_scheme", lambda: "")()
whole = base != "/usr" and scheme in ("", "posix_prefix", "venv")
whole = whole and not sysconfig.get_config_var("PYTHONFRAMEWORK")
suffix = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
library = os.path.join(base, "lib", name + suffix)
print("whole" if whole and os.path.isfile(os.path.join(library, "os.py")) else "")
print(library)
infos = glob.glob(os.path.join(library, "site-packages", "pip-*.dist-info", "RECORD"))
print(os.path.join(library, "site-packages") if infos else "")
wheels = sysconfig.get_config_var("WHEEL_PKG_DIR")
for place in (os.path.join(library, "ensurepip", "_bundled"), wheels or "", "/usr/share/python-wheels"):
    for wheel in sorted(glob.glob(os.path.join(place, "*.whl"))):
        print(wheel)
"""


class Interpreter(NamedTuple):
    """An interpreter that was asked.

    `whole` says that its prefix may be rebuilt from links (no distribution's or framework's own
    rules). `packages` is the folder that has its pip, '' when that can't be shared; `wheels` are
    the pip and setuptools that it carries.
    """

    version: Version
    text: str
    executable: str
    prefix: str
    library: str
    free_threaded: bool
    whole: bool
    packages: str
    wheels: tuple[str, ...]


class Interpreters:
    """The interpreters of a job's place, asked only as far as needed."""

    def __init__(self, job: ActionJob, environment: Mapping[str, str], more: Iterable[str]) -> None:
        """Look for interpreters on the PATH and HOME of `environment`, and in the folders `more`."""
        self._job = job
        self._asked: dict[str, Interpreter | None] = {}
        self._paths = self._list(_places(environment, more))

    def _list(self, places: list[str]) -> list[str]:
        _, output = self._job.capture(["sh", "-c", _LIST, "sh", *places])
        seen = dict.fromkeys(output.splitlines())
        return [path for path in seen if re.fullmatch(r".*/python3\.\d+t?", path)]

    def find(self, wish: Wish) -> Interpreter | None:
        """Return the newest interpreter that fits; of equal ones the first found."""
        best: Interpreter | None = None
        for minor in sorted({_minor(path) for path in self._paths}, reverse=True):
            if not _may_fit(wish, minor):
                continue
            for path in (path for path in self._paths if _minor(path) == minor):
                found = self._ask(path)
                fits = (
                    found is not None
                    and found.free_threaded == wish.free_threaded
                    and wish.range.allows(found.version)
                )
                if found and fits and (best is None or found.version > best.version):
                    best = found
            if best:
                return best
        return None

    def on_path(self, path: str) -> str:
        """Return the version of the first `python3` on a search path, '' when there is none."""
        program = self._job.sandbox.find("python3", path)
        found = self._ask(program) if program else None
        return found.text if found else ""

    def add(self, path: str) -> None:
        """Know one more interpreter."""
        self._paths.append(path)

    def versions(self) -> list[str]:
        """Return the versions that are here, oldest first."""
        found = {asked for path in self._paths if (asked := self._ask(path))}
        unique = {each.text: each.version for each in found}
        return sorted(unique, key=lambda text: unique[text])

    def _ask(self, path: str) -> Interpreter | None:
        if path not in self._asked:
            code, output = self._job.capture([path, "-I", "-c", _ASK], cwd="/")
            self._asked[path] = _parse(output) if not code else None
        return self._asked[path]


def _places(environment: Mapping[str, str], more: Iterable[str]) -> list[str]:
    home = environment.get("HOME", "")
    own = [f"{home}/{place}" for place in _HOME_PLACES] if home else []
    if environment.get("PYENV_ROOT"):
        own.insert(0, f"{environment['PYENV_ROOT']}/versions/*/bin")
    if environment.get("UV_PYTHON_INSTALL_DIR"):
        own.insert(0, f"{environment['UV_PYTHON_INSTALL_DIR']}/*/bin")
    kept = [
        f"{place}/Python/*/{arch}/bin"
        for place in tool_caches(environment)
        for arch in ("x64", "arm64")
    ]
    # A shim starts whatever the folder it is called in says.
    path = [folder for folder in environment.get("PATH", "").split(":") if _is_real(folder)]
    return list(dict.fromkeys([*path, *own, *_MACHINE_PLACES, *kept, *more]))


def _is_real(folder: str) -> bool:
    return folder.startswith("/") and not folder.rstrip("/").endswith("/shims")


def _minor(path: str) -> int:
    return int(path.rpartition("python3.")[2].rstrip("t"))


def _may_fit(wish: Wish, minor: int) -> bool:
    """Tell whether some 3.<minor> may fit, so that the others need not be asked."""
    named = re.fullmatch(
        r"(\d+\.\d+)(?:\.\d+)?(?:t|t?-dev|-?(?:a|b|rc|alpha|beta)[.\d]+)?", wish.text
    )
    return named is None or named[1] == f"3.{minor}"


def _parse(output: str) -> Interpreter | None:
    lines = output.splitlines()
    version = python_version(lines[0]) if len(lines) > 6 else None
    if version is None:
        return None
    return Interpreter(
        version=version,
        text=lines[0],
        executable=lines[1],
        prefix=lines[2],
        free_threaded=bool(lines[3]),
        whole=bool(lines[4]),
        library=lines[5],
        packages=lines[6],
        wheels=tuple(line for line in lines[7:] if line.endswith(".whl")),
    )
