"""The log path: what a step prints, from the process to the log and the views.

Output is handled in chunks. A line is looked at alone only when it may be a workflow command, or
when a problem matcher is active.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from trunkline.engine.job_context import JobContext
from trunkline.engine.job_log import JobLog
from trunkline.engine.line_source import LineSource
from trunkline.engine.matcher_files import MatcherFiles
from trunkline.engine.mounted_paths import Mounts, moved, turned
from trunkline.run.annotations import Annotation
from trunkline.run.commands import (
    AddMask,
    AddMatcher,
    AddPath,
    Allowed,
    Commands,
    Debug,
    Effect,
    Failed,
    Print,
    RemoveMatcher,
    SaveState,
    SetEnv,
    SetOutput,
    failed,
)
from trunkline.run.events import Annotated, Summarized
from trunkline.run.matchers import Compile, MatcherError, Matchers, to_annotation

# GitHub keeps ten annotations of each level a step; all of them are in the log.
MOST_ANNOTATIONS = 10
LEVELS = ("error", "warning", "notice")
DEBUG = "##[debug]"

# Where a command may begin: `::` first in its line, or `##[` anywhere. Blanks beyond ASCII begin
# with a high byte; the parser decides.
_NEW_COMMAND = rb"\n[\t\x0b\x0c \x1c-\x1f\x80-\xff]*::"
_OLD_COMMAND = rb"##\["


class JobOutput:
    """The output of one job; makes the output of each of its steps. Thread-safe."""

    def __init__(self, log: JobLog) -> None:
        self.log = log
        self.files: MatcherFiles | None = None
        self.workspace = ""
        self.is_debug = False

    @property
    def lines(self) -> int:
        """How many lines the job has printed so far."""
        return self.log.lines

    def serve(self, context: JobContext, compile_: Compile) -> None:
        """Take the job's sandbox, workspace and debug switch, once its set-up is through."""
        self.workspace = context.layout.workspace
        self.files = MatcherFiles(context.sandbox, self.workspace, compile_)
        self.is_debug = context.is_debug()

    def mask(self, values: Iterable[str]) -> None:
        """Never show these secrets: each trimmed, and each of its lines."""
        self.log.mask(values)

    def masked(self, text: str) -> str:
        """Return a text (a name, a message, an output) with every secret masked."""
        return self.log.masked(text)

    def step(self, number: int) -> StepOutput:
        """Return the output of a stage of a step; `number` is the step's in the journal."""
        return StepOutput(self, number, Counter())

    def close(self) -> None:
        """Store what waits; no line will follow. Raises Unavailable."""
        self.log.flush(final=True)


