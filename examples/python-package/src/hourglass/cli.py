"""The ``hourglass`` command."""

import argparse
import sys

from hourglass.durations import SECONDS, DurationError, format_duration, parse_duration

UNITS = {"weeks": "w", "days": "d", "hours": "h", "minutes": "m", "seconds": "s"}


def main(argv=None):
    parser = argparse.ArgumentParser(prog="hourglass")
    parser.add_argument("duration")
    parser.add_argument("--in", dest="unit", choices=UNITS, help="print a number of this unit")
    arguments = parser.parse_args(argv)
    try:
        seconds = parse_duration(arguments.duration)
    except DurationError as error:
        print(f"hourglass: {error}", file=sys.stderr)
        return 2
    if arguments.unit:
        print(f"{seconds / SECONDS[UNITS[arguments.unit]]:g}")
    else:
        print(format_duration(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
