"""What is told of rate limits, and when counting begins anew."""

from __future__ import annotations

from trunkline.adapters.clock import FakeClock
from trunkline.services.github.rate_limits import NOBODY, OF_JOB, OF_USER, Caller, RateLimits

START = 1000.0
JOB = Caller("octo/demo", OF_JOB)
USER = Caller("token", OF_USER)


def used(limits: RateLimits, caller: Caller, resource: str = "core") -> int:
    found = limits.document(caller)["resources"][resource]["used"]
    assert isinstance(found, int)
    return found


def test_an_hour_begins_with_its_first_request() -> None:
    clock = FakeClock(start=START)
    limits = RateLimits(clock)
    clock.advance(100)
    assert limits.document(USER)["rate"]["reset"] == 4700
    for count in (1, 2, 3):
        told = limits.headers(USER, "/user", counts=True)
        assert told == {
            "x-ratelimit-limit": "5000",
            "x-ratelimit-remaining": str(5000 - count),
            "x-ratelimit-used": str(count),
            "x-ratelimit-reset": "4700",
            "x-ratelimit-resource": "core",
        }
        clock.advance(1000)
    assert (used(limits, USER), used(limits, JOB), used(limits, NOBODY)) == (3, 0, 0)
    clock.advance(600)
    assert used(limits, USER) == 0
    assert limits.headers(USER, "/user", counts=True)["x-ratelimit-reset"] == "8300"


def test_searches_are_counted_by_the_minute() -> None:
    clock = FakeClock(start=START)
    limits = RateLimits(clock)
    for path, resource in (("/search/code", "code_search"), ("/search/issues", "search")):
        told = limits.headers(JOB, path, counts=True)
        assert (told["x-ratelimit-resource"], told["x-ratelimit-reset"]) == (resource, "1060")
        assert (used(limits, JOB, resource), used(limits, JOB)) == (1, 0)
    clock.advance(60)
    assert used(limits, JOB, "search") == 0


def test_what_is_beyond_the_limit_is_counted_on() -> None:
    limits = RateLimits(FakeClock(start=START))
    for _ in range(1000):
        limits.headers(JOB, "/repos/octo/demo", counts=True)
    told = limits.headers(JOB, "/repos/octo/demo", counts=True)
    assert (told["x-ratelimit-remaining"], told["x-ratelimit-used"]) == ("0", "1001")
