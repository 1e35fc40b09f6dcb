"""`trunkline registry`: serve a registry of container images, or look after one."""

from __future__ import annotations

import argparse
import contextlib
import gc
import signal
import sys
import threading

from trunkline import settings
from trunkline.app import System
from trunkline.app import registry as composed
from trunkline.app.adapter_table import adapter
from trunkline.base.errors import TrunklineError, Unavailable, UsageError
from trunkline.base.words import counted
from trunkline.cli import registry_options as wanted
from trunkline.cli.arguments import Help
from trunkline.cli.main import load
from trunkline.cli.views.summary import size
from trunkline.oci.collection import LEASE_SECONDS
from trunkline.ports.image_store import Collected
from trunkline.services.registry import collecting
from trunkline.services.registry.registry import Registry

HOUR = 3600
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What Python does by itself; commands, which end soon, look for garbage less often.
OBJECTS_PER_SEARCH = 700
USER = "trunkline.cli.registry_user:main"


def main(argv: list[str]) -> int:
    """Serve until it is stopped, or do what the first word says; return 0. Raises TrunklineError."""
    if argv[:1] == ["user"]:
        code: int = load(USER)(argv[1:])
        return code
    if argv[:1] == ["gc"]:
        return _collect(argv[1:])
    options = wanted.serving().parse_args(argv)
    gc.set_threshold(OBJECTS_PER_SEARCH)
    system = System(settings.read())
    try:
        _serve(system, options)
    finally:
        system.close()
    return 0


def _serve(system: System, options: argparse.Namespace) -> None:
    address = wanted.read_address(options.listen)
    root = options.store or composed.default_root(system)
    doors = wanted.read_doors(options, f"{root}/{composed.USERS_FILE}", address)
    served = composed.registry(system, root, wanted.read_rules(options))
    if doors is None:
        application = composed.open_application(served)
    else:
        application = composed.guarded_application(system, served, root, doors)
    server = adapter("web-server")(
        adapter("no-foreign-pages")(application, wanted.read_names(options, address)),
        address.host,
        address.port,
        tls=_tls(options),
        log=_log if options.verbose else None,
    )
    try:
        _say(f"registry at {server.url}, images in {root}, {_who(doors)}")
        if doors is not None and not address.is_loopback and not server.url.startswith("https"):
            sys.stderr.write("warning: passwords travel as plain text; see --tls-cert\n")
        _collect_now_and_then(served, options.gc * HOUR)
    except KeyboardInterrupt:
        # It ends within seconds; being told twice must not make it fail.
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        # A server that is stopped has done its work: service managers want 0.
        _log("stopped")
    finally:
        server.stop()


def _collect_now_and_then(served: Registry, interval: float) -> None:
    """Collect garbage now if it is due, and every `interval` seconds (0: never) until we are stopped."""
    never = threading.Event()
    while interval:
        try:
            gone = collecting.collect_if_due(served, interval)
        except TrunklineError as error:
            sys.stderr.write(f"warning: garbage was not collected: {error.message}\n")
        else:
            if gone is not None and gone != Collected():
                _log(_told(gone))
        never.wait(min(interval, HOUR))
    never.wait()


def _tls(options: argparse.Namespace) -> object:
    if bool(options.tls_cert) != bool(options.tls_key):
        raise UsageError("--tls-cert and --tls-key belong together.")
    return adapter("tls")(options.tls_cert, options.tls_key) if options.tls_cert else None


def _who(doors: composed.Doors | None) -> str:
    if doors is None:
        return "open to everybody who reaches it"
    if doors.anonymous:
        return "everybody may pull, users may do what they were granted"
    return "users may do what they were granted"


def _collect(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="trunkline registry gc",
        description="Remove what no tag needs; pushes may go on meanwhile.",
        formatter_class=Help,
    )
    wanted.add_store(parser)
    wanted.add_rules(parser)
    parser.add_argument(
        "--now",
        action="store_true",
        help="also what was used within the hour, and unfinished uploads: no push goes on",
    )
    parser.add_argument(
        "-n", "--dryrun", action="store_true", help="show what would be removed, remove nothing"
    )
    options = parser.parse_args(argv)
    system = System(settings.read())
    lease = 0 if options.now else LEASE_SECONDS
    try:
        store = wanted.existing_store(options)
        kept = composed.registry(system, store, wanted.read_rules(options))
        found = (
            _would_go(kept, lease) if options.dryrun else [_told(collecting.collect(kept, lease))]
        )
        for line in found:
            _say(line)
    finally:
        system.close()
    return 0


def _told(gone: Collected) -> str:
    return (
        f"removed {counted(gone.tags, 'tag')}, {counted(gone.manifests, 'manifest')},"
        f" {counted(gone.blobs, 'blob')} and"
        f" {counted(gone.uploads, 'unfinished upload')}: {size(gone.size)}"
    )


def _would_go(served: Registry, lease: float) -> list[str]:
    found = collecting.preview(served, lease)
    lines = [
        f"{gone.repository}: {counted(len(gone.manifests), 'manifest')},"
        f" {counted(len(gone.blobs), 'blob')}"
        + (f", tags {', '.join(gone.tags)}" if gone.tags else "")
        for gone in found
    ]
    sizes: dict[str, list[int]] = {}
    for upload in collecting.abandoned(served, lease):
        sizes.setdefault(upload.repository, []).append(upload.size)
    lines += [
        f"{repository}: {counted(len(each), 'unfinished upload')}, {size(sum(each))}"
        for repository, each in sorted(sizes.items())
    ]
    return lines or ["nothing would be removed"]


def _log(line: str) -> None:
    """Say something on the way: that it can't be written stops no registry, and fails no request."""
    with contextlib.suppress(BrokenPipeError, Unavailable):
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
