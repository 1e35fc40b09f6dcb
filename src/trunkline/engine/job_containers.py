"""A job's own container and its services: from the workflow's words to what the port takes."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trunkline.engine.job_context import JobContext, TemplateError, placed
from trunkline.engine.output import JobOutput, StepOutput
from trunkline.expr.errors import ExpressionError
from trunkline.expr.evaluate import evaluate_token
from trunkline.expr.template import Literal, Token
from trunkline.expr.template import Mapping as MappingToken
from trunkline.expr.values import Value, to_text
from trunkline.ports.containers import ContainerSpec, Login
from trunkline.run.job_request import JobRequest

PREFIX = "docker://"
IN_CONTAINER = "docker:"
EMPTY_IMAGE = "Container image cannot be empty"
SKIPPED_SERVICE = (
    "The service '{name}' will not be started because the container definition has an empty image."
)
KEYS = frozenset({"image", "options", "env", "ports", "volumes", "credentials"})
SERVICE_KEYS = KEYS | {"entrypoint", "command"}
CREDENTIALS = frozenset({"username", "password"})
# Registries that take the job's own token (runner, ContainerOperationProvider).
OWN_REGISTRIES = frozenset({"ghcr.io", "containers.pkg.github.com"})
HUBS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


class Wanted(msgspec.Struct, frozen=True):
    """The containers that a job asks for: its own (None: it runs on the host), its services."""

    job: ContainerSpec | None = None
    services: Mapping[str, ContainerSpec] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The images of all of them."""
        own = () if self.job is None else (self.job,)
        return tuple(spec.image for spec in (*own, *self.services.values()))


def place_of(request: JobRequest, variables: Mapping[str, str]) -> str:
    """Return where a job runs: in the image of its `container`, else where its label says.

    Asked before there is a sandbox: `variables` are those of the job's environment. Raises
    TemplateError.
    """
    image = _early_image(request, {**request.variables, **variables})
    return f"{IN_CONTAINER}{image}" if image else request.where


def _early_image(request: JobRequest, variables: Mapping[str, str]) -> str:
    container = request.job.container
    if container is None:
        return ""
    token = container
    if isinstance(container, MappingToken):
        token = _image_token(container)
    contexts: dict[str, Value] = {
        "github": dict(request.github),
        "inputs": dict(request.inputs),
        "needs": dict(request.needs),
        **request.leg.contexts(),
        "vars": dict(variables),
    }
    try:
        found = evaluate_token(token, contexts)
    except ExpressionError as error:
        raise TemplateError(placed(request.job, token, error.message)) from error
    if isinstance(found, dict):
        found = next((part for name, part in found.items() if name.lower() == "image"), None)
    return "" if isinstance(found, list | dict) else to_text(found).removeprefix(PREFIX)


def _image_token(container: MappingToken) -> Token:
    """Return what stands under `image`: the rest may use contexts that are not known yet."""
    for key, value in container.entries:
        if isinstance(key, Literal) and str(key.value).lower() == "image":
            return value
    return container


def wanted_containers(context: JobContext, output: JobOutput, log: StepOutput) -> Wanted:
    """Evaluate a job's `container` and `services`; mask their passwords. Raises TemplateError.

    A container without an image asks for none; a service without one is told and left out
    (reference section 1.4.1).
    """
    request = context.request
    reader = Reader(context)
    own: ContainerSpec | None = None
    if request.job.container is not None:
        own = reader.container(request.job.container)
    if own is None and request.where.startswith(IN_CONTAINER):
        own = reader.with_login(ContainerSpec(image=request.where.removeprefix(IN_CONTAINER)))
    services: dict[str, ContainerSpec] = {}
    if request.job.services is not None:
        for name, service in reader.services(request.job.services).items():
            if service is None:
                log.line(SKIPPED_SERVICE.format(name=name))
            else:
                services[name] = service
    for spec in (own, *services.values()):
        if spec is not None and spec.login is not None:
            output.mask([spec.login.password])
    return Wanted(own, services)


