"""A process whose output has nowhere to go does not live on."""

from __future__ import annotations

import pytest

from trunkline.adapters.clock import SystemClock, SystemIds
from trunkline.adapters.file_search import search_disk
from trunkline.adapters.sandboxes.host.sandbox import HostSandboxes
from trunkline.base.errors import Unavailable
from trunkline.engine.cancel import CancelToken
from trunkline.engine.processes import Limits, run_to_end
from trunkline.ports.process import ProcessSpec
from trunkline.ports.sandbox import JobPlace


class FullDisk:
    """A sink that can't store anything."""

    def feed(self, data: bytes) -> None:
        raise Unavailable(f"No space left on device for {len(data)} bytes")

    def tick(self) -> None:
        pass


def test_a_process_is_killed_when_its_output_cannot_be_stored(tmp_path):
    sandbox = HostSandboxes(
        str(tmp_path), SystemIds(), {"PATH": "/usr/bin:/bin"}, lambda: False, search_disk
    )
    job = sandbox.open("host")
    place = JobPlace(run_id="1", key="a", where="host", repository="o/r", event="{}")
    layout = job.prepare(place)
    argv = ("/bin/sh", "-c", "echo output; exec sleep 600")
    spec = ProcessSpec(argv=argv, env=layout.env, cwd=layout.workspace)
    process = job.start(spec)
    with pytest.raises(Unavailable):
        run_to_end(process, FullDisk(), SystemClock(), Limits(CancelToken(), None))
    assert process.wait() == 137  # it did not sleep to its end
    job.tear_down(keep=False)
