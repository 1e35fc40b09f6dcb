import pytest

from hourglass import DurationError, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1.5H", 5400),
        ("2 d", 172_800),
        ("1w", 604_800),
    ],
)
def test_reads_what_people_write(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1h and a bit", "h1"])
def test_refuses_what_is_no_duration(text):
    with pytest.raises(DurationError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.6, "1m"), (5400, "1h 30m"), (-60, "-1m"), (694_861, "1w 1d 1h 1m 1s")],
)
def test_writes_the_largest_units(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize("seconds", [1, 61, 86_399, 700_000])
def test_reads_back_what_it_wrote(seconds):
    assert parse_duration(format_duration(seconds)) == seconds
