"""`trunkline registry user`: who may log in to the registry, and what each may do."""

from __future__ import annotations

import argparse
import re
import sys
from getpass import getpass

from trunkline import settings
from trunkline.app import System
from trunkline.app import registry as composed
from trunkline.base.errors import NotFound, UsageError
from trunkline.cli import arguments
from trunkline.cli.program import program
from trunkline.cli.registry_options import add_store
from trunkline.oci.access import ALL_RIGHTS, Grant, read_grants
from trunkline.ports.registry_users import Users

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
FORM = "--grant PATTERN=ACTIONS"


def main(argv: list[str]) -> int:
    """Change or list users; return 0. Raises TrunklineError."""
    options = _parser().parse_args(argv)
    system = System(settings.read())
    root = options.store or composed.default_root(system)
    users = composed.users(options.users or f"{root}/{composed.USERS_FILE}")
    match options.do:
        case "add":
            _add(users, options.name, _grants(options.grant))
        case "remove":
            _remove(users, options.name)
        case _:
            _list(users)
    return 0


def _add(users: Users, name: str, grants: tuple[Grant, ...]) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' can't be a user's name.",
            hint="Letters and digits, with . _ @ + - between them, at most 64.",
        )
    is_new = users.put(name, _password(name), grants)
    sys.stdout.write(f"{name} is {'a new user' if is_new else 'changed'}: {_told(grants)}\n")


def _remove(users: Users, name: str) -> None:
    if not users.remove(name):
        raise NotFound(f"There is no user {name}.")
    sys.stdout.write(f"{name} is gone\n")


def _list(users: Users) -> None:
    for name in users.names():
        account = users.account(name)
        if account is not None:
            sys.stdout.write(f"{name}: {_told(account.grants)}\n")
    anonymous = users.anonymous().grants
    if anonymous:
        sys.stdout.write(f"everybody: {_told(anonymous)}\n")
    if not users.names() and not anonymous:
        sys.stdout.write(f"There are no users; `{program()} registry user add NAME` makes one.\n")


def _told(grants: tuple[Grant, ...]) -> str:
    parts = [f"{grant.pattern} {','.join(grant.actions)}" for grant in grants]
    return "; ".join(parts) or "no rights"


def _grants(texts: list[str]) -> tuple[Grant, ...]:
    if not texts:
        return ALL_RIGHTS
    try:
        return read_grants(arguments.pairs(texts, FORM))
    except ValueError as error:
        raise UsageError(str(error), hint="Such as: --grant 'team/*=pull,push'.") from None


def _password(name: str) -> str:
    """Return the password that is typed twice, or the first line of standard input."""
    if not sys.stdin.isatty():
        found = sys.stdin.readline().rstrip("\r\n")
        if not found:
            raise UsageError("Standard input has no password.")
        return found
    found = getpass(f"Password of {name}: ")
    if not found or getpass("Once more: ") != found:
        raise UsageError("The passwords are not the same, or empty.")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline registry user",
        description="Who may log in to the registry; a server that runs sees changes at once.",
        formatter_class=arguments.Help,
    )
    verbs = parser.add_subparsers(dest="do", required=True, metavar="add|remove|list")
    add = verbs.add_parser("add", help="make a user, or change one", formatter_class=arguments.Help)
    add.add_argument("name", metavar="NAME")
    add.add_argument(
        "--grant",
        action="append",
        default=[],
        metavar="PATTERN=ACTIONS",
        help="what it may do where: 'team/*=pull,push' (repeatable; default: '*=*', everything)",
    )
    remove = verbs.add_parser("remove", help="remove a user", formatter_class=arguments.Help)
    remove.add_argument("name", metavar="NAME")
    listing = verbs.add_parser("list", help="list users", formatter_class=arguments.Help)
    for each in (add, remove, listing):
        each.add_argument(
            "--users", default="", metavar="FILE", help="default: users.yaml in the store"
        )
        add_store(each)
    return parser
