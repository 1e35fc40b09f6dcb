"""Port: who is known to the registry, and what each may do."""

from __future__ import annotations

from typing import Protocol

import msgspec

from trunkline.oci.access import Grant


class Account(msgspec.Struct, frozen=True):
    """A user of the registry. `version` changes with the password; '' names nobody (`anonymous`)."""

    name: str
    grants: tuple[Grant, ...]
    version: str = ""


class Users(Protocol):
    """Users and their passwords. Thread-safe; changes of what is stored are seen at once.

    Raises Unavailable when users can't be read, Corrupt when they make no sense.
    """

    def check(self, name: str, password: str) -> Account | None:
        """Return the account when the password is right, else None, in the same time."""
        ...

    def account(self, name: str) -> Account | None:
        """Return an account without asking for its password; None when there is none."""
        ...

    def anonymous(self) -> Account:
        """Return what may be done without a name."""
        ...

    def put(self, name: str, password: str, grants: tuple[Grant, ...]) -> bool:
        """Make an account, or change it; tell whether it is new."""
        ...

    def remove(self, name: str) -> bool:
        """Remove an account; False when there is none."""
        ...

    def names(self) -> tuple[str, ...]:
        """Return the names of all accounts, sorted."""
        ...
