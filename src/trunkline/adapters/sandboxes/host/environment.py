"""What a job sees of its caller: what tools need to work, and nothing they could publish with."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Passed as they are (proxies too: their credentials open the way out, they publish nothing).
PLAIN = re.compile(
    r"PATH|USER|LOGNAME|TMPDIR|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?LIBRARY_PATH"
    r"|LANG|LANGUAGE|LC_.*|TZ|TZDIR|LOCPATH"
    r"|(HTTP|HTTPS|FTP|ALL|NO)_PROXY|(http|https|ftp|all|no)_proxy"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|AWS_CA_BUNDLE|NODE_EXTRA_CA_CERTS"
    r"|GIT_SSL_CA(INFO|PATH)|CARGO_HTTP_CAINFO|NIX_SSL_CERT_FILE|DENO_CERT"
    r"|JAVA_HOME|GOROOT|GOTOOLCHAIN|RUSTUP_HOME|PYENV_ROOT|NVM_DIR|VOLTA_HOME|ASDF_(DATA_)?DIR"
    r"|MISE_DATA_DIR|SDKMAN_DIR|RBENV_ROOT|ANDROID_HOME|ANDROID_SDK_ROOT|DOTNET_ROOT"
)
# Package clients' mirrors and caches; credentials inside addresses are cut out.
CLIENTS = re.compile(
    r"GO(PROXY|NOPROXY|PRIVATE|SUMDB|NOSUMDB|INSECURE|FLAGS|CACHE|MODCACHE)"
    r"|COREPACK_(HOME|NPM_REGISTRY)|PLAYWRIGHT_(BROWSERS_PATH|DOWNLOAD_HOST)"
    r"|CYPRESS_CACHE_FOLDER|POETRY_CACHE_DIR|PIPENV_(CACHE_DIR|PYPI_MIRROR)|PRE_COMMIT_HOME"
    r"|YARN_(CACHE_FOLDER|GLOBAL_FOLDER|REGISTRY|NPM_REGISTRY_SERVER|HTTPS?_PROXY)"
    r"|YARN_HTTPS_CA_FILE_PATH|ELECTRON_(MIRROR|CACHE)|(NVM_)?NODEJS_ORG_MIRROR"
    r"|RUSTUP_(DIST_SERVER|UPDATE_ROOT)"
)
# Every setting of pip and uv, but those that name secrets or choose where to install.
PREFIXES = ("PIP_", "UV_")
UNWANTED = re.compile(
    r"(PIP_(TARGET|PREFIX|ROOT|SRC|LOG|USER|CONFIG_FILE)"
    r"|UV_(PROJECT|PYTHON|SYSTEM_PYTHON|PROJECT_ENVIRONMENT|WORKING_DIRECTORY|WORKING_DIR|ENV_FILE"
    r"|TOOL_DIR|TOOL_BIN_DIR|PYTHON_BIN_DIR|INSTALL_DIR|BREAK_SYSTEM_PACKAGES|CONFIG_FILE"
    r"|RUN_RECURSION_DEPTH|VENV_.*|INTERNAL_.*))"
)
# npm's settings come in either case (https://docs.npmjs.com/cli/using-npm/config); a run below
# `npm run` finds all of them set, so only those about fetching pass.
NPM_SETTING = re.compile(
    r"npm_config_(@.*:)?(registry|cafile|ca|cache|proxy|https[-_]proxy|noproxy|strict[-_]ssl"
    r"|maxsockets|prefer[-_]offline|offline|audit|fund|update[-_]notifier|fetch[-_].*|disturl)",
    re.IGNORECASE,
)
SECRET = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|_KEY(_|$)|USERNAME|PUBLISH|AUTH",
    re.IGNORECASE,
)
CREDENTIALS = re.compile(r"(?<=://)[^/\s@\"']*@")
# Lines of configuration files that hold credentials under other names (npm's `//host/:_auth`).
PRIVATE_LINE = re.compile(r"\s*(//|_|key\b|keyfile\b|email\b)")

# Where clients keep things below HOME. The job has its own HOME, so they are told:
# (variable, Linux, macOS, whether to tell it though the folder is not there yet).
FOLDERS = (
    ("PIP_CACHE_DIR", ".cache/pip", "Library/Caches/pip", True),
    ("UV_CACHE_DIR", ".cache/uv", ".cache/uv", True),
    ("npm_config_cache", ".npm", ".npm", True),
    ("GOMODCACHE", "go/pkg/mod", "go/pkg/mod", True),
    ("GOCACHE", ".cache/go-build", "Library/Caches/go-build", True),
    ("YARN_GLOBAL_FOLDER", ".yarn/berry", ".yarn/berry", False),
    ("COREPACK_HOME", ".cache/node/corepack", ".cache/node/corepack", False),
    ("PLAYWRIGHT_BROWSERS_PATH", ".cache/ms-playwright", "Library/Caches/ms-playwright", False),
    ("CYPRESS_CACHE_FOLDER", ".cache/Cypress", "Library/Caches/Cypress", False),
    ("POETRY_CACHE_DIR", ".cache/pypoetry", "Library/Caches/pypoetry", False),
    ("PIPENV_CACHE_DIR", ".cache/pipenv", "Library/Caches/pipenv", False),
    ("PRE_COMMIT_HOME", ".cache/pre-commit", ".cache/pre-commit", False),
    ("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python", ".local/share/uv/python", False),
    ("RUSTUP_HOME", ".rustup", ".rustup", False),
    ("PYENV_ROOT", ".pyenv", ".pyenv", False),
    ("VOLTA_HOME", ".volta", ".volta", False),
)
# Clients' configuration, copied without credentials: (variable that names it, places below HOME).
CONFIGURATIONS = (
    ("PIP_CONFIG_FILE", (".config/pip/pip.conf", ".pip/pip.conf")),
    ("UV_CONFIG_FILE", (".config/uv/uv.toml",)),
    ("NPM_CONFIG_USERCONFIG", (".npmrc",)),
    ("", (".cargo/config.toml",)),
    ("", (".config/go/env",)),
    ("", ("Library/Application Support/pip/pip.conf",)),
)
# Cargo's variable for its cache would carry its credentials along; links do not.
LINKS = (".cargo/registry", ".cargo/git")


class Caller(NamedTuple):
    """What a job gets: variables, files and links for its HOME (relative path, content/target).

    `at_home` maps variables to files of the HOME that they must name.
    """

    variables: Mapping[str, str]
    files: tuple[tuple[str, bytes], ...]
    links: tuple[tuple[str, str], ...]
    at_home: Mapping[str, str]


def read_caller(environ: Mapping[str, str]) -> Caller:
    """Choose what a job may see of the caller's environment and configuration files."""
    variables = {name: value for name, value in map(_pass, environ.items()) if name}
    variables.setdefault("PATH", DEFAULT_PATH)
    home = environ.get("HOME", "")
    if not os.path.isabs(home):
        return Caller(variables, (), (), {})
    known = {name.upper() for name in variables}
    folders = _folders(home, environ.get("XDG_CACHE_HOME", ""))
    variables |= {name: path for name, path in folders if name.upper() not in known}
    files, at_home = _configurations(environ, home)
    links = ((name, os.path.join(home, name)) for name in LINKS)
    return Caller(
        variables, files, tuple(link for link in links if os.path.isdir(link[1])), at_home
    )


