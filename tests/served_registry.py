"""The registry as users serve it: `trunkline registry` in a process of its own, with its log."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.commands import COMMAND, Place

PATIENCE = 120
BEGUN = re.compile(r"registry at (\S+), images in .*\n")
LINE = re.compile(r'\S+ "(?P<method>\S+) (?P<path>\S+)" (?P<status>\d+) (?P<sent>\d+) \d+ms')


class Answered(NamedTuple):
    """A request that the registry answered."""

    method: str
    path: str
    status: int


class Registry:
    """A registry that answers. `address` is `host:port`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.address = url.partition("://")[2]
        self._log = log
        self._asked = 0

    def requests(self) -> list[Answered]:
        """Return what was answered since this was asked last.

        A line is printed when its answer has been sent: the last ones are waited for.
        """
        self.await_rest()
        lines = self._log.read_text().splitlines()
        found = (LINE.match(line) for line in lines[self._asked :])
        self._asked = len(lines)
        return [Answered(m["method"], m["path"], int(m["status"])) for m in found if m]

    def await_rest(self) -> None:
        """Wait until it has nothing to do: all its threads sleep, and none has run meanwhile."""
        end = time.monotonic() + PATIENCE
        before, now = None, self._sleeps()
        while now is None or now != before:
            assert time.monotonic() < end, "the registry is busy for ever"
            before, now = now, self._sleeps()

    def _sleeps(self) -> dict[str, list[str]] | None:
        """Return how often each of its threads has gone to sleep, None if one is awake."""
        found = {}
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                status = (thread / "status").read_text()
            except (FileNotFoundError, ProcessLookupError):  # it has ended
                return None
            if "State:\tS" not in status:
                return None
            found[thread.name] = re.findall(r"ctxt_switches:\t(\d+)", status)
        return found

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.stop()


def start(place: Place, *options: str, wrapper: Sequence[str] = ()) -> Registry:
    """Start `trunkline registry` on a free port; return it when it answers.

    `wrapper` is a command that starts the one that follows it.
    """
    number = len(list(place.root.glob("registry-*.log")))
    log = place.root / f"registry-{number}.log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [*wrapper, *COMMAND, "registry", "--listen", "127.0.0.1:0", "--verbose", *options],
            cwd=place.root,
            env=place.env,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
    end = time.monotonic() + PATIENCE
    while (found := BEGUN.search(log.read_text())) is None:
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise AssertionError(log.read_text())
        time.sleep(0.01)
    return Registry(process, found[1], log)


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
