"""`trunkline logs RUN`: what jobs printed."""

from __future__ import annotations

import sys
import time

from trunkline import settings
from trunkline.app import System
from trunkline.cli.arguments import add_run, verb_parser
from trunkline.services import runs as service
from trunkline.services.runs import JobView

POLL = 0.2
STAMP = len("2026-01-01T00:00:00.0000000Z ")


def main(argv: list[str]) -> int:
    """Print the lines of a run's jobs; return 0."""
    parser = verb_parser("logs", "Print what a run's jobs printed.")
    add_run(parser)
    parser.add_argument("-j", "--job", default="", metavar="ID", help="one job (default: all)")
    parser.add_argument(
        "--step", type=int, default=0, metavar="N", help="one step, by the number `show` prints"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run ends")
    parser.add_argument("-t", "--timestamps", action="store_true", help="with each line's time")
    options = parser.parse_args(argv)
    system = System(settings.read())
    run = service.show(system.journals, options.run)
    if options.follow:
        _follow(system, run.run_id, options.job, stamps=options.timestamps)
        return 0
    jobs = service.job_of(run, options.job)
    for job in jobs:
        data = service.lines(system.logs, run, job, options.step)
        _write(job, data, named=len(jobs) > 1, stamps=options.timestamps)
    return 0


def _write(job: JobView, data: bytes, *, named: bool, stamps: bool) -> None:
    prefix = f"{job.name} | ".encode() if named else b""
    cut = 0 if stamps else STAMP
    out = sys.stdout.buffer
    for line in data.splitlines(keepends=True):
        out.write(prefix + line[cut:])
    out.flush()


def _follow(system: System, run_id: str, wanted: str, *, stamps: bool) -> None:
    """Print lines as they come until the run ends or its engine is gone."""
    printed: dict[str, int] = {}
    while True:
        run = service.show(system.journals, run_id)
        jobs = [job for job in run.jobs.values() if job.started]
        if wanted:
            jobs = service.job_of(run, wanted)
        for job in jobs:
            start = printed.get(job.key, 0)
            data = system.logs.read(run_id, job.key, start)
            printed[job.key] = start + data.count(b"\n")
            _write(job, data, named=len(run.jobs) > 1, stamps=stamps)
        if run.conclusion is not None or system.journals.open(run_id).writer() is None:
            return
        time.sleep(POLL)
