"""What a job's log is told of its containers, in the lines of GitHub's runner."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from trunkline.ports.containers import Watch


class Story:
    """Writes the runner's lines to whoever watches."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Put the lines within into a group."""
        self.watch.tell(f"##[group]{title}")
        try:
            yield
        finally:
            self.watch.tell("##[endgroup]")

    def line(self, text: str) -> None:
        """Tell a line."""
        self.watch.tell(text)

    def command(self, *words: str) -> None:
        """Tell what somebody would type for what is done now."""
        self.watch.tell(f"##[command]{shlex.join(words)}")

    def warning(self, text: str) -> None:
        """Warn."""
        self.watch.tell(f"##[warning]{text}")

    def error(self, text: str) -> None:
        """Tell an error."""
        self.watch.tell(f"##[error]{text}")

    def output(self, chunks: Iterable[bytes]) -> None:
        """Tell a container's log, line by line."""
        rest = b""
        for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.watch.tell(line.decode("utf-8", "replace").rstrip("\r"))
        if rest:
            self.watch.tell(rest.decode("utf-8", "replace").rstrip("\r"))
