"""What metadata-action's inputs are written in: Handlebars, Moment.js's formats, JavaScript's patterns.

The answers are those of the libraries themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.adapters.actions.docker_metadata.event import Event
from trunkline.adapters.actions.docker_metadata.labels import labels_of
from trunkline.adapters.actions.docker_metadata.moment import formatted, zone
from trunkline.adapters.actions.docker_metadata.patterns import match_groups
from trunkline.adapters.actions.docker_metadata.rules import read_flavor, read_images, read_tag
from trunkline.adapters.actions.docker_metadata.template import Names, Template, Value
from trunkline.adapters.actions.docker_metadata.versions import read_pep440, read_semantic
from trunkline.ports.actions import ActionFailed


def call(arguments: tuple[Value, ...], named: Mapping[str, Value]) -> str:
    return "|".join([*map(str, arguments), *(f"{key}:{value}" for key, value in named.items())])


NAMES: Names = {"branch": "my/br=a&b", "tag": "", "pre": ("rc", 2), "n": 0, "f": call}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{branch}}", "my/br&#x3D;a&amp;b"),
        ("{{{branch}}}", "my/br=a&b"),
        ("{{&branch}}", "my/br=a&b"),
        ("{{ tag }}|{{nope}}|", "||"),
        ("{{pre}} {{pre.[0]}} {{pre.[7]}}", "rc,2 rc "),
        ("{{n}}{{../n}}{{this.n}}{{@root.n}}", "000"),
        ("{{[n]}}{{'n'}}{{true}}", "00"),
        ("{{f 'a b' 1.5 -2 true tz=\"q'r\"}}", "a b|1.5|-2|True|tz:q&#x27;r"),
        ("{{f 'it\\'s' (f '}}') undefined}}", "it&#x27;s|}}|None"),
        ("{{#if tag}}T{{else}}E{{/if}}{{#if n}}T{{/if}}{{#unless n}}U{{/unless}}", "EU"),
        ("{{^if tag}}N{{/if}}{{#if tag}}x{{^}}y{{/if}}", "Ny"),
        ("{{#if tag}}x{{else if pre}}y{{else}}z{{/if}}", "y"),
        ("{{#if (f 'x')}}{{#if n}}a{{else}}b{{/if}}{{/if}}", "b"),
        ("a \\{{b}} c{{n}}", "a {{b}} c0"),
        ("\\\\{{n}}x", "\\0x"),
        ("{{!-- c }} --}}x{{! c }}y", "xy"),
        (" {{~n~}} y", "0y"),
        ("}} a {b} { {c}}", "}} a {b} { {c}}"),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert Template(template).render(NAMES) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{f 'x'", "Parse error on line 1"),
        ("x\n{{}}", "Parse error on line 2"),
        ("{{{n}}", "Parse error"),
        ("{{n}}}", "Parse error"),
        ("{{a b=}}", "Parse error"),
        ("{{/if}}", "Parse error"),
        ("{{else}}", "Parse error"),
        ("{{#if n}}x", "if is not closed"),
        ("{{#if n}}x{{/unless}}", "if is closed by another name"),
        ("{{#each pre}}{{/each}}", "there are if and unless here, not each"),
        ("{{> part}}", "partials"),
        ("{{{{raw}}}}", "raw blocks"),
        ("{{nope 'x'}}", 'Missing helper: "nope"'),
        ("{{#if}}{{/if}}", "#if requires exactly one argument"),
        ("{{#if n}}" * 5000, "nested too deeply"),
    ],
)
def test_templates_that_can_not_be_shown(template: str, message: str) -> None:
    with pytest.raises(ActionFailed, match=message):
        Template(template).render(NAMES)


@pytest.mark.parametrize("text", ["{{raw}}", "{{ raw }}", "{{raw }}"])
def test_a_template_of_one_name(text: str) -> None:
    assert Template(text).is_only("raw")
    assert not Template(f"{text}.{text}").is_only("raw")


@given(st.text(alphabet="{}#/^!~-\\ if\"'()=.[]else\n"))
def test_any_template_is_shown_or_refused(text: str) -> None:
    try:
        shown = Template(text).render(NAMES)
    except ActionFailed:
        return
    assert "{{" in text or shown == text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (None, "2020-01-10T15:25:50Z"),
        ("dddd, MMMM Do YYYY, h:mm:ss a", "Friday, January 10th 2020, 3:25:50 pm"),
        ("YYYYMMDD-HHmmss.SSS", "20200110-152550.123"),
        ("YYYY-MM-DDTHH:mm:ss.SSS[Z]", "2020-01-10T15:25:50.123Z"),
        ("[week] w ww wo W WW gggg GGGG", "week 2 02 2nd 2 02 2020 2020"),
        ("Q Qo DDD DDDo DDDD d do dd ddd e E", "1 1st 10 10th 010 5 5th Fr Fri 5 5"),
        (
            "M Mo MMM D DD YY Y y A H k kk hh m s S SS SSSSS",
            "1 1st Jan 10 10 20 2020 2020 PM 15 15 15 03 25 50 1 12 12300",
        ),
        ("L | LT | LTS", "01/10/2020 | 3:25 PM | 3:25:50 PM"),
        (
            "LL; LLL; LLLL",
            "January 10, 2020; January 10, 2020 3:25 PM; Friday, January 10, 2020 3:25 PM",
        ),
        (
            "l; ll; lll; llll",
            "1/10/2020; Jan 10, 2020; Jan 10, 2020 3:25 PM; Fri, Jan 10, 2020 3:25 PM",
        ),
        ("x X Z ZZ z", "1578669950123 1578669950 +00:00 +0000 UTC"),
        ("\\YYYYY [x\\y] hmm Hmmss", "YYYYY x\\y 325 152550"),
        ("", ""),
    ],
)
def test_dates(pattern: str | None, text: str) -> None:
    date = datetime(2020, 1, 10, 15, 25, 50, 123_000, UTC)
    assert formatted(date, pattern) == text


def test_dates_elsewhere() -> None:
    date = datetime(2020, 12, 31, 20, 0, tzinfo=UTC)
    assert formatted(date.astimezone(zone("asia/tokyo")), "YYYYMMDD-HHmmss Z z") == (
        "20210101-050000 +09:00 JST"
    )
    assert formatted(date.astimezone(zone("Asia/Tokyo")), None) == "2021-01-01T05:00:00+09:00"
    assert formatted(date.astimezone(zone("America/New_York")), "w gggg W GGGG") == "1 2021 53 2020"
    assert zone("Utc") is UTC
    assert zone("No/Where") is zone("../etc") is zone("") is None


@given(st.text(alphabet="YMDdhHmsSAaLlTZzwWeEQgGkxXNy[]\\ -:o"), st.integers(0, 2**32))
def test_any_format_is_shown(pattern: str, seconds: int) -> None:
    assert isinstance(formatted(datetime.fromtimestamp(seconds, UTC), pattern), str)


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        (r"\d.\d", "v1.2.3", ["1.2"]),
        ("/V(.)/i", "v1", ["v1", "1"]),
        (r"/\d/g", "v1.2", ["1", "2"]),
        ("(a)|(b)", "b", ["b", None, "b"]),
        (r"(?<n>a+)-\k<n>", "aa-aa", ["aa-aa", "aa"]),
        ("x$", "x\n", None),
        ("/x$/m", "x\ny", ["x"]),
        ("a{,3}", "a{,3}", ["a{,3}"]),
        ("[^]", "\n", ["\n"]),
        ("[]", "x", None),
        (r"\d", "٣", None),
        ("/a.b/s", "a\nb", ["a\nb"]),
    ],
)
def test_patterns(pattern: str, text: str, groups: list[str | None] | None) -> None:
    assert match_groups(pattern, text) == groups


def test_semantic_versions() -> None:
    found = read_semantic("v1.2.3-rc.1.x-y+b.7")
    assert found is not None
    assert (found.raw, found.version) == ("v1.2.3-rc.1.x-y+b.7", "1.2.3-rc.1.x-y")
    assert (found.major, found.minor, found.patch) == (1, 2, 3)
    assert (found.prerelease, found.build) == (("rc", 1, "x-y"), ("b", "7"))
    for text in ("1.2", "01.2.3", "=1.2.3", "1.2.3-01", "V1.2.3", "9007199254740992.0.0", "x"):
        assert read_semantic(text) is None
    assert read_semantic(f"1.2.3-{'x' * 251}") is None


@pytest.mark.parametrize(
    ("text", "version", "final"),
    [
        ("V1.0", "1.0", True),
        ("1.0-1", "1.0.post1", False),
        ("1!2.0.preview", "1!2.0rc0", False),
        ("1.0a.DEV", "1.0a0.dev0", False),
        ("1.0+Ubuntu-1", "1.0+ubuntu,1", True),
    ],
)
def test_versions_of_python(text: str, version: str, *, final: bool) -> None:
    found = read_pep440(text)
    assert found is not None
    assert (found.raw, found.version, found.final) == (text, version, final)
    assert read_pep440(f" {text}") is read_pep440(f"{text}!") is None


def test_labels_are_sorted_as_people_sort() -> None:
    own = ["Z=1", "b-c=2", "b.c=3", "b_c=4", "a=5", "é=6", "B=7", "b=8", "1=9", "a=10"]
    event = Event("push", "refs/heads/x", "", {}, 0.0)
    labels = labels_of(event, "", "", own, str)
    assert [key for key in labels if not key.startswith("org.")] == [
        *("1", "a", "b", "B", "b_c", "b-c", "b.c", "é", "Z")
    ]
    assert labels["a"] == "10"


@given(st.text(alphabet='type=rawsh,fo\n" {}', max_size=40))
def test_any_rule_is_read_or_refused(text: str) -> None:
    for read in (read_tag, lambda line: read_images([line]), lambda line: read_flavor([line])):
        try:
            read(text)
        except ActionFailed:
            continue
