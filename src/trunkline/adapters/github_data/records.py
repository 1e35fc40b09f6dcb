"""What a run wrote to its repository, as JSON files in the run's folder."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from trunkline.base.errors import Corrupt, Unavailable
from trunkline.ports.clock import Ids

KIND = re.compile(r"[a-z-]{1,40}")


class FolderRecords:
    """Keeps `<folder>/<kind>/<id>.json`. See the port `Records`."""

    def __init__(self, folder: Path, ids: Ids) -> None:
        self._folder = folder
        self._ids = ids
        self._lock = threading.Lock()

    def add(self, kind: str, document: Mapping[str, Any]) -> int:
        """Keep a document; return its id."""
        number = int(self._ids.run_id())
        self.replace(kind, number, document)
        return number

    def find(self, kind: str, number: int) -> Mapping[str, Any] | None:
        """Return a document, or None."""
        with self._lock:
            return _read(self._path(kind, number))

    def every(self, kind: str) -> tuple[tuple[int, Mapping[str, Any]], ...]:
        """Return the documents of a kind, oldest first."""
        with self._lock:
            paths = self._path(kind, 0).parent.glob("*.json")
            numbers = sorted(int(path.stem) for path in paths)
            found = ((number, _read(self._path(kind, number))) for number in numbers)
            return tuple((number, document) for number, document in found if document is not None)

    def replace(self, kind: str, number: int, document: Mapping[str, Any]) -> None:
        """Keep a document in the place of another."""
        path = self._path(kind, number)
        with self._lock:
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                draft = path.with_suffix(".draft")
                draft.write_bytes(msgspec.json.encode(document))
                draft.rename(path)
            except OSError as error:
                raise Unavailable(f"{path} can't be written: {error.strerror}.") from error

    def remove(self, kind: str, number: int) -> bool:
        """Remove a document; tell whether it was there."""
        with self._lock:
            try:
                self._path(kind, number).unlink()
            except FileNotFoundError:
                return False
            return True

    def _path(self, kind: str, number: int) -> Path:
        check_kind(kind)
        return self._folder / kind / f"{number:d}.json"


def check_kind(kind: str) -> None:
    """Raise ValueError for what is no kind of documents."""
    if not KIND.fullmatch(kind):
        raise ValueError(f"'{kind}' is no kind of documents")


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise Corrupt(f"{path} can't be read: {error}") from error
    return found
