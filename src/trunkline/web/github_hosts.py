"""Requests to GitHub's own hosts that come here: a job's about its repository are answered, others go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from trunkline.base.errors import TrunklineError
from trunkline.ports.job_services import ServicesJob
from trunkline.ports.upstream import Sending, Upstream
from trunkline.run.api_host import HOSTS
from trunkline.services.github.forwarding import AGENT, API_VERSION, PASSED_ON, READING
from trunkline.services.github.refusals import Refused
from trunkline.web.github_api_forwarded import ReceivedBody, passed_on
from trunkline.web.github_api_messages import refusal
from trunkline.web.github_tokens import token_of

REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)(?:/|\Z)")
GRAPHQL = "/graphql"
OFFLINE = "{} is not asked: --offline or --network-policy keeps this run from it."
NOT_SENT = (
    "A rehearsal sends nothing to {}: only what the job's own token asks of the job's own repository "
    "is answered, here."
)


class GitHubHosts:
    """Stands before the services' application, which answers all other requests.

    `of_token` tells which job a token is of, `api_of` where a job finds the API. What everybody, or
    another token, may read is asked of GitHub by `upstream`; None: nothing is. A job's own token
    opens nothing there and is left out.
    """

    def __init__(
        self,
        application: WSGIApplication,
        of_token: Callable[[str], ServicesJob | None],
        api_of: Callable[[ServicesJob], str],
        upstream: Upstream | None,
    ) -> None:
        self._application = application
        self._of_token = of_token
        self._api_of = api_of
        self._upstream = upstream

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        host = environ.get("HTTP_HOST", "").lower().removesuffix(":443")
        if host not in HOSTS:
            return self._application(environ, start)
        job = self._of_token(token_of(environ.get("HTTP_AUTHORIZATION", "")))
        if job is not None and _is_about(job, environ.get("PATH_INFO", "")):
            return self._application(_led(environ, host, self._api_of(job)), start)
        try:
            response = self._passed_on(Request(environ), host, is_own_token=job is not None)
        except Refused as error:
            response = refusal(error)
        except TrunklineError as error:
            response = refusal(Refused(HTTPStatus.SERVICE_UNAVAILABLE, error.message))
        return response(environ, start)

    def _passed_on(self, request: Request, host: str, *, is_own_token: bool) -> Response:
        """Return GitHub's answer. Raises Refused, Unavailable."""
        if request.method not in READING:
            raise Refused(HTTPStatus.FORBIDDEN, NOT_SENT.format(host))
        if self._upstream is None:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, OFFLINE.format(host))
        kept = {*PASSED_ON, API_VERSION, *(() if is_own_token else ("authorization",))}
        sent = ((name.lower(), value) for name, value in request.headers.items())
        target = str(request.environ.get("REQUEST_URI", "")) or request.full_path
        answer = self._upstream.send(
            Sending(
                method=request.method,
                url=f"https://{host}{target}",
                headers={
                    "user-agent": AGENT,
                    **{name: value for name, value in sent if name in kept},
                },
            )
        )
        return Response(
            ReceivedBody(answer), answer.status, passed_on(answer), direct_passthrough=True
        )


def _is_about(job: ServicesJob, path: str) -> bool:
    """Tell whether a path names the job's repository, or none."""
    found = REPOSITORY.match(path)
    return found is None or found[1].lower() == job.repository.lower()


def _led(environ: WSGIEnvironment, host: str, api: str) -> WSGIEnvironment:
    """Return the request as it would have come to the job's own address of the API."""
    place, path = urlsplit(api), environ.get("PATH_INFO", "")
    below = HOSTS[host] if path != GRAPHQL else HOSTS[host].rpartition("/")[0]
    return {
        **environ,
        "HTTP_HOST": place.netloc,
        "PATH_INFO": f"{below}{path}",
        "REQUEST_URI": f"{below}{environ.get('REQUEST_URI', '')}",
    }
