"""A process that follows a script, on a clock that a test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from trunkline.ports.process import Signal

CHUNK = 1 << 20
DRAIN_SECONDS = 5.0
NUMBERS = {Signal.INTERRUPT: 2, Signal.TERMINATE: 15, Signal.KILL: 9}


class Timeline(Protocol):
    """A clock that can be waited on."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def wait(self, timeout: float | None, ready: Callable[[], bool]) -> bool:
        """Wait until `ready()` holds or `timeout` seconds have passed; return `ready()`."""
        ...

    def notify(self) -> None:
        """Make every waiter look at its condition again."""
        ...


class Reaction(NamedTuple):
    """What a process does `seconds` after a signal: print, and end unless `exit_code` is None."""

    exit_code: int | None
    output: bytes = b""
    seconds: float = 0.0


class Script(NamedTuple):
    """What a process does.

    `output` are chunks and the seconds since the start at which they come; it ends after `seconds`
    (None: only when signalled) with `exit_code`. A signal that `reactions` lacks ends it, and KILL
    always does. `writes` maps variables of its environment that name files (GITHUB_OUTPUT), or
    absolute paths, to what it appends there as it ends. `holds` is how long a child keeps the
    output open after the end; `orphans` are names of processes it leaves behind. `answer` says
    what a fed process prints when it is written to.
    """

    output: Sequence[tuple[float, bytes]] = ()
    exit_code: int = 0
    seconds: float | None = 0.0
    reactions: Mapping[Signal, Reaction] = {}
    writes: Mapping[str, bytes] = {}
    holds: float = 0.0
    orphans: tuple[str, ...] = ()
    answer: Callable[[bytes], bytes] | None = None


class ScriptedProcess:
    """A process in a scripted sandbox."""

    def __init__(
        self, pid: int, script: Script, clock: Timeline, ended: Callable[[], None]
    ) -> None:
        self.pid = pid
        self._clock = clock
        self._ended = ended
        self._lock = threading.RLock()
        start = clock.monotonic()
        self._output = [(start + after, data) for after, data in script.output]
        self._end = None if script.seconds is None else start + script.seconds
        self._exit_code = script.exit_code
        self._script = script
        self._has_told = False

    def read(self, timeout: float | None) -> bytes | None:
        """Return the next output, b'' at the end, None when `timeout` seconds passed."""
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        while True:
            with self._lock:
                data = self._take()
                if data is not None:
                    return data
                moments = [at for at in (deadline, self._next_moment()) if at is not None]
            now = self._clock.monotonic()
            if deadline is not None and now >= deadline:
                return None
            self._clock.wait(min(moments) - now if moments else None, self._has_news)

    def write(self, data: bytes) -> None:
        """Answer as the script says."""
        with self._lock:
            if self._script.answer is not None and not self._is_over():
                self._output.append((self._clock.monotonic(), self._script.answer(data)))
        self._clock.notify()

    def wait(self) -> int:
        """Return the exit code, waiting for the process."""
        while not self._is_over():
            rest = None if self._end is None else self._end - self._clock.monotonic()
            self._clock.wait(rest, self._is_over)
        self._tell()
        return self._exit_code

    def signal(self, signal: Signal) -> None:
        """Let the process react."""
        with self._lock:
            if self._is_over():
                return
            now = self._clock.monotonic()
            reaction = self._script.reactions.get(signal)
            if reaction is None or signal is Signal.KILL:
                reaction = Reaction(128 + NUMBERS[signal])
            if reaction.output:
                self._output.append((now + reaction.seconds, reaction.output))
            if reaction.exit_code is not None:
                self._end = now + reaction.seconds
                self._exit_code = reaction.exit_code
                self._output = [(at, data) for at, data in self._output if at <= self._end]
        self._clock.notify()

    def is_running(self) -> bool:
        """Tell whether the process has not ended."""
        return not self._is_over()

    def _is_over(self) -> bool:
        return self._end is not None and self._clock.monotonic() >= self._end

    def _has_news(self) -> bool:
        moment = self._next_moment()
        return moment is not None and self._clock.monotonic() >= moment

    def _next_moment(self) -> float | None:
        moments = [at for at, _ in self._output]
        if self._end is not None:
            moments.append(self._end + min(self._script.holds, DRAIN_SECONDS))
        return min(moments, default=None)

    def _take(self) -> bytes | None:
        """Return what has been printed by now, b'' at the end, None when nothing is new."""
        now = self._clock.monotonic()
        ready = b"".join(data for at, data in self._output if at <= now)
        later = [(at, data) for at, data in self._output if at > now]
        if ready:
            rest = ready[CHUNK:]
            self._output = [(now, rest), *later] if rest else later
            return ready[:CHUNK]
        if self._end is not None and now >= self._end + min(self._script.holds, DRAIN_SECONDS):
            self._tell()
            return b""
        return None

    def _tell(self) -> None:
        with self._lock:
            has_told, self._has_told = self._has_told, True
        if not has_told:
            self._ended()
