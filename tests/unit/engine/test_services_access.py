"""How a job comes to its services: once for this machine, and once for its containers."""

from __future__ import annotations

from trunkline.base.errors import Unavailable
from trunkline.engine.services_access import NOTHING, JobAccess, NoServices
from trunkline.ports.job_services import ServicesAccess, ServicesJob, StoredListener, ignore

JOB = ServicesJob(
    run_id="1",
    key="build",
    number=1,
    repository="o/r",
    github={},
    permissions={},
    scopes=(),
    deadline=0.0,
)


class Served(NoServices):
    """Services that say where they were opened."""

    def open(
        self, _job: ServicesJob, _stored: StoredListener = ignore, host: str = ""
    ) -> ServicesAccess:
        return ServicesAccess(actions={"URL": host or "loopback"}, scripts={}, github={})


def nowhere() -> str:
    raise Unavailable("Containers can't reach this machine.", hint="Another engine can.")


def test_containers_that_can_not_reach_us_are_told_once_and_others_have_services() -> None:
    access = JobAccess(Served(), JOB)
    assert access.open(nowhere) == NOTHING
    assert access.open(nowhere) == NOTHING
    assert access.problem() == (
        "Actions have no services here (artifacts, caches, identity, GitHub's API): "
        "Containers can't reach this machine. Another engine can."
    )
    assert access.problem() == ""
    assert access.open().actions == {"URL": "loopback"}


def test_services_are_opened_once_for_each_side() -> None:
    access = JobAccess(Served(), JOB)
    assert access.open(lambda: "10.0.0.1").actions == {"URL": "10.0.0.1"}
    assert access.open(nowhere).actions == {"URL": "10.0.0.1"}
    assert access.open().actions == {"URL": "loopback"}
