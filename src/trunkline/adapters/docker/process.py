"""A process in a container: a command in one that runs, or a container of its own."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from docker.errors import APIError, NotFound

from trunkline.adapters.docker.engine import Engine, refusals
from trunkline.adapters.docker.signals import (
    NAMES,
    Within,
    await_pid,
    inner_pid,
    signal_near,
)
from trunkline.adapters.docker.streams import Output
from trunkline.ports.process import Signal

# Runner: after the exit it waits this long for streams that a child keeps open.
DRAIN_SECONDS = 5.0
# How often a silent process is looked at: its exit does not end its output when a child has that.
LOOK_SECONDS = 1.0
FIRST_WAIT, LONGEST_WAIT = 0.002, 0.1
KILLED = 137


class Subject(Protocol):
    """What runs: asked for its exit code, and told signals."""

    def exit_code(self) -> int | None:
        """Return the exit code, None while it runs."""
        ...

    def signal(self, signal: Signal) -> None:
        """Send a signal; nothing happens when it has ended."""
        ...

    def close(self) -> None:
        """Remove what is left of it, once it has ended. Idempotent."""
        ...


class ContainerProcess:
    """A started process. One thread reads; any thread may signal."""

    def __init__(self, output: Output, subject: Subject) -> None:
        self._output = output
        self._subject = subject
        self._lock = threading.Lock()
        self._code: int | None = None
        self._drain_until: float | None = None

    def read(self, timeout: float | None) -> bytes | None:
        """Return the next output, b'' at the end, None when `timeout` seconds passed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            found = self._output.read(self._patience(deadline))
            if found:
                return found
            if found == b"":
                return self._await_end(deadline)
            now = time.monotonic()
            if self._drain_until is not None and now >= self._drain_until:
                self._output.close()
                return b""
            if deadline is not None and now >= deadline:
                return None
            if self._drain_until is None and self._look() is not None:
                self._drain_until = now + DRAIN_SECONDS

    def _patience(self, deadline: float | None) -> float:
        now = time.monotonic()
        ends = [end for end in (deadline, self._drain_until, now + LOOK_SECONDS) if end is not None]
        return max(0.0, min(ends) - now)

    def _await_end(self, deadline: float | None) -> bytes | None:
        """Wait for the exit: the output may end before."""
        pause = FIRST_WAIT
        while self._look() is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            time.sleep(pause if left is None else min(pause, left))
            pause = min(pause * 2, LONGEST_WAIT)
        return b""

    def _look(self) -> int | None:
        with self._lock:
            if self._code is None:
                self._code = self._subject.exit_code()
            return self._code

    def write(self, data: bytes) -> None:
        """Give a fed process input."""
        self._output.write(data)

    def wait(self) -> int:
        """Return the exit code, waiting for the process."""
        pause = FIRST_WAIT
        while (code := self._look()) is None:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_WAIT)
        self._subject.close()
        return code

    def signal(self, signal: Signal) -> None:
        """Signal the process's whole session, as long as it is there."""
        if self._look() is None:
            self._subject.signal(signal)

    def is_closed(self) -> bool:
        """Tell whether the output has been read, or let go of."""
        return self._output.is_over

    def close(self) -> None:
        """Let go of the output when nobody reads it."""
        self._output.close()


class Command:
    """A command in a container that runs (`docker exec`)."""

    def __init__(self, engine: Engine, within: Within, exec_id: str, mark: str) -> None:
        """Take the command's id; `mark` is in its environment where its number means nothing."""
        self._engine = engine
        self._within = within
        self._exec_id = exec_id
        self._mark = mark

    def exit_code(self) -> int | None:
        """Return the exit code; that of a kill when the container has gone."""
        return self._inspect()[1]

    def _inspect(self) -> tuple[int, int | None]:
        with refusals():
            try:
                found = self._engine.client.exec_inspect(self._exec_id)
            except NotFound:
                return 0, KILLED
            except APIError as error:
                if error.response is not None and error.response.status_code == 409:
                    return 0, KILLED  # the container is being removed
                raise
        pid, code = int(found.get("Pid") or 0), found["ExitCode"]
        # Podman calls 0 the code of a command that it has not started yet.
        is_ready = pid or code or found.get("CanRemove")
        if found["Running"] or code is None or not is_ready:
            return pid, None
        return pid, int(code)

    def signal(self, signal: Signal) -> None:
        """Signal the command's session."""
        pid = await_pid(self._number)
        if self._mark:
            self._within.to_marked(self._mark, signal)
        elif pid and (refused := signal_near(pid, signal)):
            self._within.to_pids([inner_pid(each) for each in refused], signal)

    def _number(self) -> tuple[int, bool]:
        pid, code = self._inspect()
        return pid, code is not None

    def close(self) -> None:
        """Leave it to the engine, which forgets it by itself."""


class Container:
    """A container that was made for one run; it is removed when it has ended."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self._container = container
        self._is_removed = False

    def exit_code(self) -> int | None:
        """Return the exit code; that of a kill when the container has gone."""
        with refusals():
            try:
                state = self._engine.client.inspect_container(self._container)["State"]
            except NotFound:
                return KILLED
        return None if state["Running"] or state["Status"] == "created" else int(state["ExitCode"])

    def signal(self, signal: Signal) -> None:
        """Signal the container's first process, as Docker's client does for its own."""
        with refusals():
            try:
                self._engine.client.kill(self._container, NAMES[signal])
            except NotFound:
                return
            except APIError as error:
                if error.response is None or error.response.status_code != 409:
                    raise  # 409: it has ended

    def close(self) -> None:
        """Remove the container with its anonymous volumes."""
        if self._is_removed:
            return
        self._is_removed = True
        with refusals():
            try:
                self._engine.client.remove_container(self._container, v=True, force=True)
            except NotFound:
                return
            except APIError as error:
                if error.response is None or error.response.status_code != 409:
                    raise  # 409: somebody else removes it
