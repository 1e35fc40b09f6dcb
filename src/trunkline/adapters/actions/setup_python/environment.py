"""Makes an interpreter the job's own: a prefix in its tool cache that shares nothing to write to."""

from __future__ import annotations

import posixpath
import re

from trunkline.adapters.actions.setup_python.interpreters import Interpreter
from trunkline.ports.actions import ActionFailed, ActionJob

# The prefix is rebuilt: the interpreter copied, its library linked file by file, packages its own.
# So `sys.prefix` is the folder, as in GitHub's tool cache, and `pip install --user` works.
_WHOLE = """
set -eu
dir=$1 exe=$2 prefix=$3 library=$4 name=$5
lib=$dir/lib/${library##*/}
mkdir -p "$dir/bin" "$lib" "$dir/include/${library##*/}"
cp "$exe" "$dir/bin/$name"
ln -s "$library"/* "$lib/"
rm -f "$lib/site-packages" "$lib/EXTERNALLY-MANAGED"
mkdir "$lib/site-packages"
for headers in "$prefix/include/${library##*/}"/*; do
  [ -e "$headers" ] && ln -s "$headers" "$dir/include/${library##*/}/"
done
for part in "$prefix"/lib/libpython* "$prefix"/lib/pkgconfig "$prefix"/lib/tcl* \\
    "$prefix"/lib/tk* "$prefix"/lib/itcl* "$prefix"/lib/thread* "$prefix"/lib/libtcl* \\
    "$prefix"/lib/libtk*; do
  [ -e "$part" ] && ln -s "$part" "$dir/lib/"
done
[ -e "$prefix/bin/$name-config" ] && ln -s "$prefix/bin/$name-config" "$dir/bin/$name-config" \\
  && ln -s "$name-config" "$dir/bin/python3-config"
"""
# A distribution's own Python keeps packages in places of its own: there a virtual environment.
_VIRTUAL = """
set -eu
dir=$1 exe=$2 prefix=$3 library=$4 name=$5
lib=$dir/lib/${library##*/}
mkdir -p "$dir/bin" "$dir/include" "$lib/site-packages"
ln -s lib "$dir/lib64"
ln -s "$exe" "$dir/bin/$name"
cat >"$dir/pyvenv.cfg" <<END
home = ${exe%/*}
include-system-site-packages = false
executable = $exe
END
"""
_FINISH = """
ln -s "$name" "$dir/bin/python3"
ln -s "$name" "$dir/bin/python"
shift 5
for package in "$@"; do
  [ -e "$package" ] && cp -pR "$package" "$lib/site-packages/"
done
cd /
exec "$dir/bin/$name" -I -c 'import os, sys, sysconfig
print("prefix", os.path.samefile(sys.prefix, sys.argv[1]), sysconfig.get_path("purelib"))' "$dir"
"""
_UNPACK = """
import sys, zipfile
for wheel in sys.argv[2:]:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(sys.argv[1])
"""
_PIP = """#!{python}
import sys
from pip._internal.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""
_LONGEST_INTERPRETER_LINE = 127  # what older kernels take of a `#!` line


def make(interpreter: Interpreter, folder: str, job: ActionJob) -> str:
    """Make the environment in `folder`; return the path of its python. Raises ActionFailed."""
    packages = _packages(interpreter)
    found = interpreter.whole and _build(_WHOLE, interpreter, folder, packages, job)
    if not found:
        job.capture(["rm", "-rf", folder])
        found = _build(_VIRTUAL, interpreter, folder, packages, job)
    if not found:
        raise ActionFailed(
            f"{interpreter.executable} can't be set up: an environment made from it does not start."
        )
    python = f"{folder}/bin/python"
    if not packages:
        _unpack_wheels(interpreter, python, found, job)
    _write_scripts(interpreter, folder, job)
    return python


def _build(
    script: str, interpreter: Interpreter, folder: str, packages: list[str], job: ActionJob
) -> str:
    """Run a script that builds the environment; return where its packages go, '' when it fails."""
    name = posixpath.basename(interpreter.library)
    arguments = (
        folder,
        interpreter.executable,
        interpreter.prefix,
        interpreter.library,
        name,
        *packages,
    )
    code, output = job.capture(["sh", "-c", script + _FINISH, "sh", *arguments])
    found = re.search(r"^prefix True (.*)$", output, re.MULTILINE)
    return found[1] if not code and found else ""


def _packages(interpreter: Interpreter) -> list[str]:
    """Return what to copy of the interpreter's own packages: pip, and setuptools before 3.12."""
    site = f"{interpreter.library}/site-packages"
    infos = {posixpath.basename(info).partition("-")[0]: info for info in interpreter.infos}
    if "pip" not in infos:
        return []
    found = [f"{site}/pip", infos["pip"]]
    if "setuptools" in infos and interpreter.version.release < (3, 12, 0):
        parts = ("setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
        found += [*(f"{site}/{part}" for part in parts), infos["setuptools"]]
    return found


def _unpack_wheels(interpreter: Interpreter, python: str, site: str, job: ActionJob) -> None:
    """Install pip, and setuptools before 3.12, from the wheels that Python carries."""
    names = ("pip", "setuptools") if interpreter.version.release < (3, 12, 0) else ("pip",)
    newest = {posixpath.basename(wheel).partition("-")[0]: wheel for wheel in interpreter.wheels}
    wheels = [newest[name] for name in names if name in newest]
    if "pip" not in newest:
        job.annotate(
            "warning",
            f"{interpreter.executable} carries no pip (on Debian it is in python3-venv): "
            "the job has Python without pip.",
        )
    elif job.capture([python, "-I", "-c", _UNPACK, site, *wheels], cwd="/")[0]:
        raise ActionFailed(f"pip can't be unpacked from {newest['pip']}.")


def _write_scripts(interpreter: Interpreter, folder: str, job: ActionJob) -> None:
    name = posixpath.basename(interpreter.library)
    python = f"{folder}/bin/{name}"
    if len(python) + 3 > _LONGEST_INTERPRETER_LINE or " " in python:
        python = f"/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''"
    content = _PIP.format(python=python).encode(errors="surrogateescape")
    for script in ("pip", "pip3", name.replace("python", "pip")):
        job.sandbox.put(f"{folder}/bin/{script}", content, 0o755)
