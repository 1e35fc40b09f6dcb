"""How much of a file is read: the limits GitHub sets, as data."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one reading; zero means none where it says so. The defaults are GitHub's own.

    `max_nodes` counts YAML nodes after aliases are replayed; `max_size` is GitHub's own estimate
    of the memory a workflow and all it calls take. `max_errors` 0 keeps every error.
    `max_call_depth` counts the levels below the first workflow; `max_jobs` 0 is no limit.
    Without `background_steps` a file is read as GitHub did before 2026-06; with `strict_dispatch`
    unknown keys under `workflow_dispatch` are errors, as in GitHub's editor: its service ignores them.
    With `need_steps` a job without steps is an error, as it is to GitHub's service, not its parsers.
    """

    max_depth: int = 50
    max_nodes: int = 50_000
    max_characters: int = 1024 * 1024
    max_size: int = 10 * 1024 * 1024
    max_errors: int = 10
    max_message: int = 500
    max_files: int = 51
    max_call_depth: int = 9
    max_jobs: int = 0
    background_steps: bool = True
    strict_dispatch: bool = False
    need_steps: bool = True


GITHUB = Limits()
# As much of a file's bytes as anybody needs to read: more is too many characters, whatever they are.
MOST_BYTES = 4 * (GITHUB.max_characters + 1)
# For those who want to mend a file: more errors than anybody reads.
ALL_ERRORS = Limits(max_errors=1000)
