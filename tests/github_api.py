"""GitHub's REST API as a job reaches it: a repository, a token, and requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tests import actions_services
from tests.actions_services import RUN, Answer, job_of
from tests.repositories import commit, git, repository
from trunkline import settings
from trunkline.app import Choices, System
from trunkline.ports.job_services import ServicesAccess, ServicesJob

REPOSITORY = "/repos/octo/demo"
SCOPES = ("contents", "statuses", "checks", "deployments", "actions", "pull-requests")
ALL = dict.fromkeys(SCOPES, "write")
LICENSE = "MIT License\n\nPermission is hereby granted, free of charge, ... sublicense ...\n"


class GitHub(NamedTuple):
    """A run's repository with two commits (the first is tagged v1), and its job's way to the API."""

    system: System
    root: Path
    job: ServicesJob
    access: ServicesAccess
    token: str
    first: str
    head: str

    @property
    def api(self) -> str:
        """Return GITHUB_API_URL."""
        return self.access.github["api_url"]

    def ask(
        self,
        method: str,
        path: str,
        record: object = None,
        *,
        data: bytes = b"",
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """Send a request; `path` is behind the repository's, behind the API's with `//` before."""
        url = path if path.startswith("http") else f"{self.api}{_place(path)}"
        body = data if record is None else msgspec.json.encode(record)
        given = self.token if token is None else token
        sent = {"authorization": f"token {given}"} if given else {}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return actions_services.ask(method, url, body, {**sent, **more})

    def get(self, path: str, **headers: str) -> Any:
        """Return the JSON that a GET is answered with."""
        return self.done(self.ask("GET", path, None, data=b"", token=None, **headers), 200)

    def post(self, path: str, record: object, status: int = 201) -> Any:
        """Return the JSON that a POST is answered with."""
        return self.done(self.ask("POST", path, record), status)

    def done(self, answer: Answer, status: int) -> Any:
        """Check an answer's status; return its JSON."""
        assert answer.status == status, answer
        return msgspec.json.decode(answer.body) if answer.body else None

    def with_permissions(self, permissions: Mapping[str, str], number: int = 2) -> str:
        """Return the token of another job of the run, which may do other things."""
        other = msgspec.structs.replace(self.job, number=number, permissions=permissions)
        self.system.job_services.open(other)
        return self.system.job_services.token(other)


def _place(path: str) -> str:
    return path[1:] if path.startswith("//") else f"{REPOSITORY}{path}"


@contextmanager
def served(place: Path, event: Mapping[str, Any] | None = None, **github: str) -> Iterator[GitHub]:
    """Yield the API of a run; `event` is its payload, `github` more of the job's context."""
    root = repository(place / "source", {"README.md": "# Demo\n", "LICENSE": LICENSE})
    first = git(root, "rev-parse", "HEAD")
    git(root, "tag", "v1")
    head = commit(root, {"src/app.py": "print(1)\n", "a b/ä.txt": "x\n"}, "second")
    system = System(
        settings.read({"HOME": str(place), "PATH": "/usr/bin:/bin"}), Choices(directory=str(root))
    )
    (Path(system.settings.state) / "runs" / RUN).mkdir(parents=True)
    context = {
        "repository": "octo/demo",
        "run_id": RUN,
        "ref": "refs/heads/main",
        "ref_name": "main",
        "sha": head,
        "server_url": "https://github.com",
        "actor": "ada",
        "event": event or {},
        **github,
    }
    job = msgspec.structs.replace(job_of(permissions=ALL), github=context)
    try:
        token = system.job_services.token(job)
        access = system.job_services.open(job)
        yield GitHub(system, root, job, access, token, first, head)
    finally:
        system.close()
