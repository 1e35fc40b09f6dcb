"""What a stage leaves behind for the steps after it: variables, PATH, outputs, state, its summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trunkline.base.bounded_files import TooLarge
from trunkline.base.errors import Unavailable
from trunkline.engine.instances import Instance
from trunkline.engine.output import StepOutput
from trunkline.engine.scopes import SharedEnvironment
from trunkline.engine.step_files import StepFiles
from trunkline.run.step_files import (
    FILE_LIMIT,
    SUMMARY_LIMIT,
    StepFileError,
    file_refusal,
    parse_key_values,
    parse_paths,
    refused_variable,
    summary_refusal,
)

SUMMARY = "step_summary"


class Effects:
    """Takes in what one stage wrote, by commands and then by files (reference sections 3.16, 3.17)."""

    def __init__(
        self,
        instance: Instance,
        shared: SharedEnvironment,
        output: StepOutput,
        outputs: Iterable[tuple[str, str]],
    ) -> None:
        """Take the stage's own `outputs` (a native or composite action's) first."""
        self._instance = instance
        self._shared = shared
        self._output = output
        self.outputs: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._set_outputs(outputs)
        self._take = {
            "env": self._take_variables,
            "output": self._take_outputs,
            "path": self._take_paths,
            "state": self._take_state,
            SUMMARY: output.summary,
        }

    def take(self, files: StepFiles) -> bool:
        """Take everything in; tell whether all of it could be read."""
        output = self._output
        for name, value in output.env:
            self._shared.set(name, value)
        for path in output.paths:
            self._shared.prepend(path)
        self._instance.state.update(output.state)
        self._set_outputs(output.outputs.items())
        well = not output.errors
        for kind, take in self._take.items():
            well = self._read(files, kind, take) and well
        return well

    def _read(self, files: StepFiles, kind: str, take: Callable[[bytes], None]) -> bool:
        """Take one file in; tell whether it could be read. A summary that is too large could."""
        try:
            if data := files.read(kind, SUMMARY_LIMIT if kind == SUMMARY else FILE_LIMIT):
                take(data)
        except TooLarge as error:
            if kind == SUMMARY:
                self._output.line(f"##[error]{summary_refusal(error.size)}")
                return True
            return self._unreadable(kind, file_refusal(kind, error.size))
        except (StepFileError, Unavailable) as error:  # a folder or a pipe in the file's place
            return self._unreadable(kind, str(error))
        return True

    def _unreadable(self, kind: str, why: str) -> bool:
        self._output.line(f"##[error]Unable to process file command '{kind}' successfully.")
        self._output.line(f"##[error]{why}")
        return False

    def _set_outputs(self, found: Iterable[tuple[str, str]]) -> None:
        """Set outputs; their names compare without case, and the last one counts."""
        for name, value in found:
            self.outputs[self._names.setdefault(name.lower(), name)] = value

    def _take_variables(self, data: bytes) -> None:
        for name, value in parse_key_values(data):
            if refused := refused_variable(name):
                self._output.line(f"##[error]{refused}")
            else:
                self._shared.set(name, value)

    def _take_outputs(self, data: bytes) -> None:
        self._set_outputs(parse_key_values(data))

    def _take_paths(self, data: bytes) -> None:
        for path in parse_paths(data):
            self._shared.prepend(path)

    def _take_state(self, data: bytes) -> None:
        self._instance.state.update(parse_key_values(data))
