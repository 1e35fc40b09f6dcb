"""The scripted sandbox: rules say what each process does."""

from __future__ import annotations

import io
import os
import posixpath
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from trunkline.adapters.file_search import Kind, Search, search
from trunkline.adapters.sandboxes.scripted.containers import (
    NO_ENGINE,
    NO_ENGINE_HINT,
    Paths,
    ScriptedContainers,
    ScriptedEngine,
    translated,
)
from trunkline.adapters.sandboxes.scripted.files import MemoryFiles
from trunkline.adapters.sandboxes.scripted.process import Script, ScriptedProcess, Timeline
from trunkline.adapters.slugs import slug
from trunkline.adapters.trees import names_below
from trunkline.base.errors import Unavailable
from trunkline.ports.clock import Ids
from trunkline.ports.containers import Watch
from trunkline.ports.process import ProcessSpec, Signal
from trunkline.ports.sandbox import Folder, Found, JobPlace, Layout

PATH = "/usr/bin:/bin"
PROGRAMS = ("/usr/bin/bash", "/usr/bin/sh", "/usr/bin/python3", "/usr/bin/node", "/usr/bin/git")


class Call(NamedTuple):
    """A process that was started: what was asked, and the text of the scripts it names."""

    spec: ProcessSpec
    text: str
    files: MemoryFiles


class Rule(NamedTuple):
    """What processes do whose argv or script text holds a match of the regular expression."""

    pattern: str
    act: Script | Callable[[Call], Script]


class ScriptedSandboxes:
    """Makes scripted sandboxes for every place but those in `missing`; keeps them for the test."""

    def __init__(
        self,
        rules: Iterable[Rule],
        clock: Timeline,
        ids: Ids,
        *,
        programs: Sequence[str] = PROGRAMS,
        missing: Mapping[str, str] | None = None,
        engine: ScriptedEngine | None = None,
    ) -> None:
        """Take the rules (the first that matches counts), and places -> why they can't be had.

        Without an `engine` no container can be had.
        """
        self._rules = tuple(rules)
        self._clock = clock
        self._ids = ids
        self._programs = programs
        self._missing = missing or {}
        self._engine = engine
        self.opened: list[ScriptedSandbox] = []

    def open(self, where: str) -> ScriptedSandbox:
        """Return a new sandbox. Raises Unavailable for a missing place."""
        if where in self._missing:
            raise Unavailable(self._missing[where])
        if where != "host" and self._engine is None:
            raise Unavailable(NO_ENGINE, hint=NO_ENGINE_HINT)
        sandbox = ScriptedSandbox(self._rules, self._clock, self._ids, self._programs)
        sandbox.containers = ScriptedContainers(self._engine, sandbox, self._clock)
        self.opened.append(sandbox)
        return sandbox

    def sweep(self) -> None:
        """Do nothing: what is in memory ends with its engine."""


