"""The registry as users serve it: `trunkline registry` in a process of its own, with its log."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tests.commands import COMMAND, Place

PATIENCE = 30
SETTLING = 0.2
LINE = re.compile(r'\S+ "(?P<method>\S+) (?P<path>\S+)" (?P<status>\d+) (?P<sent>\d+) \d+ms')


class Answered(NamedTuple):
    """A request that the registry answered."""

    method: str
    path: str
    status: int


class Registry:
    """A registry that answers. `address` is `host:port`."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.address = url.partition("://")[2]
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)

    def requests(self) -> list[Answered]:
        """Return what was answered since this was asked last.

        A line is printed when its answer has been sent: the last ones are waited for.
        """
        told = -1
        while told < len(self._lines):
            told = len(self._lines)
            time.sleep(SETTLING)
        lines, self._lines = self._lines, []
        found = (LINE.match(line) for line in lines)
        return [Answered(m["method"], m["path"], int(m["status"])) for m in found if m]

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.stop()


def start(place: Place, *options: str, wrapper: Sequence[str] = ()) -> Registry:
    """Start `trunkline registry` on a free port; return it when it answers.

    `wrapper` is a command that starts the one that follows it.
    """
    process = subprocess.Popen(
        [*wrapper, *COMMAND, "registry", "--listen", "127.0.0.1:0", "--verbose", *options],
        cwd=place.root,
        env=place.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    told = process.stdout.readline()
    found = re.match(r"registry at (\S+), images in", told)
    if found is None:
        process.kill()
        raise AssertionError(told + process.communicate()[0])
    return Registry(process, found[1])


@contextmanager
def registry(place: Place, *options: str) -> Iterator[Registry]:
    """Lend a registry; it is stopped afterwards, and says that it has no complaints."""
    served = start(place, *options)
    try:
        yield served
    finally:
        code = served.stop()
    assert code == 0


def add_user(place: Place, name: str, password: str, *grants: str) -> None:
    """Make a user of the place's registry."""
    options = [word for grant in grants for word in ("--grant", grant)]
    subprocess.run(
        [*COMMAND, "registry", "user", "add", name, *options],
        cwd=place.root,
        env=place.env,
        input=f"{password}\n",
        text=True,
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
