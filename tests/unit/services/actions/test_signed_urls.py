"""Signed addresses: good for one action on one thing of one job, for a while."""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.actions_services import job_of
from trunkline.adapters.clock import FakeClock, SystemIds
from trunkline.ports.job_services import ServicesJob
from trunkline.services.actions.jobs import LiveJobs
from trunkline.services.actions.refusals import Refused
from trunkline.services.actions.signed_urls import LIFETIME, READ, WRITE, SignedUrls

JOB = job_of("1001", 3)
OTHER = job_of("1001", 4)
FOREIGN = job_of("1002", 3)


@dataclasses.dataclass(frozen=True)
class Use:
    """How an address is used."""

    action: str
    kind: str
    place: str
    query: tuple[tuple[str, str], ...]

    def changed(self, **values: str) -> Use:
        """Return the use with other values in its query."""
        return dataclasses.replace(self, query=tuple((dict(self.query) | values).items()))


class Made:
    """Addresses for jobs that are let in."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.jobs = LiveJobs(self.clock, SystemIds())
        self.urls = SignedUrls(self.jobs, self.clock, b"k" * 32)
        for job in (JOB, OTHER, FOREIGN):
            self.jobs.begin(job)

    def use(self, action: str, kind: str, place: str, job: ServicesJob = JOB) -> Use:
        """Return how an address is meant to be used."""
        parts = urlsplit(self.urls.url("http://host:1", job, action, kind, place))
        assert parts.path == f"/blobs/{kind}/{place}"
        return Use(action, kind, place, tuple(parse_qsl(parts.query)))

    def check(self, use: Use) -> ServicesJob:
        """Check an address."""
        return self.urls.check(use.action, use.kind, use.place, dict(use.query))


@pytest.fixture
def made() -> Made:
    return Made()


def test_an_address_is_good_for_what_it_was_made_for(made: Made):
    assert made.check(made.use(READ, "artifacts", "1001-7")) is JOB
    assert made.check(made.use(WRITE, "caches", "abc", FOREIGN)) is FOREIGN


def test_it_leads_to_two_folders_and_keeps_its_query(made: Made):
    url = made.urls.url("http://127.0.0.1:80", JOB, READ, "artifacts", "7")
    assert url.startswith("http://127.0.0.1:80/blobs/artifacts/7?")
    assert "&sig=" in url
    assert not {"se", "sp", "sv", "sr"} & dict(parse_qsl(urlsplit(url).query)).keys()


def test_an_address_is_good_for_nothing_else(made: Made):
    use = made.use(READ, "artifacts", "1001-7")
    told = dict(use.query)
    for wrong in (
        dataclasses.replace(use, action=WRITE),
        dataclasses.replace(use, kind="caches"),
        dataclasses.replace(use, place="1001-8"),
        dataclasses.replace(use, place="1001-77"),
        use.changed(run="1002"),
        use.changed(job="4"),
        use.changed(job="03"),
        use.changed(expires=str(int(told["expires"]) + 1)),
        use.changed(expires="9" * 15),
        use.changed(sig=""),
        use.changed(sig=told["sig"][:-1]),
        use.changed(sig=told["sig"].upper()),
        use.changed(sig="é"),
        dataclasses.replace(use, query=()),
    ):
        with pytest.raises(Refused) as caught:
            made.check(wrong)
        assert caught.value.code == "permission_denied"
        assert caught.value.message == "the address was not made for this"


def test_fields_can_not_be_moved_into_each_other(made: Made):
    """Gitea's CVE-2026-58426: fields were signed without what stands between them."""
    use = made.use(READ, "artifacts", "1")
    told = dict(use.query)
    for run, number in (("10013", ""), ("100", "13"), ("1001", "3,")):
        with pytest.raises(Refused):
            made.check(use.changed(run=run, job=number))
    moved = dataclasses.replace(use, place=f"1{told['run']}").changed(run="")
    with pytest.raises(Refused):
        made.check(moved)


FIELD = st.text(alphabet="abAB01.-_", min_size=1, max_size=4)


@given(st.tuples(FIELD, FIELD), st.tuples(FIELD, FIELD))
def test_no_two_addresses_share_a_signature(first: tuple[str, str], second: tuple[str, str]):
    made = Made()
    signatures = [dict(made.use(READ, *fields).query)["sig"] for fields in (first, second)]
    assert (signatures[0] == signatures[1]) == (first == second)


def test_an_address_dies_with_its_time(made: Made):
    use = made.use(READ, "artifacts", "7")
    made.clock.advance(LIFETIME - 1)
    made.check(use)
    made.clock.advance(1)
    with pytest.raises(Refused, match="expired"):
        made.check(use)


def test_no_address_outlives_the_deadline_of_its_job(made: Made):
    job = job_of("1003", 1, deadline=made.clock.now() + 60)
    made.jobs.begin(job)
    assert dict(made.use(READ, "a", "b", job).query)["expires"] == str(int(job.deadline))


def test_an_address_dies_with_its_job(made: Made):
    use = made.use(READ, "artifacts", "7")
    made.jobs.end(JOB)
    with pytest.raises(Refused, match="ended"):
        made.check(use)


@pytest.mark.parametrize("place", ["", "a/b", "a?b", "..%2f", "a b", "é", "a\0", "a" * 201])
def test_names_that_no_address_has(made: Made, place: str):
    with pytest.raises(ValueError, match="can't be an address"):
        made.urls.url("http://host", JOB, READ, "artifacts", place)
    with pytest.raises(Refused):
        made.urls.check(READ, "artifacts", place, {"run": "1001", "job": "3", "expires": "1"})


def test_the_query_may_be_longer(made: Made):
    url = made.urls.url("http://host", JOB, WRITE, "artifacts", "7")
    query = urlsplit(url).query + "&" + urlencode({"comp": "block", "blockid": "YQ=="})
    assert made.urls.check(WRITE, "artifacts", "7", dict(parse_qsl(query))) is JOB