class ScriptedSandbox:
    """One job's files in memory, and its scripted processes. `calls` are those that started."""

    containers: ScriptedContainers

    def __init__(
        self, rules: Sequence[Rule], clock: Timeline, ids: Ids, programs: Sequence[str]
    ) -> None:
        self.files = MemoryFiles()
        self.calls: list[Call] = []
        self._rules = rules
        self._clock = clock
        self._ids = ids
        self._programs = programs
        self._lock = threading.Lock()
        self._layout: Layout | None = None
        self._processes: list[tuple[ScriptedProcess, str]] = []
        self._orphans: list[tuple[int, str]] = []
        self._last_pid = 100

    def prepare(self, place: JobPlace) -> Layout:
        """Make the folders, the programs and the event file."""
        if self._layout is None:
            layout = _layout(place, f"github_{self._ids.token()}")
            self._layout = layout if place.where == "host" else _in_container(layout, place)
            if place.where == "host":
                self.furnish(self._programs)
            for path in _folders(self._layout):
                self.files.make_folder(path)
            self.files.write(self._layout.event_path, place.event.encode(), 0o644)
        return self._layout

    def furnish(self, programs: Sequence[str]) -> None:
        """Make programs."""
        for path in programs:
            self.files.write(path, b"\x7fELF", 0o755)

    def start(self, spec: ProcessSpec) -> ScriptedProcess:
        """Start what the first matching rule says; with none, a program that is not found: 127."""
        reason = self._refusal(spec)
        if reason:
            raise Unavailable(
                f"An error occurred trying to start process '{spec.argv[0]}' "
                f"with working directory '{spec.cwd}'. {reason}"
            )
        tracking_id = self._layout.tracking_id if self._layout else ""
        spec = ProcessSpec(
            argv=spec.argv,
            env={**spec.env, "RUNNER_TRACKING_ID": tracking_id},
            cwd=spec.cwd,
            user=spec.user,
        )
        return self._play(Call(spec, self._text(spec), self.files), ())

    def play(self, text: str, env: Mapping[str, str], paths: Paths) -> ScriptedProcess:
        """Start what the first rule that matches `text` says; `paths` maps files it writes."""
        spec = ProcessSpec(argv=tuple(text.split()), env=env, cwd="/")
        return self._play(Call(spec, text, self.files), paths)

    def _play(self, call: Call, paths: Paths) -> ScriptedProcess:
        script = self._script(call)
        with self._lock:
            self._last_pid += 1
            process = ScriptedProcess(
                self._last_pid, script, self._clock, lambda: self._ended(call, script, paths)
            )
            self._processes.append((process, posixpath.basename(call.spec.argv[0])))
            self.calls.append(call)
        return process

    def _refusal(self, spec: ProcessSpec) -> str:
        if self._layout and self._layout.in_container and self.containers.begun is None:
            return "The container is not running"
        if self.files.kind(spec.cwd, follow=True) is not Kind.FOLDER:
            return "No such file or directory"
        program = self.find(spec.argv[0], spec.env.get("PATH", ""))
        if program is not None:
            return ""
        if "/" in spec.argv[0] and self.files.kind(spec.argv[0], follow=True) is not None:
            return "Permission denied"
        return "No such file or directory"

    def _text(self, spec: ProcessSpec) -> str:
        scripts = [
            self.files.read(argument).decode("utf-8", "replace")
            for argument in spec.argv[1:]
            if argument.startswith("/") and self.files.kind(argument, follow=True) is Kind.FILE
        ]
        return "\n".join([" ".join(spec.argv), *scripts])

    def _script(self, call: Call) -> Script:
        for rule in self._rules:
            if re.search(rule.pattern, call.text):
                return rule.act if isinstance(rule.act, Script) else rule.act(call)
        text = f"{call.spec.argv[0]}: no rule says what this does: {call.text}\n"
        return Script(output=((0.0, text.encode()),), exit_code=127)

    def _ended(self, call: Call, script: Script, paths: Paths) -> None:
        for name, data in script.writes.items():
            path = translated(name if name.startswith("/") else call.spec.env[name], paths)
            old = self.files.read(path) if self.files.kind(path, follow=True) else b""
            self.files.write(path, old + data)
        with self._lock:
            for name in script.orphans:
                self._last_pid += 1
                self._orphans.append((self._last_pid, name))

    def find(self, program: str, path: str) -> str | None:
        """Return the full path of a program on a search path."""
        if "/" in program:
            return program if self.files.is_program(program) else None
        places = (posixpath.join(folder, program) for folder in path.split(":") if folder)
        return next(filter(self.files.is_program, places), None)

    def put(self, path: str, content: bytes | BinaryIO | Folder, mode: int = 0o644) -> None:
        """Write a file whole, or bring a folder's files below `path`."""
        try:
            if isinstance(content, Folder):
                self._put_folder(path, content)
            else:
                data = content if isinstance(content, bytes) else content.read()
                self.files.write(path, data, mode)
        except OSError as error:
            raise Unavailable(f"'{path}' can't be written: {error.strerror}") from error

    def renew(self, old: Sequence[str], new: Sequence[str], mode: int) -> None:
        """Make empty files; the old ones go."""
        for path in old:
            self.files.remove(path)
        for path in new:
            self.put(path, b"", mode)

    def _put_folder(self, target: str, folder: Folder) -> None:
        self.files.make_folder(target)
        for name in _names(folder):
            if name.startswith("/") or ".." in name.split("/"):
                raise Unavailable(f"'{name}' leaves the folder '{folder.path}'.")
            self._bring(os.path.join(folder.path, name), target, name.rstrip("/"))

    def _bring(self, source: str, target: str, name: str) -> None:
        """Bring one thing; what stands in its way, a link above all, goes."""
        path = posixpath.join(target, name)
        above = posixpath.dirname(path)
        while above != target:
            if self.files.kind(above, follow=False) not in {Kind.FOLDER, None}:
                self.files.remove(above)
            above = posixpath.dirname(above)
        if os.path.islink(source):
            self.files.remove(path)
            self.files.link(path, os.readlink(source))
        elif os.path.isdir(source):
            self.files.make_folder(path)
        elif os.path.isfile(source):
            self.files.remove(path)
            with open(source, "rb") as stream:
                mode = 0o755 if os.access(source, os.X_OK) else 0o644
                self.files.write(path, stream.read(), mode)

    def get(self, path: str) -> BinaryIO | None:
        """Open a file for reading, None if there is no such file."""
        if self.files.kind(path, follow=True) is None:
            return None
        try:
            return io.BytesIO(self.files.read(path))
        except OSError as error:
            raise Unavailable(f"'{path}' can't be read: {error.strerror}") from error

    def search(self, root: str, patterns: Sequence[str], *, digests: bool) -> tuple[Found, ...]:
        """Return what the glob patterns match below `root`, in GitHub's order."""
        home = self._layout.home if self._layout else ""
        return search(self.files, Search(patterns, root, home, digests))

    def tear_down(self, *, keep: bool) -> tuple[tuple[int, str], ...]:
        """End what still runs and remove the folders (`keep`: all but the workspace)."""
        layout, self._layout = self._layout, None
        if layout is None:
            return ()
        running = [(process, name) for process, name in self._processes if process.is_running()]
        for process, _ in running:
            process.signal(Signal.KILL)
            process.wait()
        ended = (*((process.pid, name) for process, name in running), *self._orphans)
        self._processes.clear()
        self._orphans.clear()
        self.containers.end(Watch(lambda _: None, lambda: False))
        for path in (layout.temp, layout.tool_cache, layout.actions):
            self.files.remove(path)
        if not keep:
            self.files.remove(posixpath.dirname(layout.temp))
        return ended


