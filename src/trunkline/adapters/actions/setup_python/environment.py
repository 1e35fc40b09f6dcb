"""Makes an interpreter the job's own: a prefix in its tool cache that shares nothing to write to."""

from __future__ import annotations

import posixpath

from trunkline.adapters.actions.setup_python.interpreters import Interpreter
from trunkline.adapters.toolkit.files import has_file
from trunkline.ports.actions import ActionFailed, ActionJob

# The prefix is rebuilt: the interpreter copied, its library linked file by file, packages its own.
# So `sys.prefix` is the folder, as in GitHub's tool cache, and `pip install --user` works.
_WHOLE = """
set -eu
dir=$1 exe=$2 prefix=$3 library=$4 name=$5
[ ! -L "$dir" ] || rm -f "$dir"  # what it leads to is not the job's
lib=$dir/lib/${library##*/}
mkdir -p "$dir/bin" "$lib" "$dir/include/${library##*/}"
cp "$exe" "$dir/bin/$name"
# One process links many: ln is started once for each folder, not for each file.
link() {
  place=$1
  shift
  for part; do
    shift
    [ ! -e "$part" ] || set -- "$@" "$part"
  done
  [ $# -eq 0 ] || ln -s "$@" "$place/"
}
ln -s "$library"/* "$lib/"
rm -f "$lib/site-packages" "$lib/EXTERNALLY-MANAGED"
mkdir "$lib/site-packages"
link "$dir/include/${library##*/}" "$prefix/include/${library##*/}"/*
link "$dir/lib" "$prefix"/lib/libpython* "$prefix"/lib/pkgconfig "$prefix"/lib/tcl* \\
  "$prefix"/lib/tk* "$prefix"/lib/itcl* "$prefix"/lib/thread* "$prefix"/lib/libtcl* \\
  "$prefix"/lib/libtk*
[ -e "$prefix/bin/$name-config" ] && ln -s "$prefix/bin/$name-config" "$dir/bin/$name-config" \\
  && ln -s "$name-config" "$dir/bin/python3-config"
"""
# A distribution's own Python keeps packages in places of its own: there a virtual environment.
_VIRTUAL = """
set -eu
dir=$1 exe=$2 prefix=$3 library=$4 name=$5
[ ! -L "$dir" ] || rm -f "$dir"  # what it leads to is not the job's
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
_START = """
ln -s "$name" "$dir/bin/python3"
ln -s "$name" "$dir/bin/python"
cd /
exec "$dir/bin/$name" -I -c "$finish" "$dir" "$packages"
"""
# pip (and setuptools before 3.12) are linked, not copied: they are a thousand files. What is known
# of them is copied with a RECORD of what is the job's own, so that an upgrade removes that alone
# and what it installs comes first.
_FINISH = r"""
import glob, os, shutil, sys, sysconfig
folder, source = sys.argv[1:]
site = sysconfig.get_path("purelib")
python = os.path.join(folder, "bin", "python%d.%d" % sys.version_info[:2])
linked = os.path.join(folder, "lib", "base-packages")
parts = {"pip": ["pip"]}
if sys.version_info < (3, 12):
    parts["setuptools"] = ["setuptools", "pkg_resources", "_distutils_hack"]

def write(path, text, mode=0o644):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)

def script():
    shebang = "#!" + python
    if len(shebang) > 127 or " " in shebang:
        shebang = "#!/bin/sh\n'''exec' \"" + python + "\" \"$0\" \"$@\"\n' '''"
    return shebang + "\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"

