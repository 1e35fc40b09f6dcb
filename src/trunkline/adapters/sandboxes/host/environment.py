"""What a job sees of its caller: what tools need to work, and nothing they could publish with."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping

import msgspec

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _names(text: str) -> frozenset[str]:
    """Return names; in sets, since each regular expression costs start-up."""
    return frozenset(text.split())


# Passed as they are (proxies too: their credentials open the way out, they publish nothing).
PLAIN = _names(
    "PATH USER LOGNAME TMPDIR LD_LIBRARY_PATH DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH"
    " LANG LANGUAGE TZ TZDIR LOCPATH"
    " HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY"
    " http_proxy https_proxy ftp_proxy all_proxy no_proxy"
    " SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE AWS_CA_BUNDLE"
    " NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO GIT_SSL_CAPATH CARGO_HTTP_CAINFO NIX_SSL_CERT_FILE"
    " DENO_CERT JAVA_HOME GOROOT GOTOOLCHAIN RUSTUP_HOME PYENV_ROOT NVM_DIR VOLTA_HOME ASDF_DIR"
    " ASDF_DATA_DIR MISE_DATA_DIR SDKMAN_DIR RBENV_ROOT ANDROID_HOME ANDROID_SDK_ROOT DOTNET_ROOT"
)
# Package clients' mirrors and caches; credentials inside addresses are cut out.
CLIENTS = _names(
    "GOPROXY GONOPROXY GOPRIVATE GOSUMDB GONOSUMDB GOINSECURE GOFLAGS GOCACHE GOMODCACHE"
    " COREPACK_HOME COREPACK_NPM_REGISTRY PLAYWRIGHT_BROWSERS_PATH PLAYWRIGHT_DOWNLOAD_HOST"
    " CYPRESS_CACHE_FOLDER POETRY_CACHE_DIR PIPENV_CACHE_DIR PIPENV_PYPI_MIRROR PRE_COMMIT_HOME"
    " YARN_CACHE_FOLDER YARN_GLOBAL_FOLDER YARN_REGISTRY YARN_NPM_REGISTRY_SERVER YARN_HTTP_PROXY"
    " YARN_HTTPS_PROXY YARN_HTTPS_CA_FILE_PATH ELECTRON_MIRROR ELECTRON_CACHE NODEJS_ORG_MIRROR"
    " NVM_NODEJS_ORG_MIRROR RUSTUP_DIST_SERVER RUSTUP_UPDATE_ROOT"
)
# Every setting of pip and uv, but those that name secrets, or choose what to install into.
PREFIXES = ("PIP_", "UV_")
UNWANTED = _names(
    "PIP_TARGET PIP_PREFIX PIP_ROOT PIP_SRC PIP_LOG PIP_USER PIP_CONFIG_FILE"
    " UV_PROJECT UV_PYTHON UV_SYSTEM_PYTHON UV_PROJECT_ENVIRONMENT UV_WORKING_DIRECTORY"
    " UV_WORKING_DIR UV_ENV_FILE UV_TOOL_DIR UV_TOOL_BIN_DIR UV_PYTHON_BIN_DIR UV_INSTALL_DIR"
    " UV_BREAK_SYSTEM_PACKAGES UV_CONFIG_FILE UV_RUN_RECURSION_DEPTH UV_VENV_CLEAR UV_VENV_SEED"
)
# npm's settings come in either case (https://docs.npmjs.com/cli/using-npm/config); a run below
# `npm run` finds all of them set, so only those about fetching pass.
NPM = "npm_config_"
NPMRC = ".npmrc"
NPM_SETTINGS = _names(
    "registry cafile ca cache proxy https_proxy noproxy strict_ssl maxsockets prefer_offline"
    " offline audit fund update_notifier disturl fetch_retries fetch_retry_factor"
    " fetch_retry_mintimeout fetch_retry_maxtimeout fetch_timeout"
)
SECRETS = (
    *("TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "_KEY_"),
    *("USERNAME", "PUBLISH", "AUTH"),
)

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
    ("NPM_CONFIG_USERCONFIG", (NPMRC,)),
    ("", (".cargo/config.toml",)),
    ("", (".config/go/env",)),
    ("", ("Library/Application Support/pip/pip.conf",)),
)
# Where a job's logins to registries are. A login is written there already: without any, Docker's
# client asks the user's own keychain (docker/cli `DetectDefaultStore`), and Podman's the user's
# file in XDG_RUNTIME_DIR. Podman, Buildah and Skopeo are told; they write Docker's form.
LOGINS = ".docker/config.json"
NO_LOGINS = b'{"auths": {"rehearsal.invalid": {}}}\n'
LOGINS_VARIABLE = "REGISTRY_AUTH_FILE"
# Cargo's variable for its cache would carry its credentials along; links do not.
LINKS = (".cargo/registry", ".cargo/git")


class Caller(msgspec.Struct, frozen=True):
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
        return Caller(variables, ((LOGINS, NO_LOGINS),), (), {LOGINS_VARIABLE: LOGINS})
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
    if name in PLAIN or name.startswith("LC_"):
        return variable
    if name in CLIENTS or _is_setting(name) or _is_npm_setting(name.lower()):
        return name, without_login(value)
    return "", ""


def _is_setting(name: str) -> bool:
    return name.startswith(PREFIXES) and name not in UNWANTED and not _is_secret(name)


def _is_npm_setting(name: str) -> bool:
    setting = name.removeprefix(NPM).replace("-", "_")
    is_scoped = setting.startswith("@") and setting.endswith(":registry")
    return name.startswith(NPM) and (is_scoped or setting in NPM_SETTINGS)


def _is_secret(name: str) -> bool:
    upper = f"{name.upper()}_"
    return any(word in upper for word in SECRETS)


def without_login(text: str) -> str:
    """Return a text without the `user:password@` of the addresses in it."""
    return re.sub(r"(?<=://)[^/\s@\"']*@", "", text) if "@" in text else text


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
                files.append((place, _cleaned(place, text).encode("utf-8", "surrogateescape")))
                if named:
                    at_home[variable] = place
                break
    return (*files, (LOGINS, NO_LOGINS)), {**at_home, LOGINS_VARIABLE: LOGINS}


def _cleaned(place: str, text: str) -> str:
    return fetch_settings(text) if place == NPMRC else without_credentials(text)


def fetch_settings(text: str) -> str:
    """Return the lines of an npm configuration that say where to fetch from, without logins."""
    kept = [line for line in text.splitlines() if _is_npm_setting(NPM + _name_of(line).lower())]
    return "".join(without_login(line) + "\n" for line in kept)


def _name_of(line: str) -> str:
    return line.partition("=")[0].strip()


def without_credentials(text: str) -> str:
    """Return a client's configuration without its lines and addresses that hold credentials."""
    return "".join(
        without_login(line) + "\n" for line in text.splitlines() if not _is_private(line)
    )


def _is_private(line: str) -> bool:
    return "=" in line and _is_secret(_name_of(line))


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read() if os.path.isfile(path) else None
    except OSError:
        return None
