"""Evidence: where an image came from."""

from __future__ import annotations

import msgspec


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """One build of one image.

    `digest` is the pushed manifest's or index's, `repository` the one it was named with
    (`ghcr.io/o/n`), `tags` those of the build. `source` is the repository of its source, `commit`
    the commit, `dirty` says that uncommitted work was built with it. `number` is the run's in its
    workflow. `base_digest` and `base_name` are those of the last `FROM` ('' for `scratch` or when
    unknown); an image that only one machine has goes by its id. `created` is in seconds since the
    epoch. `published`: it went to the real registry, not to the local one.
    """

    digest: str
    repository: str
    created: float
    tags: tuple[str, ...] = ()
    source: str = ""
    commit: str = ""
    dirty: bool = False
    ref: str = ""
    run_id: str = ""
    number: int = 0
    attempt: int = 1
    workflow: str = ""
    job: str = ""
    base_digest: str = ""
    base_name: str = ""
    published: bool = False