def registry_of(image: str) -> str:
    """Return the registry's host in an image's name, '' for Docker Hub.

    A first part without a dot or a port belongs to Docker Hub's own names.
    """
    host, slash, _ = image.partition("/")
    is_host = slash and ("." in host or ":" in host or host == "localhost")
    return host if is_host and host not in HUBS else ""


class Reader:
    """Reads evaluated containers; what has the wrong shape is told in GitHub's words."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._token: Token | None = None

    def container(self, token: Token) -> ContainerSpec | None:
        """Return what a token asks for, None for no image. Raises TemplateError."""
        self._token = token
        return self._container(self._value(token), KEYS)

    def services(self, token: Token) -> dict[str, ContainerSpec | None]:
        """Return the services by name, None for those without an image. Raises TemplateError."""
        self._token = token
        value = self._value(token)
        if value is None or value == "":
            return {}
        return {
            name: self._container(service, SERVICE_KEYS)
            for name, service in self._mapping(value).items()
        }

    def with_login(self, spec: ContainerSpec) -> ContainerSpec:
        """Return the spec with the job's own token where GitHub would use it, if there is one."""
        context = self._context
        ours = registry_of(spec.image) in OWN_REGISTRIES
        if spec.login is not None or not ours or not context.token:
            return spec
        actor = to_text(context.request.github.get("actor"))
        login = Login(server=registry_of(spec.image), username=actor, password=context.token)
        return msgspec.structs.replace(spec, login=login)

    def _container(self, value: Value, keys: frozenset[str]) -> ContainerSpec | None:
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            value = {"image": value}
        found = {name.lower(): part for name, part in value.items()}
        for name in value:
            if name.lower() not in keys:
                raise self._error(f"Unexpected value '{name}'")
        if "image" not in found:
            raise self._error("Required property is missing: image")
        written = self._text(found["image"])
        image = written.removeprefix(PREFIX)
        if not image:
            if written:
                raise self._error(EMPTY_IMAGE)
            return None
        spec = ContainerSpec(
            image=image,
            env={name: self._text(part) for name, part in self._mapping(found.get("env")).items()},
            ports=self._texts(found.get("ports")),
            volumes=self._texts(found.get("volumes")),
            options=self._text(found.get("options")),
            login=self._login(found.get("credentials"), image),
            entrypoint=self._text(found.get("entrypoint")),
            command=self._text(found.get("command")),
        )
        return self.with_login(spec)

    def _login(self, value: Value, image: str) -> Login | None:
        """Return credentials; GitHub logs in only with both a name and a password."""
        found = {name.lower(): part for name, part in self._mapping(value).items()}
        for name in found:
            if name not in CREDENTIALS:
                raise self._error(f"Unexpected value '{name}'")
        username, password = self._text(found.get("username")), self._text(found.get("password"))
        if not username or not password:
            return None
        return Login(server=registry_of(image), username=username, password=password)

    def _value(self, token: Token) -> Value:
        return self._context.value(token, self._context.job_place())

    def _mapping(self, value: Value) -> dict[str, Value]:
        if value is None or value == "":
            return {}
        if isinstance(value, dict):
            return value
        if isinstance(value, list):
            raise self._error("A sequence was not expected")
        raise self._error(f"Unexpected value '{to_text(value)}'")

    def _texts(self, value: Value) -> tuple[str, ...]:
        if value is None or value == "":
            return ()
        if isinstance(value, list):
            return tuple(self._text(item) for item in value)
        if isinstance(value, dict):
            raise self._error("A mapping was not expected")
        raise self._error(f"Unexpected value '{to_text(value)}'")

    def _text(self, value: Value) -> str:
        if isinstance(value, dict):
            raise self._error("A mapping was not expected")
        if isinstance(value, list):
            raise self._error("A sequence was not expected")
        return to_text(value)

    def _error(self, message: str) -> TemplateError:
        token = self._token
        if token is None:
            return TemplateError(message)
        return TemplateError(placed(self._context.request.job, token, message))
