"""docker/login-action as a native action: it writes Docker's configuration, and needs no Docker."""

from __future__ import annotations

import json
import posixpath
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from trunkline.adapters.docker.registry_logins import REHEARSAL_TOKEN, ask_engine
from trunkline.adapters.toolkit.docker_config import HUB_KEY, DockerConfig, read_config
from trunkline.adapters.toolkit.groups import group
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.adapters.toolkit.world import World
from trunkline.document.limits import GITHUB
from trunkline.document.problems import TooMuch
from trunkline.document.yaml import MappingNode, Node, ScalarNode, SequenceNode, load
from trunkline.oci.hosts import is_this_machine
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob
from trunkline.ports.containers import Login

_ONE = ("registry", "username", "password", "scope", "ecr")
_ECR = re.compile(
    r"\d{12}\.(?:dkr\.ecr|dkr-ecr)\.(.+)\.(?:on\.aws|amazonaws\.(?:com(?:.cn)?|eu))(?:/[^:]+(?::.+)?)?"
)
_PUBLIC_ECR = re.compile(r"public\.ecr\.aws|ecr-public\.aws\.com")
_HUB = frozenset({"", "docker.io", HUB_KEY})
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_STORE = '"$1" store <"$2"'
_ERASE = 'printf %s "$2" | "$1" erase'
# As Docker's client has it for a token (docker/cli, `tokenUsername`).
_TOKEN_USER = "<token>"  # noqa: S105 - a name

# Asks a registry about credentials; returns the token that the job is to have instead of the
# password, '' for the password itself. Raises ActionFailed in the registry's words.
Ask = Callable[[ActionJob, Login], str]


def ask_registry(job: ActionJob, login: Login, *, publish: bool) -> str:
    """Ask by the job's engine; without one credentials are believed.

    In a rehearsal the job gets none, but for this machine's registries.
    """
    token = ask_engine(job, login)
    if token is None:
        token = "" if publish or is_this_machine(login.server) else REHEARSAL_TOKEN
    if token == REHEARSAL_TOKEN:
        job.log(
            f"Rehearsal: {login.server or 'docker.io'} was not asked, and the job does not get "
            "the password: what it pushes stays on this machine."
        )
    return token


class _Auth(NamedTuple):
    """A registry to log in to: as written, and the folder of the configuration for its scope.

    `named` are what was written, with or without a value.
    """

    named: frozenset[str]
    registry: str
    username: str
    password: str
    scope: str
    ecr: str
    folder: str

    @property
    def key(self) -> str:
        """The registry's name in Docker's configuration."""
        return _key(self.registry)


