"""Dates in the formats of Moment.js (https://momentjs.com/docs/#/displaying/format/), in English."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from trunkline.ports.actions import ActionFailed

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_LONG = re.compile(r"(\[[^\[]*\])|(\\)?(LTS|LT|LL?L?L?|l{1,4})")
_LONG_DATES = {
    "LTS": "h:mm:ss A",
    "LT": "h:mm A",
    "L": "MM/DD/YYYY",
    "LL": "MMMM D, YYYY",
    "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "l": "M/D/YYYY",
    "ll": "MMM D, YYYY",
    "lll": "MMM D, YYYY h:mm A",
    "llll": "ddd, MMM D, YYYY h:mm A",
}
_TOKEN = re.compile(
    r"\[[^\[]*\]|\\?(?:[Hh]mm(?:ss)?|Mo|MM?M?M?|Do|DDDo|DD?D?D?|ddd?d?|do?|w[ow]?|W[oW]?|Qo?|N{1,5}"
    r"|YYYYYY|YYYYY|YYYY|YY|y{2,4}|yo?|gg(?:ggg?)?|GG(?:GGG?)?|e|E|a|A|hh?|HH?|kk?|mm?|ss?|S{1,9}"
    r"|x|X|zz?|ZZ?|.)",
    re.DOTALL,
)
_DEFAULT_UTC, _DEFAULT = "YYYY-MM-DDTHH:mm:ss[Z]", "YYYY-MM-DDTHH:mm:ssZ"


def zone(name: str) -> tzinfo | None:
    """Return a time zone by its name in any case (`Asia/Tokyo`), None when there is none.

    Raises ActionFailed when this machine has no time zones at all.
    """
    wanted = name.replace(" ", "_")
    if wanted.lower() == "utc":
        return UTC
    try:
        return ZoneInfo(wanted)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = {each.lower(): each for each in available_timezones()}
    if not known:
        raise ActionFailed(f"The time zone {name} can't be had: this machine has no tzdata.")
    return ZoneInfo(known[wanted.lower()]) if wanted.lower() in known else None


def formatted(date: datetime, pattern: str | None) -> str:
    """Return an aware date in a format of Moment.js, None for its default one (ISO 8601)."""
    if pattern is None:
        pattern = _DEFAULT if date.utcoffset() else _DEFAULT_UTC
    return "".join(_shown(token, date) for token in _TOKEN.findall(_expanded(pattern)))


def _expanded(pattern: str) -> str:
    """Return a format with the long dates (`LLL`) written out."""
    for _ in range(6):
        if not _LONG.search(pattern):
            break
        pattern = _LONG.sub(lambda found: _LONG_DATES.get(found[0], found[0]), pattern)
    return pattern


def _shown(token: str, date: datetime) -> str:
    if token in _TOKENS:
        return _TOKENS[token](date)
    if re.fullmatch(r"\[.*\]", token, re.DOTALL):
        return token[1:-1]
    if re.fullmatch(r"S{4,9}", token):
        return f"{_milliseconds(date):03d}".ljust(len(token), "0")
    return token.replace("\\", "")


def _milliseconds(date: datetime) -> int:
    return date.microsecond // 1000


def _ordinal(number: int) -> str:
    last = number % 10
    ending = {1: "st", 2: "nd", 3: "rd"}.get(last, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{ending}"


def _weekday(date: datetime) -> int:
    """Days since Sunday."""
    return (date.weekday() + 1) % 7


def _week(date: datetime) -> tuple[int, int]:
    """Year and number of the week: it begins on Sunday, and the first one has 1 January."""
    saturday = date + timedelta(days=6 - _weekday(date))
    return saturday.year, (saturday.timetuple().tm_yday - 1) // 7 + 1


def _twelve(date: datetime) -> int:
    return date.hour % 12 or 12


def _offset(date: datetime, separator: str) -> str:
    minutes = round((date.utcoffset() or timedelta()).total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}{separator}{abs(minutes) % 60:02d}"


def _quarter(date: datetime) -> int:
    return (date.month + 2) // 3


def _day_of_year(date: datetime) -> int:
    return date.timetuple().tm_yday


_TOKENS: dict[str, Callable[[datetime], str]] = {
    "M": lambda d: f"{d.month}",
    "Mo": lambda d: _ordinal(d.month),
    "MM": lambda d: f"{d.month:02d}",
    "MMM": lambda d: _MONTHS[d.month - 1][:3],
    "MMMM": lambda d: _MONTHS[d.month - 1],
    "Q": lambda d: f"{_quarter(d)}",
    "Qo": lambda d: _ordinal(_quarter(d)),
    "D": lambda d: f"{d.day}",
    "Do": lambda d: _ordinal(d.day),
    "DD": lambda d: f"{d.day:02d}",
    "DDD": lambda d: f"{_day_of_year(d)}",
    "DDDo": lambda d: _ordinal(_day_of_year(d)),
    "DDDD": lambda d: f"{_day_of_year(d):03d}",
    "d": lambda d: f"{_weekday(d)}",
    "do": lambda d: _ordinal(_weekday(d)),
    "dd": lambda d: _DAYS[_weekday(d)][:2],
    "ddd": lambda d: _DAYS[_weekday(d)][:3],
    "dddd": lambda d: _DAYS[_weekday(d)],
    "e": lambda d: f"{_weekday(d)}",
    "E": lambda d: f"{d.isoweekday()}",
    "w": lambda d: f"{_week(d)[1]}",
    "wo": lambda d: _ordinal(_week(d)[1]),
    "ww": lambda d: f"{_week(d)[1]:02d}",
    "W": lambda d: f"{d.isocalendar().week}",
    "Wo": lambda d: _ordinal(d.isocalendar().week),
    "WW": lambda d: f"{d.isocalendar().week:02d}",
    "YY": lambda d: f"{d.year % 100:02d}",
    "YYYY": lambda d: f"{d.year:04d}",
    "YYYYY": lambda d: f"{d.year:05d}",
    "YYYYYY": lambda d: f"+{d.year:06d}",
    "Y": lambda d: f"{d.year:04d}",
    "y": lambda d: f"{d.year}",
    "yo": lambda d: _ordinal(d.year),
    "yy": lambda d: f"{d.year:02d}",
    "yyy": lambda d: f"{d.year:03d}",
    "yyyy": lambda d: f"{d.year:04d}",
    **dict.fromkeys(("N", "NN", "NNN", "NNNNN"), lambda _: "AD"),
    "NNNN": lambda _: "Anno Domini",
    "gg": lambda d: f"{_week(d)[0] % 100:02d}",
    "gggg": lambda d: f"{_week(d)[0]:04d}",
    "ggggg": lambda d: f"{_week(d)[0]:05d}",
    "GG": lambda d: f"{d.isocalendar().year % 100:02d}",
    "GGGG": lambda d: f"{d.isocalendar().year:04d}",
    "GGGGG": lambda d: f"{d.isocalendar().year:05d}",
    "A": lambda d: "PM" if d.hour > 11 else "AM",
    "a": lambda d: "pm" if d.hour > 11 else "am",
    "H": lambda d: f"{d.hour}",
    "HH": lambda d: f"{d.hour:02d}",
    "h": lambda d: f"{_twelve(d)}",
    "hh": lambda d: f"{_twelve(d):02d}",
    "k": lambda d: f"{d.hour or 24}",
    "kk": lambda d: f"{d.hour or 24:02d}",
    "hmm": lambda d: f"{_twelve(d)}{d.minute:02d}",
    "hmmss": lambda d: f"{_twelve(d)}{d.minute:02d}{d.second:02d}",
    "Hmm": lambda d: f"{d.hour}{d.minute:02d}",
    "Hmmss": lambda d: f"{d.hour}{d.minute:02d}{d.second:02d}",
    "m": lambda d: f"{d.minute}",
    "mm": lambda d: f"{d.minute:02d}",
    "s": lambda d: f"{d.second}",
    "ss": lambda d: f"{d.second:02d}",
    "S": lambda d: f"{_milliseconds(d) // 100}",
    "SS": lambda d: f"{_milliseconds(d) // 10:02d}",
    "SSS": lambda d: f"{_milliseconds(d):03d}",
    "z": lambda d: d.tzname() or "",
    "zz": lambda d: d.tzname() or "",
    "Z": lambda d: _offset(d, ":"),
    "ZZ": lambda d: _offset(d, ""),
    "x": lambda d: f"{int(d.timestamp())}{_milliseconds(d):03d}",
    "X": lambda d: f"{int(d.timestamp())}",
}
