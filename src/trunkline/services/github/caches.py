"""Caches of the repository, listed and removed."""

from __future__ import annotations

from trunkline.base.errors import UsageError
from trunkline.services.actions.kept_caches import record
from trunkline.services.github.calls import Answer, Call, Listing, Reply
from trunkline.services.github.refusals import Refused, not_found

NAME = "actions_caches"


def every(call: Call) -> Answer:
    """List the caches."""
    query = call.query
    try:
        found = call.stores.caches.find(
            call.repository,
            key=query.get("key", ""),
            ref=query.get("ref", ""),
            sort=query.get("sort", "last_accessed_at"),
            ascending=query.get("direction", "desc") == "asc",
        )
    except UsageError as error:
        raise Refused(422, error.message) from error
    return Listing([record(entry) for entry in found], NAME)


def usage(call: Call) -> Answer:
    """Return what the caches take."""
    found = call.stores.caches.usage(call.repository)
    return Reply(
        {
            "full_name": call.repository,
            "active_caches_size_in_bytes": found.size,
            "active_caches_count": found.caches,
        }
    )


def delete(call: Call) -> Answer:
    """Remove a cache by its id."""
    if not call.stores.caches.remove(call.repository, str(call.path["cache"])):
        raise not_found()
    return Reply(None, 204)


def delete_key(call: Call) -> Answer:
    """Remove the caches of a key."""
    key = call.query.get("key", "")
    if not key:
        raise Refused(422, 'Invalid request.\n\n"key" wasn\'t supplied.')
    removed = call.stores.caches.remove_key(call.repository, key, call.query.get("ref", ""))
    if not removed:
        raise not_found()
    found = [record(entry) for entry in removed]
    return Reply({"total_count": len(found), NAME: found})
