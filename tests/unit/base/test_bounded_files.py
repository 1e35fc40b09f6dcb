"""Files of jobs are read whole or not at all: memory does not follow what a step writes."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from trunkline.base.bounded_files import TooLarge, read_whole


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_what_fits_is_read_whole(size):
    assert read_whole(io.BytesIO(b"x" * size), 100) == b"x" * size


def test_what_does_not_fit_is_not_read(tmp_path):
    path = tmp_path / "output"
    path.touch()
    with path.open("rb+") as file:
        file.truncate(1 << 30)
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge) as refused:
                read_whole(file, 1 << 20)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert refused.value.size == 1 << 30
    assert peak < 1 << 20