class DockerLogin(VersionedAction):
    """Logs in to registries for the steps that follow, and out after the job."""

    oldest, newest = 2, 4
    inputs = frozenset({*_ONE, "logout", "registry-auth"})
    has_post = True

    def __init__(self, world: World, ask: Ask | None = None) -> None:
        """Ask registries with `ask`, by default by the job's engine."""
        super().__init__(world)
        self._ask = ask or partial(ask_registry, publish=world.publish)

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Log in. Raises ActionFailed."""
        inputs = Inputs(call, {"logout": "true"})
        job.save_state("logout", "true" if inputs.boolean("logout") else "false")
        auths = _auths(inputs, call, job)
        job.mask([auth.password for auth in auths if auth.password])
        places = [{"registry": auth.registry, "configDir": auth.folder} for auth in auths]
        job.save_state("registries", json.dumps(places))
        for auth in auths:
            if len(auths) == 1:
                self._log_in(auth, call, job)
            else:
                with group(job, f"Login to {auth.registry}"):
                    self._log_in(auth, call, job)

    def post(self, call: ActionCall, job: ActionJob) -> None:
        """Log out, unless `logout` is false."""
        if call.state.get("logout") != "true":
            return
        done: list[object] = []
        for place in json.loads(call.state.get("registries", "[]")):
            if place not in done:
                done.append(place)
                with group(job, f"Logout from {place['registry']}"):
                    _log_out(place["registry"], place["configDir"], call, job)

    def _log_in(self, auth: _Auth, call: ActionCall, job: ActionJob) -> None:
        if auth.ecr.lower() == "true" or (auth.ecr == "auto" and _is_ecr(auth.registry)):
            self._log_in_to_ecr(auth, call, job)
            return
        missing = [name for name in ("username", "password") if not getattr(auth, name)]
        # A secret that only GitHub knows is empty here, its token among them.
        believed = (
            not self._world.publish and not is_this_machine(auth.key) and auth.named >= {*missing}
        )
        if missing and not believed:
            raise ActionFailed(f"{' and '.join(missing)} required".capitalize())
        _announce(auth, job)
        if missing:
            job.log(
                f"Rehearsal: {' and '.join(missing)} is not known here, and not needed: what the "
                "job pushes stays on this machine."
            )
            _keep(auth, REHEARSAL_TOKEN, call, job)
            return
        server = "" if auth.key == HUB_KEY else auth.key
        login = Login(server=server, username=auth.username, password=auth.password)
        _keep(auth, self._ask(job, login), call, job)

    def _log_in_to_ecr(self, auth: _Auth, call: ActionCall, job: ActionJob) -> None:
        """Log in to Amazon's registry as AWS; the real action asks AWS for a password."""
        job.log("Retrieving registries data through AWS SDK...")
        found = _ECR.fullmatch(auth.registry)
        kind = "AWS ECR" if found else "AWS Public ECR"
        env = call.env
        region = found[1] if found else env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
        job.log(f"{kind} detected with {region or 'us-east-1'} region")
        if self._world.publish:
            raise ActionFailed(
                "AWS is not asked for a password here. Use aws-actions/amazon-ecr-login, or "
                "`aws ecr get-login-password` in a step and its output as password, with username "
                "AWS and ecr: false."
            )
        _announce(auth, job)
        job.log("Rehearsal: AWS was not asked, and what the job pushes stays on this machine.")
        _keep(auth._replace(username="AWS", password=""), REHEARSAL_TOKEN, call, job)


def _announce(auth: _Auth, job: ActionJob) -> None:
    scope = f" (scope {auth.scope})" if auth.folder else ""
    job.log(f"Logging into {auth.registry}{scope}...")


def _keep(auth: _Auth, token: str, call: ActionCall, job: ActionJob) -> None:
    """Write a login down, with a token in place of the password where there is one."""
    config = _config(auth.folder, call, job)
    helper = _helper(config, auth.key)
    if helper and token != REHEARSAL_TOKEN:
        _store(helper, auth, token, job)
    else:
        _write(config, {**_entries(config), auth.key: _entry(auth, token)}, job)
    job.log("Login Succeeded!")


def _auths(inputs: Inputs, call: ActionCall, job: ActionJob) -> list[_Auth]:
    """Return what to log in to, from the inputs of one registry or those of several."""
    text = inputs.text("registry-auth")
    given = {name: inputs.text(name) for name in _ONE if name in call.inputs}
    if not text:
        return [_auth(given, call, job)]
    if any(given.values()):
        raise ActionFailed("Cannot use registry-auth with other inputs")
    found = [_auth(each, call, job) for each in _read_auths(text)]
    if not found:
        raise ActionFailed("No registry to login")
    return found


def _auth(given: Mapping[str, str], call: ActionCall, job: ActionJob) -> _Auth:
    registry, scope = given.get("registry") or "docker.io", given.get("scope", "")
    folder = ""
    if scope and call.env.get("DOCKER_LOGIN_SCOPE_DISABLED", "") not in _TRUE:
        docker = call.env.get("DOCKER_CONFIG") or f"{_home(call, job)}/.docker"
        buildx = call.env.get("BUILDX_CONFIG") or f"{docker}/buildx"
        name = "registry-1.docker.io" if registry == "docker.io" else registry
        place = name + scope if scope.startswith("@") else posixpath.join(name, scope)
        folder = posixpath.normpath(f"{buildx}/config/{place}")
    username, password = given.get("username", ""), given.get("password", "")
    ecr = given.get("ecr") or "auto"
    return _Auth(frozenset(given), registry, username, password, scope, ecr, folder)


def _read_auths(text: str) -> list[dict[str, str]]:
    """Read `registry-auth`: a YAML sequence of maps. Raises ActionFailed."""
    try:
        root = load(text, GITHUB)
    except TooMuch as error:
        raise ActionFailed(f"registry-auth can't be read: {error}") from error
    if not isinstance(root, SequenceNode):
        raise ActionFailed("registry-auth must be a list of registries")
    return [_read_auth(item) for item in root.items]


