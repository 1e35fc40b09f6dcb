"""Files of a job that actions read: whole up to a limit, of what a program printed the end."""

from __future__ import annotations

import os

import pytest

from tests.jobs import LocalJob
from trunkline.adapters.toolkit.files import LAST_PART, read_end, read_text
from trunkline.ports.actions import ActionFailed
from trunkline.run.step_files import FILE_LIMIT


def test_text_is_read_whole(job: LocalJob) -> None:
    path = f"{job.layout.workspace}/file"
    assert read_text(job, path) is None
    job.sandbox.put(path, b"\xef\xbb\xbfone\r\ntwo\xff")
    assert read_text(job, path) == "one\ntwo\ufffd"


def test_a_file_that_is_too_large_is_refused(job: LocalJob) -> None:
    path = f"{job.layout.workspace}/file"
    job.sandbox.put(path, b"")
    os.truncate(path, FILE_LIMIT)
    assert len(read_text(job, path) or "") == FILE_LIMIT
    os.truncate(path, FILE_LIMIT + 1024)
    with pytest.raises(ActionFailed, match=r"/file can't be read: up to 16384k .* holds 16385k\."):
        read_text(job, path)


def test_of_what_was_printed_the_end_is_read(job: LocalJob) -> None:
    path = f"{job.layout.temp}/printed"
    assert read_end(job, path) == ""
    job.sandbox.put(path, b"short")
    assert read_end(job, path) == "short"
    job.sandbox.put(path, b"x" * LAST_PART + b"the reason")
    assert read_end(job, path) == "x" * (LAST_PART - 10) + "the reason"