def _layout(place: JobPlace, tracking_id: str) -> Layout:
    name = place.repository.rpartition("/")[2] or "repository"
    folder = f"/work/{place.run_id}/{slug(place.key)}"
    home = f"{folder}/_temp/_github_home"
    return Layout(
        workspace=f"{folder}/_work/{name}/{name}",
        runner_workspace=f"{folder}/_work/{name}",
        temp=f"{folder}/_temp",
        tool_cache=f"{folder}/_tool",
        actions=f"{folder}/_actions",
        home=home,
        file_commands=f"{folder}/_temp/_runner_file_commands",
        event_path=f"{folder}/_temp/_github_workflow/event.json",
        os="Linux",
        arch="X64",
        name="scripted",
        tracking_id=tracking_id,
        env={"PATH": PATH, "HOME": home, "RUNNER_TRACKING_ID": tracking_id},
    )


def _in_container(layout: Layout, place: JobPlace) -> Layout:
    name = posixpath.basename(layout.workspace)
    home = "/github/home"
    return Layout(
        workspace=f"/__w/{name}/{name}",
        runner_workspace=f"/__w/{name}",
        temp="/__w/_temp",
        tool_cache="/__t",
        actions="/__w/_actions",
        home=home,
        file_commands="/__w/_temp/_runner_file_commands",
        event_path="/github/workflow/event.json",
        os="Linux",
        arch="X64",
        name=place.where,
        tracking_id=layout.tracking_id,
        env={"HOME": home, "RUNNER_TRACKING_ID": layout.tracking_id},
        in_container=True,
    )


def _folders(layout: Layout) -> tuple[str, ...]:
    return (
        layout.workspace,
        layout.home,
        layout.file_commands,
        layout.tool_cache,
        layout.actions,
    )


def _names(folder: Folder) -> Iterable[str]:
    if folder.files is None:
        yield from names_below(folder.path)
        return
    for name in folder.files:
        yield name
        path = os.path.join(folder.path, name)
        if os.path.isdir(path) and not os.path.islink(path):
            yield from names_below(folder.path, name.rstrip("/"))
