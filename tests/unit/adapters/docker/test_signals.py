"""Whether an engine's process numbers are this machine's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trunkline.adapters.docker.signals import is_near

CONTAINER = "372fadb4ae7ca306e44aaeae9d573dee443c9ac28b3e405585cbbc96675295ba"


@pytest.mark.parametrize("name", ["cgroup", "mountinfo"])
def test_control_groups_and_mounts_tell_a_container_s_process(name: str) -> None:
    # The first mount is no other test's, which may be gone by now.
    own = Path("/proc/self", name).read_text().splitlines()[0].split()[-1]
    assert is_near(os.getpid(), own)


def test_another_container_s_process_is_not_near() -> None:
    assert not is_near(os.getpid(), CONTAINER)
    assert not is_near(0, CONTAINER)
    assert not is_near(1 << 30, CONTAINER)
