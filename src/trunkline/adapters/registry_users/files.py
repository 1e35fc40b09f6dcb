"""The registry's users in a YAML file that people can read, and write where no password is."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import msgspec.yaml

from trunkline.adapters.file_locks import locked
from trunkline.adapters.registry_users.passwords import PasswordCheck, hash_password, is_hash
from trunkline.base.errors import Corrupt, Unavailable
from trunkline.oci.access import Grant, read_grants
from trunkline.ports.registry_users import Account


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """A user as written: a hash, and patterns with what may be done."""

    password: str
    grants: dict[str, str] = {}


class Written(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    users: dict[str, Entry] = {}
    anonymous: dict[str, str] = {}


class Known(msgspec.Struct, frozen=True):
    """The file as it was read last: its mark, accounts with their hashes, and nobody's grants."""

    mark: tuple[int, int, int]
    accounts: dict[str, tuple[Account, str]]
    anonymous: Account


class FileUsers:
    """Users of one file. It is read again when it has changed; a missing file has no users.

    `more` are grants of everybody, over those in the file.
    """

    def __init__(self, path: str, more: tuple[Grant, ...] = ()) -> None:
        self._path = Path(path)
        self._more = more
        self._lock = threading.Lock()
        self._known: Known | None = None
        self._check = PasswordCheck()

    def check(self, name: str, password: str) -> Account | None:
        """Return the account when the password is right, else None, in the same time."""
        account, stored = self._read().accounts.get(name, (None, None))
        return account if self._check(password, stored) else None

    def account(self, name: str) -> Account | None:
        """Return an account without asking for its password; None when there is none."""
        return self._read().accounts.get(name, (None, None))[0]

    def anonymous(self) -> Account:
        """Return what may be done without a name."""
        return self._read().anonymous

    def put(self, name: str, password: str, grants: tuple[Grant, ...]) -> bool:
        """Make an account, or change it; tell whether it is new."""
        entry = Entry(
            hash_password(password), {each.pattern: ",".join(each.actions) for each in grants}
        )
        with self._changing() as written:
            is_new = name not in written.users
            written.users[name] = entry
        return is_new

    def remove(self, name: str) -> bool:
        """Remove an account; False when there is none."""
        if name not in self._load().users:  # nothing is written: a file would ask for logins
            return False
        with self._changing() as written:
            return written.users.pop(name, None) is not None

    def names(self) -> tuple[str, ...]:
        """Return the names of all accounts, sorted."""
        return tuple(sorted(self._read().accounts))

    def _read(self) -> Known:
        with self._lock:
            mark = self._mark()
            if self._known is None or self._known.mark != mark:
                self._known = self._understand(mark, self._load())
            return self._known

    def _mark(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        except OSError as error:
            raise Unavailable(f"{self._path} can't be read: {error.strerror}") from error
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _load(self) -> Written:
        try:
            return msgspec.yaml.decode(self._path.read_bytes() or b"{}", type=Written)
        except FileNotFoundError:
            return Written()
        except OSError as error:
            raise Unavailable(f"{self._path} can't be read: {error.strerror}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Corrupt(f"{self._path} is not a file of users: {error}") from error

    def _understand(self, mark: tuple[int, int, int], written: Written) -> Known:
        try:
            accounts = {name: _account(name, entry) for name, entry in written.users.items()}
            anonymous = Account("", read_grants(written.anonymous) + self._more)
        except ValueError as error:
            raise Corrupt(f"{self._path}: {error}") from error
        return Known(mark, accounts, anonymous)

    @contextmanager
    def _changing(self) -> Iterator[Written]:
        """Lend the file's content; write it back whole, one process at a time."""
        aside = self._path.with_name(f".{self._path.name}-{os.urandom(6).hex()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._path.with_name(f".{self._path.name}.lock")):
                written = self._load()
                yield written
                _write(aside, msgspec.yaml.encode(written))
                aside.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                aside.unlink()
            raise Unavailable(f"{self._path} can't be written: {error.strerror}") from error


def _account(name: str, entry: Entry) -> tuple[Account, str]:
    if not is_hash(entry.password):
        raise ValueError(
            f"the password of {name} is not a hash: `trunkline registry user add` makes one"
        )
    version = hashlib.sha256(entry.password.encode()).hexdigest()[:16]
    return Account(name, read_grants(entry.grants), version), entry.password


def _write(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(file)