def passed(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return the variables that the user named (`--pass-env`), as they are."""
    return {name: environ[name] for name in names if name in environ}


def _pass(variable: tuple[str, str]) -> tuple[str, str]:
    """Return the variable as the job may see it, ('', '') when it may not."""
    name, value = variable
    if PLAIN.fullmatch(name):
        return variable
    if CLIENTS.fullmatch(name) or NPM_SETTING.fullmatch(name) or _is_setting(name):
        return name, CREDENTIALS.sub("", value)
    return "", ""


def _is_setting(name: str) -> bool:
    return name.startswith(PREFIXES) and not SECRET.search(name) and not UNWANTED.fullmatch(name)


def _folders(home: str, cache: str) -> Iterable[tuple[str, str]]:
    for name, linux, mac, always in FOLDERS:
        below = mac if sys.platform == "darwin" else linux
        if cache and below.startswith(".cache/"):
            path = os.path.join(cache, below.removeprefix(".cache/"))
        else:
            path = os.path.join(home, below)
        if always or os.path.isdir(path):
            yield name, path


def _configurations(
    environ: Mapping[str, str], home: str
) -> tuple[tuple[tuple[str, bytes], ...], dict[str, str]]:
    files: list[tuple[str, bytes]] = []
    at_home: dict[str, str] = {}
    for variable, places in CONFIGURATIONS:
        named = next((environ[v] for v in (variable, variable.lower()) if environ.get(v)), "")
        for place in places:
            text = _read(named or os.path.join(home, place))
            if text is not None:
                files.append((place, without_credentials(text).encode("utf-8", "surrogateescape")))
                if named:
                    at_home[variable] = place
                break
    return tuple(files), at_home


def without_credentials(text: str) -> str:
    """Return a client's configuration without its lines and addresses that hold credentials."""
    kept = [line for line in text.splitlines() if not _is_private(line)]
    return "".join(CREDENTIALS.sub("", line) + "\n" for line in kept)


def _is_private(line: str) -> bool:
    name, equals, _ = line.partition("=")
    return bool(PRIVATE_LINE.match(line) or (equals and SECRET.search(name)))


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read() if os.path.isfile(path) else None
    except OSError:
        return None
