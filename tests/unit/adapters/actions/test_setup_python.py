"""setup-python: versions as the real one reads them, and an environment of the job's own."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import write
from trunkline.adapters.actions.setup_python.action import SetupPython
from trunkline.adapters.actions.setup_python.versions import Wish
from trunkline.adapters.toolchains.uv import UvToolchain
from trunkline.adapters.toolkit.python_versions import python_version
from trunkline.adapters.toolkit.semver import parse_range
from trunkline.base.errors import Unavailable
from trunkline.ports.actions import ActionFailed

WHEEL = {
    "mine.py": "def main(): print(42)\n",
    "mine-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: mine\nVersion: 1\n",
    "mine-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "mine-1.dist-info/entry_points.txt": "[console_scripts]\nmine = mine:main\n",
    "mine-1.dist-info/RECORD": "",
    "mine-1.data/headers/mine.h": "",
    "mine-1.data/data/share/mine.txt": "",
}
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    return LocalJob(tmp_path / "state", os.environ)


@pytest.fixture
def action(tmp_path: Path) -> SetupPython:
    return SetupPython(world(tmp_path, tmp_path, offline=True))


def set_up(action: SetupPython, job: LocalJob, **inputs: str) -> None:
    action.main(job.call("actions/setup-python@v6", {}, **inputs), job)


class TestEnvironment:
    """What the job gets."""

    def test_python_and_pip_are_the_job_s(self, action: SetupPython, job: LocalJob) -> None:
        set_up(action, job, python_version=MINOR)
        version = job.outputs["python-version"]
        place = Path(job.layout.tool_cache, "Python", version, job.layout.arch.lower())
        assert version.startswith(f"{MINOR}.")
        assert job.outputs["python-path"] == f"{place}/bin/python"
        assert job.paths == [f"{place}/bin", str(place)]
        for name in ("python", "python3", f"python{MINOR}", "pip", "pip3", f"pip{MINOR}"):
            assert job.shell(f"command -v {name}") == f"{place}/bin/{name}"
        assert job.shell("python -c 'import sys; print(sys.prefix)'") == str(place)
        assert str(place) in job.shell("pip --version")
        assert str(place) in job.shell("python -m pip --version")
        assert (place.parent / f"{place.name}.complete").exists()

    def test_variables_of_the_real_one(self, action: SetupPython, job: LocalJob) -> None:
        set_up(action, job, python_version=MINOR)
        place = str(Path(job.outputs["python-path"]).parents[1])
        expected = {
            "pythonLocation": place,
            "PKG_CONFIG_PATH": f"{place}/lib/pkgconfig",
            "Python_ROOT_DIR": place,
            "Python2_ROOT_DIR": place,
            "Python3_ROOT_DIR": place,
        }
        assert expected.items() <= job.exported.items()
        assert job.exported["LD_LIBRARY_PATH"].split(":")[0] == f"{place}/lib"

    def test_the_found_interpreter_is_never_written_to(
        self, action: SetupPython, job: LocalJob, tmp_path: Path
    ) -> None:
        wheel = tmp_path / "mine-1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in WHEEL.items():
                archive.writestr(name, text)
        set_up(action, job, python_version=MINOR)
        found = re.search(r" from (\S+)", " ".join(job.lines))
        assert found is not None
        asked = "import json, sysconfig; print(json.dumps(sysconfig.get_paths()))"
        told = subprocess.run([found[1], "-c", asked], check=True, capture_output=True)
        places = json.loads(told.stdout)
        data = places["data"]
        folders = {*places.values(), f"{data}/share", f"{data}/include/site/python{MINOR}"}

        def theirs() -> set[str]:
            return {str(path) for folder in folders for path in Path(folder).glob("mine*")}

        before = theirs()
        job.shell(f"pip install -q --no-deps --no-index {wheel}")
        assert job.shell("mine") == "42"
        assert theirs() == before
        job.shell("pip uninstall -q -y mine pip")
        assert job.shell("command -v pip || true") != f"{job.paths[0]}/pip"
        assert subprocess.run([found[1], "-m", "pip", "--version"], check=False).returncode == 0

    def test_user_installs_go_to_the_job_s_home(self, action: SetupPython, job: LocalJob) -> None:
        set_up(action, job, python_version=MINOR)
        assert job.shell("python -m site --user-base") == f"{job.layout.home}/.local"

    def test_virtual_environments_can_be_made_of_it(
        self, action: SetupPython, job: LocalJob
    ) -> None:
        set_up(action, job, python_version=MINOR)
        job.shell("python -m venv --without-pip made")
        assert job.shell("made/bin/python -c 'import sys, json; print(sys.prefix)'") == str(
            job.workspace / "made"
        )

    def test_a_distribution_s_python_becomes_a_virtual_environment(
        self, job: LocalJob, tmp_path: Path
    ) -> None:
        own = Path("/usr/bin/python3")
        if not own.exists() or not Path("/usr/lib/python3/dist-packages").is_dir():
            pytest.skip("no Debian Python here")
        environment = {"PATH": "/usr/bin", "HOME": str(tmp_path)}
        action = SetupPython(world(tmp_path, tmp_path, environment=environment))
        text = job.shell(f"{own} -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'")
        set_up(action, job, python_version=text)
        place = str(Path(job.outputs["python-path"]).parents[1])
        assert job.shell("python -c 'import sys; print(sys.prefix)'") == place
        assert place in job.shell("pip --version")

    def test_two_jobs_at_once_share_nothing(self, action: SetupPython, tmp_path: Path) -> None:
        jobs = [LocalJob(tmp_path / "state", os.environ, key=key) for key in ("a", "b")]
        for each in jobs:
            set_up(action, each, python_version=MINOR)
        assert jobs[0].outputs["python-path"] != jobs[1].outputs["python-path"]

    def test_without_touching_the_environment(self, action: SetupPython, job: LocalJob) -> None:
        set_up(action, job, python_version=MINOR, update_environment="false")
        assert (job.exported, job.paths) == ({}, [])
        assert Path(job.outputs["python-path"]).exists()

    def test_few_programs_are_started(
        self, action: SetupPython, tmp_path: Path, started: list[str]
    ) -> None:
        for key in ("first", "second"):
            started.clear()
            set_up(action, LocalJob(tmp_path / "state", os.environ, key), python_version=MINOR)
        assert len(started) <= 7, started


class TestVersions:
    """Which version is meant."""

    @pytest.mark.parametrize(
        ("text", "fits", "fails"),
        [
            ("3.11", "3.11.0 3.11.7", "3.12.0 3.11.0rc1 3.1.0"),
            ("3.11.7", "3.11.7", "3.11.6"),
            ("3", "3.9.1 3.13.0", "2.7.18"),
            ("3.x", "3.9.1 3.13.0", "4.0.0"),
            ("x", "3.9.1", ""),
            (">=3.9 <3.12", "3.9.0 3.11.9", "3.12.0 3.8.18"),
            ("3.14-dev", "3.14.0a1 3.14.0rc2 3.14.1", "3.15.0 3.13.9"),
            ("3.14.0-rc.1", "3.14.0rc1", "3.14.0rc2 3.14.0"),
            ("3.14.0rc1", "3.14.0rc1", "3.14.0"),
            ("3.13t", "3.13.1", "3.12.0"),
        ],
    )
    def test_ranges(self, text: str, fits: str, fails: str) -> None:
        wish = Wish(text, allow_prereleases=False, free_threaded=False)
        assert wish.free_threaded is text.endswith("t")
        words = f"{fits} {fails}".split()
        versions = {word: python_version(word) for word in words}
        found = [
            word for word, version in versions.items() if version and wish.range.allows(version)
        ]
        assert found == fits.split()

    def test_prereleases_when_they_are_allowed(self) -> None:
        wish = Wish("3.14", allow_prereleases=True, free_threaded=False)
        version = python_version("3.14.0rc1")
        assert version is not None
        assert wish.range.allows(version)

    @pytest.mark.parametrize("text", ["pypy3.10", "graalpy-24.0"])
    def test_other_implementations_are_named(self, text: str) -> None:
        with pytest.raises(ActionFailed, match="only CPython can be set up here"):
            Wish(text, allow_prereleases=False, free_threaded=False)

    def test_what_is_no_version(self) -> None:
        with pytest.raises(ActionFailed, match="'latest' is no version of Python"):
            Wish("latest", allow_prereleases=False, free_threaded=False)

    def test_a_missing_version_names_those_that_are_here(
        self, action: SetupPython, job: LocalJob
    ) -> None:
        with pytest.raises(ActionFailed) as caught:
            set_up(action, job, python_version="3.2")
        first, second, third = str(caught.value).split("\n")
        assert first.startswith("The version '3.2' with architecture 'x64' was not found for ")
        assert "--offline was given" in second
        assert re.search(rf"Versions of Python here: .*{MINOR}\.\d+", third)

    def test_3_10_without_quotes_is_explained(self, action: SetupPython, job: LocalJob) -> None:
        with pytest.raises(ActionFailed, match=r"Write '3\.10' in quotes"):
            set_up(action, job, python_version="3.1")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            (".python-version", f"# mine\n\n{MINOR}/envs/mine\n"),
            ("pyproject.toml", f'[project]\nrequires-python = ">= {MINOR}, != {MINOR}.99, <4"\n'),
            ("pyproject.toml", f'[tool.poetry.dependencies]\npython = "^{MINOR}"\n'),
            (".tool-versions", f"nodejs 20.1.0\npython {MINOR}\n"),
            ("Pipfile", f'[requires]\npython_version = "{MINOR}"\n'),
        ],
    )
    def test_version_files(self, action: SetupPython, job: LocalJob, name: str, text: str) -> None:
        write(job.workspace, {f"sub/{name}": text})
        set_up(action, job, python_version_file=f"sub/{name}")
        assert job.outputs["python-version"].startswith("3.")
        if ">" not in text and "^" not in text:
            assert job.outputs["python-version"].startswith(f"{MINOR}.")

    def test_the_default_file(self, action: SetupPython, job: LocalJob) -> None:
        write(job.workspace, {".python-version": f"{MINOR}\n"})
        set_up(action, job)
        assert job.outputs["python-version"].startswith(f"{MINOR}.")

    def test_nothing_asked_for_is_the_python_on_path(
        self, action: SetupPython, job: LocalJob
    ) -> None:
        set_up(action, job)
        assert job.annotations[0][1].startswith("The `python-version` input is not set.")
        assert job.outputs["python-version"].startswith("3.")

    def test_a_missing_file_is_named(self, action: SetupPython, job: LocalJob) -> None:
        with pytest.raises(ActionFailed, match=r"version file at: none\.txt doesn't exist"):
            set_up(action, job, python_version_file="none.txt")

    def test_several_versions_the_last_first(self, action: SetupPython, job: LocalJob) -> None:
        set_up(action, job, python_version=f"{MINOR}\n>=3")
        assert job.outputs["python-path"] == f"{job.paths[0]}/python"

    def test_a_wrong_boolean(self, action: SetupPython, job: LocalJob) -> None:
        with pytest.raises(ActionFailed, match=r'does not meet YAML 1\.2 "Core Schema"'):
            set_up(action, job, python_version=MINOR, update_environment="yes")

    def test_a_wrong_pip_version(self, action: SetupPython, job: LocalJob) -> None:
        with pytest.raises(ActionFailed, match='Invalid pip-version "latest"'):
            set_up(action, job, python_version=MINOR, pip_version="latest")


class TestCache:
    """`cache` and its keys."""

    GITHUB: ClassVar[dict[str, Any]] = {"ref": "refs/heads/main", "repository": "octo/demo"}

    def test_miss_then_hit(self, action: SetupPython, job: LocalJob) -> None:
        write(job.workspace, {"sub/requirements.txt": "six\n"})
        call = job.call("x@v6", self.GITHUB, python_version=MINOR, cache="pip")
        action.main(call, job)
        assert job.outputs["cache-hit"] == "false"
        key = job.state["cache-primary-key"]
        version = job.outputs["python-version"]
        assert re.fullmatch(rf"setup-python-Linux-x64-.*-python-{version}-pip-[0-9a-f]{{64}}", key)
        action.post(job.call("x@v6", self.GITHUB), job)
        assert job.lines[-1] == f"Cache saved with the key: {key}"
        action.main(call, job)
        assert job.outputs["cache-hit"] == "true"

    @pytest.mark.parametrize(
        ("manager", "message"),
        [
            ("conda", "Caching for 'conda' is not supported"),
            ("pip", r"matched to \[\*\*/requirements\.txt or \*\*/pyproject\.toml\]"),
            ("poetry", r"matched to \[\*\*/poetry\.lock\], make sure you have checked out"),
        ],
    )
    def test_mistakes(self, action: SetupPython, job: LocalJob, manager: str, message: str) -> None:
        with pytest.raises(ActionFailed, match=message):
            action.main(job.call("x", self.GITHUB, python_version=MINOR, cache=manager), job)


@pytest.mark.long
@pytest.mark.registry
def test_what_is_not_here_comes_through_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """uv itself comes from PyPI; the Python it downloads from a mirror on this machine."""
    version = "3.98.7"
    library = "python/lib/python3.98"
    texts = {
        "python/bin/python3.98": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
        f"{library}/os.py": "",
        f"{library}/_sysconfigdata__linux_x86_64-linux-gnu.py": "# system configuration generated and "
        "used by the sysconfig module\nbuild_time_vars = {}\n",
    }
    archive = tmp_path / "python.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for name, text in texts.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            file.addfile(entry, io.BytesIO(text.encode()))
    entries = {
        f"cpython-{version}-linux-x86_64-gnu": {
            "name": "cpython",
            "arch": {"family": "x86_64", "variant": None},
            "os": "linux",
            "libc": "gnu",
            **dict(zip(("major", "minor", "patch"), map(int, version.split(".")), strict=True)),
            "prerelease": "",
            "url": archive.as_uri(),
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
            "variant": None,
            "build": "20260101",
        }
    }
    (tmp_path / "mirror.json").write_text(json.dumps(entries), encoding="utf-8")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(tmp_path / "mirror.json"))
    chain = UvToolchain(tmp_path / "cache", os.environ)
    versions = parse_range("3.98")
    assert versions is not None
    try:
        program = chain.install("")
    except Unavailable as error:
        pytest.skip(error.message)
    path = chain.install_python(program.uv, versions, free_threaded=False)
    assert path == f"{tmp_path}/cache/uv-python/cpython-{version}-linux-x86_64-gnu/bin/python3.98"
    assert subprocess.run([path, "-c", ""], check=False).returncode == 0
    assert [each.version for each in chain.programs()] == [program.version]
