"""Retention and collection: what goes, and above all what stays."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trunkline.oci.collection import (
    HeldBlob,
    HeldManifest,
    HeldTag,
    Holdings,
    Rules,
    garbage,
    orphans,
    reachable,
)
from trunkline.oci.retention import Retention, expired_tags, matches

DAY = 86400.0
NOW = 1000 * DAY
RULES = Rules(now=NOW)


def image(*blobs: str, subject: str = "", used: float = 0.0) -> HeldManifest:
    return HeldManifest(size=1, created=0.0, used=used, blobs=blobs, subject=subject)


def index(*children: str, used: float = 0.0) -> HeldManifest:
    return HeldManifest(size=1, created=0.0, used=used, children=children)


def holdings(
    manifests: dict[str, HeldManifest],
    tags: dict[str, str] | None = None,
    blobs: str = "",
    used: float = 0.0,
    received: float = 0.0,
) -> Holdings:
    return Holdings(
        repository="a/b",
        tags={name: HeldTag(digest, 0.0) for name, digest in (tags or {}).items()},
        manifests=manifests,
        blobs={digest: HeldBlob(1, used) for digest in blobs},
        received=received,
    )


def test_blobs_that_no_manifest_names_go() -> None:
    gone = garbage(holdings({"I": image("a", "b")}, {"t": "I"}, "abc"), RULES)
    assert (gone.tags, gone.manifests, gone.blobs) == ((), (), ("c",))


def test_a_blob_that_was_just_used_stays() -> None:
    held = holdings({}, blobs="a", used=NOW - 3599)
    assert garbage(held, RULES).blobs == ()
    assert garbage(held, Rules(now=NOW, lease=60)).blobs == ("a",)


def test_nothing_is_taken_from_a_repository_that_is_being_pushed_to() -> None:
    assert garbage(holdings({}, blobs="a", received=NOW - 10), RULES).blobs == ()


def test_untagged_manifests_stay_unless_a_rule_takes_them() -> None:
    held = holdings({"I": image("a"), "J": image("b")}, {"t": "I"}, "ab")
    assert garbage(held, RULES).manifests == ()
    gone = garbage(held, Rules(now=NOW, untagged=DAY))
    assert (gone.manifests, gone.blobs) == (("J",), ("b",))


def test_what_is_recorded_stays_with_all_that_it_needs() -> None:
    manifests = {"X": index("I"), "I": image("a"), "S": image("s", subject="X"), "O": image("o")}
    held = holdings(manifests, {"t": "X"}, "aso")
    gone_tags = (Retention(older_than=1.0),)
    rules = Rules(
        now=NOW, untagged=0.0, retention=gone_tags, recorded=frozenset({"X", "never pushed"})
    )
    gone = garbage(held, rules)
    assert (gone.tags, gone.manifests, gone.blobs) == (("t",), ("O",), ("o",))


def test_untagged_may_stay_for_ever() -> None:
    held = holdings({"I": image("a")}, blobs="a")
    assert garbage(held, Rules(now=NOW, untagged=float("inf"))).manifests == ()


def test_an_untagged_manifest_of_a_running_push_stays() -> None:
    held = holdings({"J": image("b", used=NOW - 10)}, blobs="b")
    assert garbage(held, Rules(now=NOW, untagged=0.0)).manifests == ()


def test_an_index_keeps_its_manifests_and_a_subject_its_referrers() -> None:
    manifests = {
        "X": index("I", "n"),
        "I": image("a"),
        "S": image("s", subject="I"),
        "T": image("t", subject="S"),
        "L": image("l", subject="gone"),
    }
    gone = garbage(holdings(manifests, {"t": "X"}, "anstl"), Rules(now=NOW, untagged=0.0))
    assert gone.manifests == ("L",)
    assert gone.blobs == ("l",)


def test_retention_takes_the_image_with_all_that_was_only_for_it() -> None:
    manifests = {
        "X": index("I", "J"),
        "I": image("a"),
        "J": image("b"),
        "S": image("s", subject="X"),
        "Y": index("J"),
    }
    held = holdings(manifests, {"old": "X", "kept": "Y"}, "abs")
    rules = Rules(now=NOW, retention=(Retention(tags=("old",), older_than=DAY),))
    gone = garbage(held, rules)
    assert (gone.tags, gone.manifests, gone.blobs) == (("old",), ("I", "S", "X"), ("a", "s"))


def test_retention_waits_for_what_was_just_used_and_spares_fixed_tags() -> None:
    rule = (Retention(older_than=DAY),)
    fresh = holdings({"I": image("a", used=NOW - 10)}, {"t": "I"}, "a")
    assert garbage(fresh, Rules(now=NOW, retention=rule)).tags == ()
    old = holdings({"I": image("a")}, {"v1": "I"}, "a")
    assert garbage(old, Rules(now=NOW, retention=rule)).tags == ("v1",)
    assert garbage(old, Rules(now=NOW, retention=rule, fixed=("v*",))).tags == ()


def test_which_tags_a_rule_gives_up() -> None:
    tags = {f"b{number}": NOW - number * DAY for number in range(5)} | {"v1": 0.0}

    def gone(rule: Retention) -> list[str]:
        return sorted(expired_tags("team/app", tags, (rule,), NOW))

    assert gone(Retention()) == []
    assert gone(Retention(keep_last=4)) == ["b4", "v1"]
    assert gone(Retention(keep_last=4, keep=("v*",))) == ["b4"]
    assert gone(Retention(tags=("b*",), keep_last=0)) == ["b0", "b1", "b2", "b3", "b4"]
    assert gone(Retention(older_than=2.5 * DAY)) == ["b3", "b4", "v1"]
    assert gone(Retention(older_than=2.5 * DAY, keep_last=4)) == ["b4", "v1"]
    assert gone(Retention(repositories="other/*", keep_last=0)) == []
    assert gone(Retention(repositories="team/*", keep_last=5)) == ["v1"]


def test_patterns_are_a_shells_and_capitals_count() -> None:
    assert matches("v1.2", ("v[0-9]*",))
    assert matches("a/b", ("*",))
    assert not matches("V1", ("v*",))
    assert not matches("v1", ())


def test_what_is_attached_goes_with_its_subject() -> None:
    subjects = {"S": "I", "T": "S", "U": "I", "V": "J"}
    assert orphans(subjects, {"U"}, "I") == {"S", "T"}


DIGESTS = st.sampled_from("ABCDEF")
GRAPHS = st.dictionaries(
    DIGESTS,
    st.builds(
        HeldManifest,
        size=st.just(1),
        created=st.just(0.0),
        used=st.sampled_from([0.0, NOW]),
        blobs=st.lists(st.sampled_from("abcd"), max_size=2).map(tuple),
        children=st.lists(DIGESTS, max_size=2).map(tuple),
        subject=st.sampled_from(["", "A", "B"]),
    ),
)


@given(GRAPHS, st.dictionaries(st.sampled_from(["t", "u"]), DIGESTS))
def test_what_stays_is_whole(graph: dict[str, HeldManifest], tags: dict[str, str]) -> None:
    tags = {name: digest for name, digest in tags.items() if digest in graph}
    rules = Rules(now=NOW, untagged=0.0, retention=(Retention(tags=("u",), older_than=1.0),))
    gone = garbage(holdings(graph, tags, "abcd"), rules)
    kept = graph.keys() - set(gone.manifests)
    assert reachable(graph, kept) == kept
    assert not {blob for one in kept for blob in graph[one].blobs} & set(gone.blobs)
    assert all(digest in kept for name, digest in tags.items() if name not in gone.tags)
