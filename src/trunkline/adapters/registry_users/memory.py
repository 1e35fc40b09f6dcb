"""The registry's users in memory: the fake. Its passwords are compared as they are."""

from __future__ import annotations

from trunkline.oci.access import Grant
from trunkline.ports.registry_users import Account


class MemoryUsers:
    """Users that live as long as this object."""

    def __init__(self, anonymous: tuple[Grant, ...] = ()) -> None:
        self._anonymous = Account("", anonymous)
        self._accounts: dict[str, tuple[Account, str]] = {}
        self._changes = 0

    def check(self, name: str, password: str) -> Account | None:
        """Return the account when the password is right, else None."""
        account, right = self._accounts.get(name, (None, None))
        return account if password == right else None

    def account(self, name: str) -> Account | None:
        """Return an account without asking for its password; None when there is none."""
        return self._accounts.get(name, (None, None))[0]

    def anonymous(self) -> Account:
        """Return what may be done without a name."""
        return self._anonymous

    def put(self, name: str, password: str, grants: tuple[Grant, ...]) -> bool:
        """Make an account, or change it; tell whether it is new."""
        is_new = name not in self._accounts
        self._changes += 1
        self._accounts[name] = (Account(name, grants, str(self._changes)), password)
        return is_new

    def remove(self, name: str) -> bool:
        """Remove an account; False when there is none."""
        return self._accounts.pop(name, None) is not None

    def names(self) -> tuple[str, ...]:
        """Return the names of all accounts, sorted."""
        return tuple(sorted(self._accounts))
