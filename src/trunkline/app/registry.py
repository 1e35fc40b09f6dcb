"""Puts a registry together: where images are kept, who may use them, what answers for them."""

from __future__ import annotations

from collections.abc import Callable
from wsgiref.types import WSGIApplication

import msgspec

from trunkline.app import System
from trunkline.app.adapter_table import adapter
from trunkline.oci.access import Grant
from trunkline.oci.keeping import DAY
from trunkline.oci.retention import Retention
from trunkline.ports.image_store import ImageStore
from trunkline.ports.registry_access import Access
from trunkline.ports.registry_users import Users
from trunkline.services.registry import collecting
from trunkline.services.registry.registry import Registry
from trunkline.services.registry_access import OpenAccess, UserAccess

USERS_FILE = "users.yaml"
KEY_FILE = "token.key"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a registry keeps and what it never changes.

    `untagged` is in seconds; None: as long as runs are kept in this machine's own registry, where
    rehearsals push what nobody tags again, and for ever in others.
    """

    immutable: tuple[str, ...] = ()
    retention: tuple[Retention, ...] = ()
    untagged: float | None = None


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes in: the file of users, what everybody may do, and how clients are told.

    `scheme` is `bearer` or `basic`; `url` is the registry's address in front of a proxy.
    """

    users: str
    anonymous: tuple[Grant, ...] = ()
    scheme: str = "bearer"
    url: str = ""


def default_root(system: System) -> str:
    """Return the folder of this machine's registry, where rehearsals push to."""
    return f"{system.settings.state}/registry"


def image_store(system: System, root: str = "") -> ImageStore:
    """Return the images that are kept below `root` ('': this machine's registry).

    `system.close` closes it.
    """
    place = root or default_root(system)
    made = adapter("image-store")(place, adapter("blobs")(place), system.clock, system.ids)
    system.on_close(made.close)
    found: ImageStore = made
    return found


def registry(system: System, root: str = "", rules: Rules | None = None) -> Registry:
    """Return the registry of the images below `root` ('': this machine's)."""
    chosen = rules or Rules()
    untagged = chosen.untagged
    if untagged is None and root in {"", default_root(system)}:
        untagged = float(system.settings.keep_days * DAY)
    return Registry(
        store=image_store(system, root),
        clock=system.clock,
        immutable=chosen.immutable,
        retention=chosen.retention,
        untagged=untagged,
        runs=system.journals.runs,
    )


def collect_daily(system: System) -> None:
    """Take away what nobody needs in this machine's registry, once a day. Raises Unavailable, Corrupt."""
    collecting.collect_if_due(registry(system), DAY)


def users(path: str, anonymous: tuple[Grant, ...] = ()) -> Users:
    """Return the users in a file; `anonymous` is what everybody may do besides what it says."""
    found: Users = adapter("registry-users")(path, anonymous)
    return found


def open_application(served: Registry) -> WSGIApplication:
    """Return the application that lets everybody do everything."""
    return _application(served, OpenAccess())


def guarded_application(
    system: System, served: Registry, root: str, doors: Doors
) -> WSGIApplication:
    """Return the application that asks for users' passwords, with its token end point.

    Raises Unavailable and Corrupt for a file of users that can't be used.
    """
    known = users(doors.users, doors.anonymous)
    known.names()  # better now than at the first login
    access = UserAccess(
        known,
        system.clock,
        system.ids,
        adapter("signing-key")(f"{root}/{KEY_FILE}"),
        scheme=doors.scheme,
        url=doors.url,
    )
    found: WSGIApplication = adapter("registry-tokens")(_application(served, access), access.issue)
    return found


def _application(served: Registry, access: Access) -> WSGIApplication:
    make: Callable[[Registry, Access], WSGIApplication] = adapter("registry-app")
    return make(served, access)


def rehearsal_application(system: System) -> WSGIApplication:
    """Return the application of this machine's registry as jobs of a run see it."""
    return open_application(registry(system))
