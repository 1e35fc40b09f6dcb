"""The options of `trunkline registry`, and how their texts become values."""

from __future__ import annotations

import argparse
import ipaddress
import math
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from trunkline.app.registry import Doors, Rules
from trunkline.base.errors import NotFound, UsageError
from trunkline.cli.arguments import RawHelp
from trunkline.oci.access import Grant
from trunkline.oci.keeping import DAY, FORM, read_retention

DEFAULT = "127.0.0.1:5000"
EPILOG = """\
also, each with --help:
  trunkline registry user add NAME [--grant PATTERN=ACTIONS]  make a user, or change one
  trunkline registry user remove NAME                         remove one
  trunkline registry user list                                who may log in, and what each may do
  trunkline registry gc [--now] [--dryrun]                    remove what no tag needs
"""
EVERYTHING_TO_PULL = (Grant("*", ("pull",)),)


class Address(msgspec.Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """Return `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Tell whether it is reached from this machine alone."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def serving() -> argparse.ArgumentParser:
    """Return the parser of `trunkline registry`."""
    parser = argparse.ArgumentParser(
        prog="trunkline registry",
        description="Serve a registry of container images (OCI distribution 1.1).",
        epilog=EPILOG,
        formatter_class=RawHelp,
    )
    listen = f"default: {DEFAULT}; port 0 takes any that is free"
    parser.add_argument("--listen", default=DEFAULT, metavar="HOST:PORT", help=listen)
    add_store(parser)
    parser.add_argument("--tls-cert", default="", metavar="FILE", help="a certificate: serve HTTPS")
    parser.add_argument("--tls-key", default="", metavar="FILE", help="its key, with no passphrase")
    _add_doors(parser)
    add_rules(parser)
    parser.add_argument(
        "--gc",
        type=_not_negative,
        default=24.0,
        metavar="HOURS",
        help="remove what no tag needs this often (default: 24; 0: never)",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="print a line for each request"
    )
    return parser


def _add_doors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--users",
        default="",
        metavar="FILE",
        help="who may log in (default: users.yaml in the store)",
    )
    parser.add_argument(
        "--anonymous",
        choices=["none", "pull"],
        default="none",
        help="what may be done without logging in, where there are users (default: none)",
    )
    parser.add_argument(
        "--open", action="store_true", help="let everybody do everything, also from other machines"
    )
    parser.add_argument(
        "--auth",
        choices=["bearer", "basic"],
        default="bearer",
        help="how clients are told to log in; both are taken (default: bearer)",
    )
    parser.add_argument(
        "--url", default="", help="how clients reach the registry when a proxy stands before it"
    )


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add what names the folder of images."""
    parser.add_argument(
        "--store", default="", metavar="DIR", help="where images are (default: this machine's own)"
    )


def existing_store(options: argparse.Namespace) -> str:
    """Return the folder that `add_store`'s option names. Raises NotFound for one without images."""
    store: str = options.store
    if store and not Path(store, "index.db").exists():
        raise NotFound(f"There is no registry in {store}.")
    return store


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add what is kept and what never changes."""
    parser.add_argument(
        "--immutable",
        action="append",
        default=[],
        metavar="PATTERN",
        help="tags that are pushed once and never changed, such as 'v*' (repeatable)",
    )
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="RULE",
        help=f"which tags stay: {FORM} (repeatable; default: all)",
    )
    parser.add_argument(
        "--untagged",
        type=_days,
        metavar="DAYS",
        help="how long images without a tag stay, or 'forever' (default: as long as runs are kept;"
        " with --store for ever)",
    )


def read_address(text: str) -> Address:
    """Read `HOST:PORT`; an IPv6 address stands in brackets. Raises UsageError."""
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    is_bracketed = host != bare
    fits = colon and bare and port.isascii() and port.isdigit() and int(port) < 1 << 16
    if not fits or (":" in bare) is not is_bracketed:
        raise UsageError(f"'{text}' is not --listen HOST:PORT.")
    return Address(bare, int(port))


def read_names(options: argparse.Namespace, address: Address) -> tuple[str, ...] | None:
    """Return the names that clients may use besides this machine's own; None: any.

    Other machines know an address of this one by names of their own. Raises UsageError.
    """
    try:
        parts = urlsplit(options.url)
        name = parts.hostname if parts.scheme in {"http", "https"} else None
    except ValueError:
        name = None
    if options.url and name is None:
        raise UsageError(f"'{options.url}' is not --url https://HOST.")
    if not address.is_loopback:
        return None
    return () if name is None else (name,)


def read_rules(options: argparse.Namespace) -> Rules:
    """Return what `add_rules`' options say. Raises UsageError."""
    try:
        retention = tuple(read_retention(text) for text in options.keep)
    except ValueError as error:
        raise UsageError(f"--keep: {error}") from None
    untagged = None if options.untagged is None else options.untagged * DAY
    return Rules(immutable=tuple(options.immutable), retention=retention, untagged=untagged)


def read_doors(options: argparse.Namespace, default_file: str, address: Address) -> Doors | None:
    """Return who comes in, None for everybody.

    Raises UsageError rather than let other machines in without a word, and NotFound when the file
    of users that was named is not there.
    """
    if options.users and not Path(options.users).exists():
        hint = f"`trunkline registry user add NAME --users {options.users}` makes it."
        raise NotFound(f"There is no file {options.users}.", hint=hint)
    if options.open:
        if options.users or options.anonymous == "pull":
            raise UsageError(
                "--open asks nobody who he is: it goes with neither --users nor --anonymous."
            )
        return None
    file = options.users or default_file
    if Path(file).exists() or options.anonymous == "pull":
        anonymous = EVERYTHING_TO_PULL if options.anonymous == "pull" else ()
        return Doors(users=file, anonymous=anonymous, scheme=options.auth, url=options.url)
    if not address.is_loopback:
        raise UsageError(
            f"Other machines reach {address.text}, and nobody would have to log in.",
            hint="`trunkline registry user add NAME` makes a user; --open lets everybody in.",
        )
    return None


def _days(text: str) -> float:
    return math.inf if text == "forever" else _not_negative(text)


def _not_negative(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number that fits here")
    return number
