"""The command line's entry: finds the verb, and turns exceptions into exit codes."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import Any

from trunkline import __version__
from trunkline.base.errors import InvalidPipeline, NotFound, TrunklineError, UsageError
from trunkline.base.words import nearest
from trunkline.cli import output

# A verb is loaded when it is typed: start-up pays for nothing else.
VERBS = {
    "run": "trunkline.cli.run:main",
    "plan": "trunkline.cli.plan:main",
    "lint": "trunkline.cli.lint:main",
    "runs": "trunkline.cli.runs:main",
    "show": "trunkline.cli.show:main",
    "logs": "trunkline.cli.logs:main",
    "cancel": "trunkline.cli.cancel:main",
    "artifacts": "trunkline.cli.artifacts:main",
    "caches": "trunkline.cli.caches:main",
    "images": "trunkline.cli.images:main",
    "registry": "trunkline.cli.registry:main",
}

SUMMARIES = {
    "run": "run what an event starts in this repository, on this machine",
    "plan": "show what would run and why, without running anything",
    "lint": "tell every mistake in workflows, actions and buildspecs",
    "runs": "list the runs of this machine",
    "show": "show one run: its jobs, steps, annotations and artifacts",
    "logs": "print what a run's jobs printed",
    "cancel": "cancel a run that is going on",
    "artifacts": "list the artifacts that runs kept here; download or delete some",
    "caches": "list the caches that jobs keep between runs; delete some",
    "images": "list the images that runs pushed here, and where each came from",
    "registry": "serve a registry of container images",
}

# Whose fault -> exit code; the first that fits counts (docs/reference/command-line.md).
EXIT_CODES: tuple[tuple[type[TrunklineError], int], ...] = (
    (UsageError, 2),
    (InvalidPipeline, 2),
    (NotFound, 2),
    (TrunklineError, 3),
)
FAULT = 3
INTERRUPTED = 130

# Loaded when there is a bug to tell.
MISTAKE = "trunkline.services.lint_formats:explain"
BUG_REPORT = "trunkline.cli.bug_report:tell"
# How many new objects start a search for garbage. Python's 700 makes forty searches of start-up.
OBJECTS_PER_SEARCH = 100_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's) and return its exit code."""
    if argv is not None:
        return _run(list(argv))
    codes: list[int] = []
    output.guard()
    _own_process(codes)
    codes.append(_run(sys.argv[1:]))
    return codes[0]


def _run(arguments: list[str]) -> int:
    _mend_streams()
    try:
        return _written(arguments)
    except TrunklineError as error:
        return _tell(error)
    except KeyboardInterrupt:
        sys.stderr.write("trunkline: cancelled\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output is gone; keep the interpreter from complaining at exit.
        output.discard()
        return 0
    except Exception:  # noqa: BLE001 - the one place where our own bugs end: no traceback for users
        load(BUG_REPORT)()
        return FAULT


def _own_process(codes: list[int]) -> None:
    """Look for garbage less often, and end at once; let SIGTERM and SIGHUP act as Ctrl-C does.

    `codes` gets the exit code when it is known.
    """
    gc.set_threshold(OBJECTS_PER_SEARCH)
    atexit.register(_end, codes)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _end(codes: list[int]) -> None:
    """End the process, after whatever else is to be done at its end (the first comes last).

    To free every object before takes the interpreter 4 ms, and gives nobody anything.
    """
    gc.freeze()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # the interpreter tries again, and tells it
        return
    if codes:
        os._exit(codes[0])


def _mend_streams() -> None:
    """Let every text be printed: what an encoding lacks becomes `?`, a closed stream swallows it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _written(arguments: list[str]) -> int:
    """Perform a command line, and have its output written. Raises what the verb raises."""
    try:
        return _dispatch(arguments)
    finally:
        try:
            sys.stdout.flush()
        except TrunklineError:
            output.discard()
            raise


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        sys.stdout.write(_usage())
        return 0
    if arguments[0] in {"-V", "--version", "version"}:
        sys.stdout.write(f"trunkline {__version__}\n")
        return 0
    verb = arguments[0]
    if verb not in VERBS:
        meant = nearest(verb, VERBS)
        hint = f"Did you mean `trunkline {meant}`?" if meant else "`trunkline --help` lists them."
        raise UsageError(f"There is no verb '{verb}'.", hint=hint)
    code: int = load(VERBS[verb])(arguments[1:])
    return code


def load(entry: str) -> Callable[..., Any]:
    """Import `module:function` of the verb table."""
    module, _, name = entry.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _usage() -> str:
    lines = [
        "usage: trunkline VERB ...",
        "",
        "Runs a repository's own GitHub Actions workflows, and CodeBuild's buildspecs, on this machine.",
        "",
    ]
    lines += [f"  {verb:<10}{SUMMARIES[verb]}" for verb in VERBS]
    lines += ["", "`trunkline VERB --help` tells a verb's options."]
    return "\n".join(lines) + "\n"


def _tell(error: TrunklineError) -> int:
    if isinstance(error, InvalidPipeline):
        explain = load(MISTAKE)
        for diagnostic in error.diagnostics:
            lines = error.sources.get(diagnostic.file, ())
            sys.stderr.write(f"{explain(diagnostic, lines)}\n")
    else:
        sys.stderr.write(f"trunkline: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  {error.hint}\n")
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
