"""The record of where an image came from, made of what its run's journal tells."""

from __future__ import annotations

from trunkline.oci.built import Built
from trunkline.oci.references import InvalidReference, local_repository, parse_reference
from trunkline.ports.image_store import ImageStore
from trunkline.run.events import ImagePushed, RunStarted


def keep(store: ImageStore, started: RunStarted, at: float, pushed: ImagePushed) -> None:
    """Keep the record of a push beside the images. Raises Unavailable."""
    store.evidence.record(built_from(started, at, pushed))


def built_from(started: RunStarted, at: float, pushed: ImagePushed) -> Built:
    """Return the record of a push at `at` (epoch seconds) in a run."""
    repository, tag = _place(pushed)
    return Built(
        digest=pushed.digest,
        repository=repository,
        created=at,
        tags=(tag,) if tag else (),
        source=str(started.github.get("repository", "")),
        commit=pushed.commit,
        dirty=pushed.dirty,
        ref=str(started.github.get("ref", "")),
        run_id=started.run_id,
        number=started.number,
        attempt=int(started.github.get("run_attempt") or 1),
        workflow=started.plan.name or started.plan.source.path,
        job=pushed.key,
        base_digest=pushed.base_digest,
        base_name=pushed.base_name,
        published=not pushed.kept_as,
    )


def _place(pushed: ImagePushed) -> tuple[str, str]:
    """Return the repository and tag under which the local registry knows what was pushed."""
    try:
        reference = parse_reference(pushed.reference)
        return local_repository(reference), "" if reference.digest else reference.target
    except InvalidReference:  # another registry may take a name that ours does not
        name, _, tag = pushed.reference.rpartition(":")
        return (name, tag) if name and "/" not in tag else (pushed.reference, "")
