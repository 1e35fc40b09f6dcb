"""The shells of a job that outlive their steps, and commands fed to them one by one."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import BinaryIO

import msgspec

from trunkline.base.bounded_files import TooLarge, read_whole
from trunkline.base.errors import Unavailable
from trunkline.engine.processes import TICK, Climb, Ended, Limits, Sink
from trunkline.ports.clock import Clock
from trunkline.ports.process import Process, ProcessSpec, Signal
from trunkline.ports.sandbox import Sandbox
from trunkline.run.session import COMMAND, MarkedOutput, driver, exports, restore, spoken, tell
from trunkline.run.step_files import FILE_LIMIT


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """Which shell a session is: its program, whose it is, its files' folder, its random mark."""

    program: str
    user: str
    folder: str
    mark: str


class Session:
    """One long-lived shell. When a command ends it (`exit`), the next one starts a new one."""

    def __init__(self, sandbox: Sandbox, clock: Clock, shell: Shell, cwd: str) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._shell = shell
        self._cwd = cwd
        self._process: Process | None = None
        self._output = MarkedOutput(shell.mark)
        self._known: Mapping[str, str] = {}
        self._used = False

    @property
    def is_open(self) -> bool:
        """Whether its shell runs: no command has ended it."""
        return self._process is not None

    def enter(self, env: Mapping[str, str], sink: Sink, limits: Limits) -> None:
        """Have the shell know an environment: all of it at its start, later what changed."""
        if self._process is None:
            self._start(env, sink, limits)
        text = exports(self._known, env)
        self._known = dict(env)
        if text:
            self._feed(text, sink, limits)

    def run(self, command: str, sink: Sink, limits: Limits) -> Ended:
        """Run a command; its output goes to `sink`. Raises what `sink` raises, Unavailable."""
        if self._process is None:
            self._start(self._known, sink, limits)
        return self._feed(command, sink, limits)

    def values(self, names: tuple[str, ...], sink: Sink, limits: Limits) -> dict[str, str]:
        """Return the variables of these names that are set. Raises Unavailable for a huge one."""
        if self._process is None:
            self._start(self._known, sink, limits)
        self._feed(tell(self._shell.folder, names), sink, limits)
        found: dict[str, str] = {}
        for name in names:
            stream = self._sandbox.get(posixpath.join(self._shell.folder, f"out.{name}"))
            if stream is not None:
                with stream:
                    found[name] = _value(stream, name)
        return found

    def end(self) -> None:
        """End the shell, which nobody needs any more."""
        if self._process is not None:
            self._process.signal(Signal.KILL)
            self._process.wait()
            self._process = None

    def _start(self, env: Mapping[str, str], sink: Sink, limits: Limits) -> None:
        shell = self._shell
        path = posixpath.join(shell.folder, "driver")
        self._sandbox.put(path, driver(shell.folder, shell.mark).encode(), 0o644)
        self._process = self._sandbox.start(
            ProcessSpec(
                argv=(shell.program, path), env=env, cwd=self._cwd, user=shell.user, fed=True
            )
        )
        if self._used:
            self._feed(restore(shell.folder), sink, limits)
        else:
            self._known = dict(env)

    def _feed(self, text: str, sink: Sink, limits: Limits) -> Ended:
        """Give the driver a command, and follow it to its end."""
        self._used = True
        data = text.encode("utf-8", "surrogateescape")
        said = spoken(data)
        if said is None:
            self._sandbox.put(posixpath.join(self._shell.folder, COMMAND), data, 0o644)
        if self._process is not None:
            self._process.write(said or b"0\n")
        return self._follow(sink, limits)

    def _follow(self, sink: Sink, limits: Limits) -> Ended:
        process = self._process
        if process is None:
            raise RuntimeError("a command without a shell")
        climb = Climb(process, self._clock)
        timed_out = False
        while True:
            data = process.read(TICK)
            if data:
                piece = self._output.feed(data)
                if piece.output:
                    sink.feed(piece.output)
                if piece.code is not None:
                    return Ended(piece.code, timed_out, limits.token.asked and not timed_out)
            elif data is None:
                sink.tick()
            else:
                break
            late = limits.deadline is not None and self._clock.monotonic() >= limits.deadline
            timed_out = timed_out or late
            if timed_out or limits.token.asked:
                climb.step(forced=limits.token.forced)
        self._process = None
        sink.feed(self._output.rest())
        return Ended(process.wait(), timed_out, limits.token.asked and not timed_out)


def _value(stream: BinaryIO, name: str) -> str:
    try:
        return read_whole(stream, FILE_LIMIT).decode("utf-8", "replace")
    except TooLarge as error:
        raise Unavailable(
            f"The variable {name} can't be exported: up to {FILE_LIMIT // 1024}k can, "
            f"and it holds {error.size // 1024}k."
        ) from error
