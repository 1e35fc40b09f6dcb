"""`cache-mode`: what may be written, and what is left of it below a caller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.workflow.cache_modes import MODES, READABLE, WRITABLE, narrowed
from trunkline.workflow.model import CallJob, Job
from trunkline.workflow.parse import parse

FILE = """
on: push
cache-mode: {mode}
jobs:
  own: {{runs-on: ubuntu-latest, cache-mode: none, steps: [{{run: x}}]}}
  usual: {{runs-on: ubuntu-latest, steps: [{{run: x}}]}}
  call: {{uses: ./.github/workflows/x.yml, cache-mode: write-only}}
"""
GRANTS = st.sampled_from(("", *MODES))


@pytest.mark.parametrize("mode", MODES)
def test_workflows_and_jobs_write_it(mode: str) -> None:
    workflow, diagnostics = parse(FILE.format(mode=mode), "ci.yml")
    assert not diagnostics
    assert workflow is not None
    assert workflow.cache_mode == mode
    own, usual, call = workflow.jobs
    assert isinstance(own, Job)
    assert isinstance(call, CallJob)
    assert (own.cache_mode, usual.cache_mode, call.cache_mode) == ("none", "", "write-only")


@pytest.mark.parametrize("mode", ["Read", "read-write", "''", "[read]", "${{ vars.MODE }}", "true"])
def test_other_words_are_mistakes(mode: str) -> None:
    _, diagnostics = parse(FILE.format(mode=mode), "ci.yml")
    assert {each.span.line for each in diagnostics} == {3}


@given(GRANTS, GRANTS)
def test_nobody_gets_more_than_both_allow(mode: str, granted: str) -> None:
    found = narrowed(mode, granted)
    written = [each for each in (mode, granted) if each]
    assert (found == "") is (not written)
    if written:
        assert (found in READABLE) is all(each in READABLE for each in written)
        assert (found in WRITABLE) is all(each in WRITABLE for each in written)
