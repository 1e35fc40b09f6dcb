"""Options that `run` and `plan` share, and how their texts become values."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from trunkline.base.errors import NotFound, Unavailable, UsageError
from trunkline.plan.runners import read_platforms

# The dotenv files that are read when they are present.
DOTENV = {"env": ".env", "var": ".vars", "secret": ".secrets", "input": ".input"}


class Help(argparse.HelpFormatter):
    """The help texts of a verb, as wide as the terminal, found without loading `shutil` (4 ms)."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class RawHelp(Help, argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, with the epilog as it is written."""


@cache
def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        return 80


def verb_parser(verb: str, description: str) -> argparse.ArgumentParser:
    """Return the parser of a verb; `description` is a sentence."""
    return argparse.ArgumentParser(
        prog=f"trunkline {verb}", formatter_class=Help, description=description
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run that a verb is about."""
    parser.add_argument(
        "run",
        nargs="?",
        default="latest",
        metavar="RUN",
        help="its id, its last digits, or latest (the default)",
    )


def add_event(parser: argparse.ArgumentParser) -> None:
    """Add the event, its payload and its inputs."""
    parser.add_argument("event", nargs="?", default="push", metavar="EVENT", help="default: push")
    parser.add_argument(
        "-e",
        "--eventpath",
        metavar="FILE",
        help="the event's payload, laid over the one made from git",
    )
    _pairs(parser, "--input", "K=V", "an input of workflow_dispatch or workflow_call")
    parser.add_argument(
        "--input-file", metavar="FILE", help=f"default: {DOTENV['input']} in the repository"
    )


def add_repository(parser: argparse.ArgumentParser) -> None:
    """Add what names the repository, its workflows and its actor."""
    parser.add_argument("-C", "--directory", default=".", metavar="DIR", help="the repository")
    parser.add_argument(
        "-W",
        "--workflows",
        metavar="PATH",
        action="append",
        default=[],
        help="a workflow file or a folder of them (default: .github/workflows; repeatable)",
    )
    parser.add_argument("-a", "--actor", default="", metavar="NAME", help="who does it")
    parser.add_argument("--repository", default="", metavar="OWNER/NAME", help="default: from git")
    parser.add_argument(
        "--server-url",
        default="",
        metavar="URL",
        help="whose repository it is (GITHUB_SERVER_URL; default: https://github.com)",
    )
    parser.add_argument(
        "--local-repository",
        action="append",
        default=[],
        metavar="SPEC=DIR",
        help="take an action's or workflow's repository (owner/name or owner/name@ref) from DIR "
        "(repeatable)",
    )
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument(
        "--committed", action="store_true", help="HEAD alone, without uncommitted work"
    )


def add_values(parser: argparse.ArgumentParser) -> None:
    """Add environment, variables and secrets."""
    _pairs(parser, "--env", "K=V", "an environment variable of every job")
    _pairs(parser, "--var", "K=V", "a configuration variable (vars.K)")
    parser.add_argument(
        "-s",
        "--secret",
        action="append",
        default=[],
        metavar="K[=V]",
        help="a secret; without a value it is taken from the environment, or asked for (repeatable)",
    )
    for name in ("env", "var", "secret"):
        parser.add_argument(
            f"--{name}-file", metavar="FILE", help=f"default: {DOTENV[name]} in the repository"
        )


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add what picks jobs and legs, and where labels run."""
    _pairs(parser, "-j", "ID", "this job and what it needs", "--job")
    _pairs(parser, "--matrix", "KEY:VALUE", "only the legs that match")
    _pairs(
        parser,
        "-P",
        "LABEL=WHERE",
        "where a runs-on label runs: host, docker:IMAGE, or nothing for nowhere",
        "--platform",
    )


def _pairs(
    parser: argparse.ArgumentParser, name: str, form: str, what: str, long_name: str = ""
) -> None:
    names = [name, long_name] if long_name else [name]
    parser.add_argument(
        *names, action="append", default=[], metavar=form, help=f"{what} (repeatable)"
    )


def repository_root(directory: str) -> str:
    """Return where the repository around `directory` begins; `directory` itself without git."""
    place = os.path.abspath(directory)
    while not os.path.exists(os.path.join(place, ".git")):
        above = os.path.dirname(place)
        if above == place:
            return os.path.normpath(directory)
        place = above
    return place


def dotenv_file(options: argparse.Namespace, kind: str) -> str:
    """Return the path of a dotenv file: the one that was named, else the repository's own.

    Raises NotFound when one was named that is not there.
    """
    named: str | None = getattr(options, f"{kind}_file")
    if named is None:
        return os.path.join(repository_root(options.directory), DOTENV[kind])
    if not os.path.exists(named):
        raise NotFound(f"There is no file {named}.")
    return named


class Selection(msgspec.Struct, frozen=True):
    """Jobs by id, matrix values, and labels (lower case) with their places."""

    jobs: tuple[str, ...]
    matrix: tuple[tuple[str, str], ...]
    platforms: Mapping[str, str]


def selection(options: argparse.Namespace) -> Selection:
    """Return what `add_selection`'s options say. Raises UsageError."""
    try:
        platforms = read_platforms(options.platform)
    except ValueError as error:
        raise UsageError(str(error)) from None
    matrix = tuple(pair(each, ":", "--matrix KEY:VALUE") for each in options.matrix)
    return Selection(tuple(options.job), matrix, platforms)


def pair(text: str, separator: str, form: str) -> tuple[str, str]:
    """Split `text` at its first `separator`. Raises UsageError, naming the form, without one."""
    name, found, value = text.partition(separator)
    if not found or not name:
        raise UsageError(f"'{text}' is not {form}.")
    return name, value


def pairs(texts: Iterable[str], form: str) -> dict[str, str]:
    """Return `K=V` texts as a table; a later one wins. Raises UsageError."""
    return dict(pair(text, "=", form) for text in texts)


def secrets(
    texts: Iterable[str], environment: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the secrets given or found in the environment, and the names left to ask for."""
    given: dict[str, str] = {}
    to_ask: list[str] = []
    for text in texts:
        name, separator, value = text.partition("=")
        if not name:
            raise UsageError(f"'{text}' is not -s K or -s K=V.")
        if separator:
            given[name] = value
        elif name in environment:
            given[name] = environment[name]
        else:
            to_ask.append(name)
    return given, to_ask


def payload(path: str | None) -> Mapping[str, Any] | None:
    """Return the payload in a file, None when none is named. Raises NotFound, Unavailable, UsageError."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.") from None
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}") from error
    try:
        found = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} is not an event's payload: it must be a JSON object.")
    return found