def _read_auth(node: Node) -> dict[str, str]:
    if not isinstance(node, MappingNode):
        raise ActionFailed("registry-auth must be a list of registries")
    return {
        key.written: "" if value.value is None else value.written
        for key, value in node.entries
        if isinstance(key, ScalarNode) and isinstance(value, ScalarNode)
    }


def _key(registry: str) -> str:
    """Return a registry's name as Docker's client writes it down (`registry.ConvertToHostname`)."""
    if registry in _HUB:
        return HUB_KEY
    return registry.removeprefix("http://").removeprefix("https://").partition("/")[0]


def _is_ecr(registry: str) -> bool:
    return bool(_ECR.fullmatch(registry) or _PUBLIC_ECR.search(registry))


def _home(call: ActionCall, job: ActionJob) -> str:
    return call.env.get("HOME") or job.layout.home


def _config(folder: str, call: ActionCall, job: ActionJob) -> DockerConfig:
    return read_config(job, {**call.env, "DOCKER_CONFIG": folder} if folder else call.env)


def _entries(config: DockerConfig) -> dict[str, Any]:
    found = config.content.get("auths")
    return dict(found) if isinstance(found, dict) else {}


def _entry(auth: _Auth, token: str) -> dict[str, str]:
    """Return a login as Docker's client writes it: with a token the password is left out.

    In a rehearsal it says nothing: clients that go round the job's engine then ask for what
    everybody may have, and are not refused for a token that opens nothing.
    """
    if token == REHEARSAL_TOKEN:
        return {}
    text = f"{auth.username}:{'' if token else auth.password}"
    entry = {"auth": b64encode(text.encode(errors="surrogateescape")).decode()}
    return entry | ({"identitytoken": token} if token else {})


def _write(config: DockerConfig, entries: Mapping[str, Any], job: ActionJob) -> None:
    """Write the configuration whole: a new file, as one that is there keeps its mode."""
    text = json.dumps({**config.content, "auths": entries}, indent="\t")
    new = f"{config.path}.new"
    job.sandbox.put(new, text.encode(), 0o600)
    code, output = job.capture(["mv", "-f", "--", new, config.path])
    if code:
        raise ActionFailed(f"Error saving credentials: {output.strip()}")


def _helper(config: DockerConfig, key: str) -> str:
    """Return the program that keeps a registry's credentials, '' for the file itself."""
    helpers = config.content.get("credHelpers")
    found = helpers.get(key) if isinstance(helpers, dict) else ""
    name = str(found or config.content.get("credsStore") or "")
    return f"docker-credential-{name}" if name else ""


def _store(helper: str, auth: _Auth, token: str, job: ActionJob) -> None:
    """Hand a login to a helper, by a file that nobody else reads."""
    username, secret = (_TOKEN_USER, token) if token else (auth.username, auth.password)
    told = json.dumps({"ServerURL": auth.key, "Username": username, "Secret": secret})
    path = f"{job.layout.temp}/_docker_login"
    job.sandbox.put(path, told.encode(), 0o600)
    code, output = job.capture(["sh", "-c", _STORE, "sh", helper, path])
    job.capture(["rm", "-f", "--", path])
    if code:
        raise ActionFailed(
            f"Error saving credentials: error storing credentials - err: exit status {code}, "
            f"out: `{output.strip()}`"
        )


def _log_out(registry: str, folder: str, call: ActionCall, job: ActionJob) -> None:
    if folder:
        job.log(f"Alternative config dir: {folder}")
    key = _key(registry)
    try:
        config = _config(folder, call, job)
    except ActionFailed as error:
        job.annotate("warning", str(error))
        return
    helper = _helper(config, key)
    names = {key, f"http://{key}", f"https://{key}"}
    entries = _entries(config)
    if not helper and not names & set(entries):
        job.log(f"Not logged in to {key}")
        return
    job.log(f"Removing login credentials for {key}")
    if helper:
        code, output = job.capture(["sh", "-c", _ERASE, "sh", helper, key])
        if code:
            job.annotate("warning", f"could not erase credentials: {output.strip()}")
    kept = {name: entry for name, entry in entries.items() if name not in names}
    _write(config, kept, job)
