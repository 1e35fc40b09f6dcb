"""What a job on this machine sees of its caller: what tools need, nothing to publish with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from trunkline.adapters.clock import SystemIds
from trunkline.adapters.file_search import search_disk
from trunkline.adapters.sandboxes.host import HostSandbox, HostSandboxes
from trunkline.adapters.sandboxes.host.environment import read_caller, without_credentials
from trunkline.ports.process import ProcessSpec
from trunkline.ports.sandbox import JobPlace, Layout


def prepare(environ: dict[str, str], folder: Path, *pass_env: str) -> tuple[HostSandbox, Layout]:
    sandbox = HostSandboxes(str(folder), SystemIds(), environ, bool, search_disk).open("host")
    place = JobPlace(
        run_id="1", key="a", where="host", repository="o/r", event="{}", pass_env=pass_env
    )
    return sandbox, sandbox.prepare(place)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/opt/bin:/usr/bin"),
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "C"),
        ("TZ", "Europe/Berlin"),
        ("https_proxy", "http://me:secret@proxy:3128"),
        ("NO_PROXY", "localhost"),
        ("SSL_CERT_FILE", "/etc/ca.pem"),
        ("NODE_EXTRA_CA_CERTS", "/etc/ca.pem"),
        ("GIT_SSL_CAINFO", "/etc/ca.pem"),
        ("PIP_INDEX_URL", "https://mirror/simple"),
        ("PIP_FIND_LINKS", "/opt/wheels"),
        ("PIP_KEYRING_PROVIDER", "disabled"),
        ("UV_DEFAULT_INDEX", "https://mirror/simple"),
        ("UV_PYTHON_INSTALL_MIRROR", "file:///opt/python"),
        ("npm_config_registry", "https://mirror/npm"),
        ("NPM_CONFIG_CAFILE", "/etc/ca.pem"),
        ("npm_config_@octo:registry", "https://mirror/octo"),
        ("GOPROXY", "https://mirror/go,direct"),
        ("JAVA_HOME", "/opt/java"),
        ("PIP_CACHE_DIR", "/cache/pip"),
    ],
)
def test_what_tools_need_passes(name: str, value: str) -> None:
    assert read_caller({name: value}).variables[name] == value


@pytest.mark.parametrize(
    "name",
    [
        *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "GITHUB_TOKEN", "GH_TOKEN", "NPM_TOKEN"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "KUBECONFIG"),
        *("DOCKER_CONFIG", "DOCKER_HOST", "TWINE_PASSWORD", "TWINE_USERNAME", "CARGO_HOME"),
        *("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TERM", "DISPLAY"),
        *(
            "PYTHONDONTWRITEBYTECODE",
            "PYTHONPATH",
            "VIRTUAL_ENV",
            "NODE_OPTIONS",
            "NODE_AUTH_TOKEN",
        ),
        *("GIT_CONFIG_COUNT", "GIT_ASKPASS", "GIT_DIR", "GIT_AUTHOR_NAME"),
        *("UV_PUBLISH_TOKEN", "UV_INDEX_X_PASSWORD", "UV_INDEX_X_USERNAME", "UV_CREDENTIALS_DIR"),
        *("UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "UV_ENV_FILE", "UV_TOOL_DIR", "UV"),
        *("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_PASSWORD", "PIP_API_KEY"),
        *("npm_config_userconfig", "NPM_CONFIG__AUTH", "npm_config_//host/:_authToken"),
        *("npm_config_prefix", "npm_package_name", "npm_config__password", "RUNNER_TRACKING_ID"),
        *("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "FOO", "path"),
    ],
)
def test_what_could_publish_or_confuse_does_not_pass(name: str) -> None:
    assert name not in read_caller({name: "x"}).variables


def test_credentials_in_an_index_address_are_cut_out() -> None:
    variables = read_caller(
        {
            "PIP_INDEX_URL": "https://me:secret@mirror/simple",
            "PIP_EXTRA_INDEX_URL": "https://a:b@one/simple https://token@two/simple https://three",
            "npm_config_registry": "https://me:secret@mirror/npm",
            "GOPROXY": "https://u:p@goproxy,direct",
        }
    ).variables
    assert variables["PIP_INDEX_URL"] == "https://mirror/simple"
    expected = "https://one/simple https://two/simple https://three"
    assert variables["PIP_EXTRA_INDEX_URL"] == expected
    assert variables["npm_config_registry"] == "https://mirror/npm"
    assert variables["GOPROXY"] == "https://goproxy,direct"


def test_caches_stay_the_users(tmp_path: Path) -> None:
    (tmp_path / "cache/pre-commit").mkdir(parents=True)
    variables = read_caller(
        {"HOME": str(tmp_path), "XDG_CACHE_HOME": f"{tmp_path}/cache", "NPM_CONFIG_CACHE": "/npm"}
    ).variables
    assert variables["PIP_CACHE_DIR"] == f"{tmp_path}/cache/pip"
    assert variables["UV_CACHE_DIR"] == f"{tmp_path}/cache/uv"
    assert variables["PRE_COMMIT_HOME"] == f"{tmp_path}/cache/pre-commit"
    assert variables["NPM_CONFIG_CACHE"] == "/npm"
    assert "npm_config_cache" not in variables
    assert "RUSTUP_HOME" not in variables


def test_a_missing_path_has_a_default() -> None:
    assert read_caller({}).variables == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    }


def test_a_job_has_its_own_home_with_the_clients_settings_but_no_credentials(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    (home / ".config/pip").mkdir(parents=True)
    (home / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://me:pw@mirror/simple\ntrusted-host = mirror\n"
    )
    (home / ".npmrc").write_text(
        "registry=https://mirror/npm\n//mirror/npm/:_authToken=abc\n_auth=abc\nemail=me@x\n"
        "cafile=/ca.pem\nkey=private\nprefix=/usr\nStrict-SSL = true\n; registry=x\n@octo:registry=https://mirror/octo\n"
    )
    (home / ".pypirc").write_text("[pypi]\npassword=abc\n")
    (home / ".cargo/registry").mkdir(parents=True)
    (home / ".cargo/credentials.toml").write_text("[registry]\ntoken = 'abc'\n")
    sandbox, layout = prepare({"HOME": str(home), "PATH": os.environ["PATH"]}, tmp_path)
    own = Path(layout.home)
    assert layout.env["HOME"] == layout.home
    assert (own / ".config/pip/pip.conf").read_text() == (
        "[global]\nindex-url = https://mirror/simple\ntrusted-host = mirror\n"
    )
    assert (own / ".npmrc").read_text() == (
        "registry=https://mirror/npm\ncafile=/ca.pem\nStrict-SSL = true\n@octo:registry=https://mirror/octo\n"
    )
    assert (own / ".cargo/registry").readlink() == home / ".cargo/registry"
    names = sorted(str(path.relative_to(own)) for path in own.rglob("*") if not path.is_dir())
    assert names == [".config/pip/pip.conf", ".docker/config.json", ".npmrc"]
    sandbox.tear_down(keep=False)
    assert (home / ".cargo/registry").is_dir()


def test_a_configuration_that_a_variable_names_is_copied_too(tmp_path: Path) -> None:
    (tmp_path / "my.conf").write_text("[global]\nindex-url = https://a:b@mirror/simple\n")
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "my.conf")}
    sandbox, layout = prepare(environ, tmp_path)
    path = Path(layout.env["PIP_CONFIG_FILE"])
    assert path.is_relative_to(layout.home)
    assert path.read_text() == "[global]\nindex-url = https://mirror/simple\n"
    sandbox.tear_down(keep=False)


def test_container_clients_are_shown_logins_of_the_jobs_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".docker").mkdir(parents=True)
    (home / ".docker/config.json").write_text('{"auths": {"ghcr.io": {"auth": "bWU6cHc="}}}')
    environ = {"HOME": str(home), "DOCKER_CONFIG": str(home / ".docker")}
    sandbox, layout = prepare(environ, tmp_path)
    assert "DOCKER_CONFIG" not in layout.env
    own = Path(layout.home, ".docker/config.json")
    assert layout.env["REGISTRY_AUTH_FILE"] == str(own)
    assert json.loads(own.read_text()) == {"auths": {"rehearsal.invalid": {}}}
    sandbox.tear_down(keep=False)


@pytest.mark.skipif(shutil.which("docker") is None, reason="Docker's client is not installed")
def test_docker_does_not_ask_the_users_keychain_in_a_job(tmp_path: Path) -> None:
    tools, told = tmp_path / "tools", tmp_path / "told"
    tools.mkdir()
    for name in ("pass", "docker-credential-pass", "docker-credential-secretservice"):
        (tools / name).write_text(f"#!/bin/sh\necho asked >>{told}\n")
        (tools / name).chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    sandbox, layout = prepare({"PATH": path, "HOME": str(tmp_path)}, tmp_path)
    env = {**layout.env, "DOCKER_HOST": f"unix://{tmp_path}/nobody"}
    for argv in (("docker", "push", "ghcr.io/o/n"), ("docker", "pull", "ghcr.io/o/n")):
        process = sandbox.start(ProcessSpec(argv=argv, env=env, cwd=layout.workspace))
        while process.read(None):
            pass
        assert process.wait()
    assert not told.exists()
    sandbox.tear_down(keep=False)


def test_named_variables_pass_as_they_are(tmp_path: Path) -> None:
    environ = {"HOME": "/home/me", "GITHUB_TOKEN": "abc", "OTHER": "x"}
    sandbox, layout = prepare(environ, tmp_path, "GITHUB_TOKEN", "HOME", "NOT_SET")
    assert layout.env["GITHUB_TOKEN"] == environ["GITHUB_TOKEN"]
    assert layout.env["HOME"] == "/home/me"
    assert layout.home != "/home/me"
    assert not {"OTHER", "NOT_SET"} & set(layout.env)
    sandbox.tear_down(keep=False)


def test_nothing_else_of_this_process_is_in_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAK_TOKEN", "abc")
    sandbox, layout = prepare({"PATH": os.environ["PATH"]}, tmp_path)
    started = sandbox.start(ProcessSpec(argv=("env",), env=layout.env, cwd=layout.workspace))
    output = started.read(None) or b""
    assert started.wait() == 0
    names = {line.partition("=")[0] for line in output.decode().splitlines()}
    assert names == {"PATH", "HOME", "RUNNER_TRACKING_ID", "REGISTRY_AUTH_FILE"}
    sandbox.tear_down(keep=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a = 1\n", "a = 1\n"),
        ("extra-index-url =\n    https://u:p@a/x\n    https://b\n", "extra-index-url =\n    https://a/x\n    https://b\n"),
        ("[registries.x]\ntoken = 'y'\nindex = 'z'\n", "[registries.x]\nindex = 'z'\n"),
        ("proxy = http://proxy:1\npassword = x\n", "proxy = http://proxy:1\n"),
        ("GOPROXY=https://u:p@proxy\nUsername = me\n", "GOPROXY=https://proxy\n"),
    ],
)  # fmt: skip
def test_configuration_without_credentials(text: str, expected: str) -> None:
    assert without_credentials(text) == expected


def test_pip_reads_the_copied_settings(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config/pip").mkdir(parents=True)
    (home / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://u:p@mirror/simple\n")
    sandbox, layout = prepare({"HOME": str(home), "PATH": os.environ["PATH"]}, tmp_path)
    done = subprocess.run(
        ["python3", "-m", "pip", "config", "list"],
        env=dict(layout.env),
        capture_output=True,
        text=True,
        check=False,
    )
    sandbox.tear_down(keep=False)
    if "No module named pip" in done.stderr:
        pytest.skip("there is no pip here")
    assert "global.index-url='https://mirror/simple'" in done.stdout