def share(name, info):
    own = os.path.join(site, os.path.basename(info))
    os.mkdir(own)
    record = []
    for file in ("METADATA", "WHEEL", "INSTALLER", "entry_points.txt", "top_level.txt"):
        if os.path.isfile(os.path.join(info, file)):
            shutil.copyfile(os.path.join(info, file), os.path.join(own, file))
            record.append(os.path.join(os.path.basename(own), file))
    for part in parts[name]:
        if os.path.isdir(os.path.join(source, part)):
            os.symlink(os.path.join(source, part), os.path.join(linked, part))
    if name == "pip":
        for each in ("pip", "pip3", os.path.basename(python).replace("python", "pip")):
            write(os.path.join(folder, "bin", each), script(), 0o755)
            record.append(os.path.relpath(os.path.join(folder, "bin", each), site))
    hook = "distutils-precedence.pth"
    if name == "setuptools" and os.path.isfile(os.path.join(source, hook)):
        shutil.copyfile(os.path.join(source, hook), os.path.join(site, hook))
        record.append(hook)
    record.append(os.path.join(os.path.basename(own), "RECORD"))
    write(os.path.join(own, "RECORD"), "".join(line + ",,\n" for line in record))

if source:
    os.mkdir(linked)
    write(os.path.join(site, "base-packages.pth"), linked + "\n")
    for name in parts:
        for info in sorted(glob.glob(os.path.join(source, name + "-*.dist-info")))[-1:]:
            share(name, info)
print("prefix", os.path.samefile(sys.prefix, folder))
"""
_UNPACK = r"""
import compileall, os, sys, zipfile
target, draft = sys.argv[1], "%s.%d" % (sys.argv[1], os.getpid())
for wheel in sys.argv[2:]:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(draft)
compileall.compile_dir(draft, ddir=target, quiet=2)
try:
    os.rename(draft, target)
except OSError:
    if not os.path.isdir(target):
        raise
"""


def make(interpreter: Interpreter, folder: str, shared: str, job: ActionJob) -> None:
    """Make the environment in `folder`. Raises ActionFailed.

    `shared` is a folder where packages that were unpacked once are kept for other jobs.
    """
    packages = interpreter.packages or _unpacked(interpreter, shared, job)
    if interpreter.whole and _build(_WHOLE, interpreter, folder, packages, job):
        return
    job.capture(["rm", "-rf", folder])
    if not _build(_VIRTUAL, interpreter, folder, packages, job):
        raise ActionFailed(
            f"{interpreter.executable} can't be set up: an environment made from it does not start."
        )


def _build(
    script: str, interpreter: Interpreter, folder: str, packages: str, job: ActionJob
) -> bool:
    """Run a script that builds the environment; tell whether its python started."""
    name = posixpath.basename(interpreter.library)
    place = (folder, interpreter.executable, interpreter.prefix, interpreter.library, name)
    variables = {"finish": _FINISH, "packages": packages}
    command = ["sh", "-c", script + _START, "sh", *place]
    code, output = job.capture(command, env=variables)
    return not code and "prefix True" in output.splitlines()


def _unpacked(interpreter: Interpreter, shared: str, job: ActionJob) -> str:
    """Return where the wheels that Python carries are unpacked, '' when it carries no pip."""
    names = ("pip", "setuptools") if interpreter.version.release < (3, 12, 0) else ("pip",)
    newest = {posixpath.basename(wheel).partition("-")[0]: wheel for wheel in interpreter.wheels}
    wheels = [newest[name] for name in names if name in newest]
    if "pip" not in newest:
        job.annotate(
            "warning",
            f"{interpreter.executable} carries no pip (on Debian it is in python3-venv): "
            "the job has Python without pip.",
        )
        return ""
    words = [posixpath.basename(wheel).removesuffix("-py3-none-any.whl") for wheel in wheels]
    target = f"{shared}/{'-'.join([posixpath.basename(interpreter.library), *words])}"
    if not has_file(job, f"{target}/pip/__init__.py"):
        job.capture(["mkdir", "-p", shared])
        command = [interpreter.executable, "-I", "-c", _UNPACK, target, *wheels]
        code, output = job.capture(command, cwd="/")
        if code:
            raise ActionFailed(f"pip can't be unpacked from {newest['pip']}: {output.strip()}")
    return target