class StepOutput:
    """The output of one stage of one step; one thread at a time writes to it.

    What commands asked for is collected: `outputs`, `state`, `env` and `paths` in order, and
    `errors` of commands that could not be processed (they fail the step).
    """

    def __init__(self, job: JobOutput, number: int, told: Counter[str]) -> None:
        self.outputs: dict[str, str] = {}
        self.state: dict[str, str] = {}
        self.env: list[tuple[str, str]] = []
        self.paths: list[str] = []
        self.errors: list[str] = []
        self._job = job
        self._log = job.log
        self._number = number
        self._told = told
        self._source = LineSource(job.log.cut)
        self._commands = Commands(workspace=job.workspace, echo=job.is_debug)
        self._matchers = Matchers()
        self._mounts: Mounts = ()
        self._is_text = False
        self._out: list[bytes] = []

    # --- what a process prints ----------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take a chunk of a process's output. Raises Unavailable when the log's disk refuses."""
        lines = self._source.take(data)
        if lines:
            self._process(lines)
        self._log.tick()

    def tick(self) -> None:
        """Let go of lines that have waited long enough for a batch."""
        self._log.tick()

    def close(self) -> None:
        """Take the last line though nothing ended it, and store what waits. Idempotent."""
        self._finish_line()
        self._log.flush()

    def nested(self) -> StepOutput:
        """Return the output of a step inside this one (composite actions): same log, own results."""
        return StepOutput(self._job, self._number, self._told)

    def allow(self, env: Mapping[str, str]) -> None:
        """Let a step's environment opt into the commands that GitHub disabled."""
        self._commands.allowed = Allowed(
            commands=_is_true(env.get("ACTIONS_ALLOW_UNSECURE_COMMANDS")),
            stop_tokens=_is_true(env.get("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS")),
        )

    def read_as_text(self) -> None:
        """Take what is printed as text only: no workflow command, no problem matcher."""
        self._is_text = True

    def read_within(self, mounts: Mounts) -> None:
        """Read paths as a container prints them: `mounts` are (the job's folder, its own)."""
        self._mounts = turned(mounts)
        self._commands.workspace = moved(self._job.workspace, mounts)

    def mask(self, values: Iterable[str]) -> None:
        """Hide secrets in everything that is printed from now on."""
        self._job.mask(values)

    # --- what the engine says -----------------------------------------------------------

    def line(self, text: str) -> None:
        """Print a line of the engine's; `##[error]`, `##[warning]` and `##[notice]` annotate too.

        `##[debug]` is printed when debug lines are wanted.
        """
        if text.startswith(DEBUG) and not self._job.is_debug:
            return
        for level in LEVELS:
            if text.startswith(f"##[{level}]"):
                self.annotate(level, text.removeprefix(f"##[{level}]"))
                return
        self.engine_lines([text])

    def tell(self, text: str) -> None:
        """Print a line of the engine's long work, so that readers of the log see it soon."""
        self.line(text)
        self.tick()

    def engine_lines(self, lines: Iterable[str]) -> None:
        """Print lines of the engine's as they are: no command in them counts."""
        self._finish_line()
        for text in lines:
            self._print(text)
        self._flush()

    def annotate(self, level: str, message: str) -> None:
        """Tell an error, warning or notice: in the log, and as an annotation."""
        self._finish_line()
        self._annotate(Annotation(level, message), message)
        self._flush()

    def summary(self, data: bytes) -> None:
        """Report what a step wrote to its summary, masked line by line."""
        markdown = self._log.masked_lines(data.removeprefix(b"\xef\xbb\xbf")).decode()
        self._log.report(Summarized(key=self._log.key, step=self._number, markdown=markdown))

    # --- lines --------------------------------------------------------------------------

    def _finish_line(self) -> None:
        """Take the process's last line though nothing ended it: what follows is a new one."""
        lines = self._source.finish()
        if lines:
            self._process(lines)

    def _process(self, lines: bytes) -> None:
        while lines:
            lines = self._process_block(lines)
        self._flush()

    def _process_block(self, lines: bytes) -> bytes:
        """Take a block of lines; return what is to be looked at anew, under other matchers."""
        if self._is_text:
            self._out.append(lines)
            return b""
        rules = self._log.rules
        if self._matchers.rules is not rules:
            self._matchers.use(rules)
        if rules and self._matchers.may_match(lines.decode("utf-8", "replace")):
            self._process_each(lines)
            return b""
        if b"::" in lines or b"##[" in lines:
            return self._process_commands(lines)
        self._out.append(lines)
        return b""

    def _process_each(self, lines: bytes) -> None:
        """Look at every line: a problem matcher is active."""
        for line in lines.split(b"\n")[:-1]:
            text = line.decode("utf-8", "replace")
            if b"::" in line or b"##[" in line:
                effects = self._commands.process(text)
                if effects is not None:
                    self._perform(effects)
                    continue
            if not self._matched(text):
                self._out.append(line + b"\n")

    def _process_commands(self, lines: bytes) -> bytes:
        """Look at the lines that may be commands; the stretches between them go on whole."""
        rules = self._log.rules
        position = looked = 0
        for found in _marks(lines):
            start = lines.rfind(b"\n", 0, found) + 1
            if start < looked:
                continue
            end = lines.index(b"\n", found)
            looked = end + 1
            effects = self._commands.process(lines[start:end].decode("utf-8", "replace"))
            if effects is None:
                continue
            self._out.append(lines[position:start])
            self._perform(effects)
            position = looked
            if self._log.rules is not rules:
                return lines[position:]
        self._out.append(lines[position:])
        return b""

    def _matched(self, text: str) -> bool:
        """Try the problem matchers on a line; tell whether it was printed as a problem."""
        if self._matchers.rules is not self._log.rules:
            self._matchers.use(self._log.rules)
        problem, plain, dropped = self._matchers.match(text)
        for rule in dropped:
            self._log.remove_matchers([rule.owner])
            self._annotate_text(
                "warning", f"Removing issue matcher '{rule.owner}'. Matcher failed 3 times."
            )
        if problem is None or self._job.files is None:
            return False
        annotation = to_annotation(problem, self._locate)
        if annotation is None:
            return False
        self._annotate(annotation, plain)
        return True

    def _locate(self, file: str, from_path: str) -> str:
        if self._job.files is None:
            return ""
        return self._job.files.locate(moved(file, self._mounts), moved(from_path, self._mounts))

    def _print(self, text: str) -> None:
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            self._out.append(line.encode("utf-8", "replace") + b"\n")

    def _flush(self) -> None:
        lines = b"".join(self._out)
        self._out.clear()
        if lines:
            self._log.write(self._number, lines)

    # --- effects ------------------------------------------------------------------------

    def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Print(text):
                    self._print(text)
                case Debug(text):
                    self._debug(text)
                case Annotation():
                    self._annotate(effect, effect.message)
                case AddMask(values):
                    self._log.mask(values, as_they_are=True)
                case AddMatcher() | RemoveMatcher():
                    self._change_matchers(effect)
                case Failed(messages):
                    self._fail(messages)
                case SetOutput() | SaveState() | SetEnv() | AddPath():
                    self._collect(effect)

    def _collect(self, effect: SetOutput | SaveState | SetEnv | AddPath) -> None:
        match effect:
            case SetOutput(name, value):
                self.outputs[name] = value
            case SaveState(name, value):
                self.state[name] = value
            case SetEnv(name, value):
                self.env.append((name, value))
            case AddPath(path):
                self.paths.append(path)

    def _change_matchers(self, effect: AddMatcher | RemoveMatcher) -> None:
        if self._job.files is None:
            return
        try:
            match effect:
                case AddMatcher(path):
                    rules = self._job.files.load(moved(path, self._mounts))
                    self._log.add_matchers(rules)
                    owners = ", ".join(f"'{rule.owner}'" for rule in rules)
                    self._debug(
                        f"Added matchers: {owners}. Problem matchers scan action output for known "
                        "warning or error strings and report these inline."
                    )
                case RemoveMatcher(owner, path):
                    path = moved(path, self._mounts)
                    owners_of = [rule.owner for rule in self._job.files.load(path)] if path else []
                    self._log.remove_matchers([owner, *owners_of])
        except MatcherError as error:
            self._fail(failed(effect.line, str(error)).messages)

    def _fail(self, messages: Iterable[str]) -> None:
        for message in messages:
            self.errors.append(message)
            self._annotate_text("error", message)

    def _debug(self, text: str) -> None:
        if self._job.is_debug:
            for line in text.split("\n"):
                self._print(f"{DEBUG}{line}")

    def _annotate_text(self, level: str, message: str) -> None:
        self._annotate(Annotation(level, message), message)

    def _annotate(self, told: Annotation, shown: str) -> None:
        """Log `##[level]shown`, and report the annotation unless the step told too many."""
        self._print(f"##[{told.level}]{shown}")
        self._told[told.level] += 1
        if self._told[told.level] > MOST_ANNOTATIONS:
            return
        masked = self._log.masked
        self._log.report(
            Annotated(
                key=self._log.key,
                step=self._number,
                level=told.level,
                message=masked(told.message),
                title=masked(told.title),
                file=masked(told.file),
                line=told.line,
                end_line=told.end_line,
                column=told.column,
                end_column=told.end_column,
            )
        )


def _marks(lines: bytes) -> list[int]:
    """Return where commands may be, in order: each place is inside its line."""
    places = []
    if b"::" in lines:
        places = [found.end() - 2 for found in re.finditer(_NEW_COMMAND, b"\n" + lines)]
    if b"##[" in lines:
        places += [found.start() for found in re.finditer(_OLD_COMMAND, lines)]
        places.sort()
    return places


def _is_true(text: str | None) -> bool:
    """Read a switch as .NET does (reference section 3.17: `true`, `1`)."""
    return (text or "").lower() in {"1", "true", "$true"}
