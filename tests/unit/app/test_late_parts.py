"""What is loaded late keeps to what the system says of it: mypy reads the signatures."""

from __future__ import annotations

from trunkline.adapters.git.facts import Look as GitLook
from trunkline.app import System
from trunkline.app.containers import Engines
from trunkline.app.job_services import LocalJobServices
from trunkline.app.late import JobEngines, Look, ServedJobs
from trunkline.settings import read


def test_what_the_table_names_is_what_the_system_says(tmp_path):
    def made(system: System) -> tuple[JobEngines, ServedJobs, Look]:
        look = GitLook(str(tmp_path), committed=False)
        return Engines(system), LocalJobServices(system), look

    system = System(read())
    engines, services, look = made(system)
    look.stop()
    assert callable(engines.of_container_job)
    assert callable(services.application)
    system.close()
