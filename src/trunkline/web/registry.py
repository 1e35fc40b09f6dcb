"""The registry as a WSGI application: the OCI distribution API, version 1.1."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from werkzeug.wrappers import Request, Response

from trunkline.base.errors import TrunklineError, Unavailable
from trunkline.oci.errors import RegistryError
from trunkline.ports.image_store import BrokenOff, NoSpace
from trunkline.ports.registry_access import Access, AccessRequest, Decision, Wanted
from trunkline.services.registry.registry import Registry, check_repository
from trunkline.web import registry_blobs as blobs
from trunkline.web import registry_manifests as manifests
from trunkline.web.registry_messages import Asked, refusal

PULL = ("pull",)
PUSH = ("pull", "push")
DELETE = ("delete",)

# Kind of end point -> its path behind `/v2/<name>`; the last part of a name may look like one.
PATHS = (
    ("tags", re.compile(r"/v2/(?P<name>.+)/tags/list")),
    ("uploads", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?")),
    ("upload", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<what>[^/]+)")),
    ("manifest", re.compile(r"/v2/(?P<name>.+)/manifests/(?P<what>[^/]+)")),
    ("blob", re.compile(r"/v2/(?P<name>.+)/blobs/(?P<what>[^/]+)")),
    ("referrers", re.compile(r"/v2/(?P<name>.+)/referrers/(?P<what>[^/]+)")),
)


class EndPoint(msgspec.Struct, frozen=True):
    """What answers a method of an end point, and the rights that it needs."""

    handler: Callable[[Asked], Response]
    actions: tuple[str, ...] = ()


# Kind of end point -> method -> what answers; HEAD is answered as GET.
END_POINTS: Mapping[str, Mapping[str, EndPoint]] = {
    "base": {"GET": EndPoint(manifests.get_base)},
    "catalog": {"GET": EndPoint(manifests.get_catalog)},
    "tags": {"GET": EndPoint(manifests.get_tags, PULL)},
    "referrers": {"GET": EndPoint(manifests.get_referrers, PULL)},
    "manifest": {
        "GET": EndPoint(manifests.get_manifest, PULL),
        "PUT": EndPoint(manifests.put_manifest, PUSH),
        "DELETE": EndPoint(manifests.delete_manifest, DELETE),
    },
    "blob": {
        "GET": EndPoint(blobs.get_blob, PULL),
        "DELETE": EndPoint(blobs.delete_blob, DELETE),
    },
    "uploads": {"POST": EndPoint(blobs.post_upload, PUSH)},
    "upload": {
        "GET": EndPoint(blobs.get_upload, PUSH),
        "PATCH": EndPoint(blobs.patch_upload, PUSH),
        "PUT": EndPoint(blobs.put_upload, PUSH),
        "DELETE": EndPoint(blobs.delete_upload, PUSH),
    },
}


class Place(msgspec.Struct, frozen=True):
    """What a path names: an end point's kind, its repository, and what of it."""

    kind: str
    repository: str = ""
    what: str = ""


class RegistryApp:
    """Answers everything below `/v2/`."""

    def __init__(self, registry: Registry, access: Access) -> None:
        self._registry = registry
        self._access = access

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        try:
            response = self._answer(request)
        except RegistryError as error:
            response = refusal(error)
        except BrokenOff:
            response = refusal(RegistryError("BLOB_UPLOAD_INVALID", "the request broke off"))
            response.headers["Connection"] = "close"
        except TrunklineError as error:
            environ["wsgi.errors"].write(f"trunkline: the registry: {error.message}\n")
            response = refusal(_trouble(error))
        response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        place = _place(request.environ)
        method = "GET" if request.method == "HEAD" else request.method
        end_points = END_POINTS[place.kind]
        if place.repository:
            check_repository(place.repository)
        if method not in end_points:
            allowed = ", ".join(["HEAD", *end_points] if "GET" in end_points else end_points)
            return refusal(RegistryError("UNSUPPORTED"), {"Allow": allowed})
        end_point = end_points[method]
        guard = _Guard(self._access, request)
        decision = guard.decide(_wanted(place, end_point.actions))
        if not decision.allowed:
            return _denial(decision)
        return end_point.handler(
            Asked(self._registry, request, guard.may_pull, place.repository, place.what)
        )


class _Guard:
    """Asks for the rights of one client."""

    def __init__(self, access: Access, request: Request) -> None:
        self._access = access
        self._authorization = request.headers.get("Authorization", "")
        self._remote = request.remote_addr or ""
        self._base = f"{request.scheme}://{request.host}"

    def decide(self, wanted: tuple[Wanted, ...]) -> Decision:
        """Decide about several rights together."""
        return self._access.decide(
            AccessRequest(
                authorization=self._authorization,
                remote=self._remote,
                base=self._base,
                wanted=wanted,
            )
        )

    def may_pull(self, repository: str) -> bool:
        """Tell whether the client may pull from a repository."""
        return self.decide((Wanted(repository, PULL),)).allowed


def _place(environ: WSGIEnvironment) -> Place:
    """Return what a request's path names. Raises UNSUPPORTED (404)."""
    raw = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    path = raw.encode("latin-1").decode("utf-8", "replace")
    if path in ("/v2", "/v2/"):
        return Place("base")
    if path == "/v2/_catalog":
        return Place("catalog")
    for kind, pattern in PATHS:
        if found := pattern.fullmatch(path):
            parts = found.groupdict()
            return Place(kind, parts["name"], parts.get("what", ""))
    raise RegistryError("UNSUPPORTED", "there is no such end point", status=404)


def _wanted(place: Place, actions: tuple[str, ...]) -> tuple[Wanted, ...]:
    if place.kind == "catalog":
        return (Wanted("catalog", ("*",), "registry"),)
    return (Wanted(place.repository, actions),) if place.repository else ()


def _denial(decision: Decision) -> Response:
    code = "DENIED" if decision.status == 403 else "UNAUTHORIZED"
    error = RegistryError(code, decision.message, status=decision.status)
    response = refusal(error)
    response.headers.extend(decision.headers)
    return response


def _trouble(error: TrunklineError) -> RegistryError:
    """Return what a client is told of our own or the world's fault: no paths.

    A full disk is no 507: Docker's engine tries that for most of a minute, then hides the cause.
    """
    if isinstance(error, NoSpace):
        return RegistryError("DENIED", "the registry's disk is full", status=413)
    if isinstance(error, Unavailable):
        return RegistryError("UNAVAILABLE", "the registry's store can't be used")
    return RegistryError("UNKNOWN", "the registry's store is damaged")
