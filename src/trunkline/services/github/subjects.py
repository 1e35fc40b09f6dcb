"""How identity tokens of a repository name their subject (GitHub: REST API, Actions OIDC)."""

from __future__ import annotations

import msgspec

from trunkline.base.errors import UsageError
from trunkline.ports.github_data import Records
from trunkline.services.actions.identity import Subject, check_subject
from trunkline.services.github.calls import Answer, Call, Reply
from trunkline.services.github.refusals import Refused

KIND = "oidc-subjects"


class Customization(msgspec.Struct, frozen=True, kw_only=True):
    """The claims that `sub` is made of, unless it is GitHub's default."""

    use_default: bool
    include_claim_keys: tuple[str, ...] = ()
    use_immutable_subject: bool = False


def get(call: Call) -> Answer:
    """Return what was chosen, for the run."""
    found = _chosen(call.records)
    if found.use_default:
        return Reply({"use_default": True, "use_immutable_subject": found.use_immutable_subject})
    return Reply(msgspec.structs.asdict(found))


def put(call: Call) -> Answer:
    """Choose for the tokens that the run's jobs get from now on."""
    asked = call.read(Customization, "OIDCCustomSub")
    if not asked.use_default and not asked.include_claim_keys:
        raise Refused(422, "include_claim_keys must be provided when use_default is false")
    try:
        check_subject(Subject(include=asked.include_claim_keys))
    except UsageError as error:
        raise Refused(422, error.message) from error
    call.records.add(KIND, msgspec.structs.asdict(asked))
    told = "the default" if asked.use_default else ":".join(asked.include_claim_keys)
    call.tell("OIDC subject", told)
    return Reply({}, 201)


def subject_of(records: Records) -> Subject:
    """Return how a job's tokens name their subject; `records` are its repository's."""
    found = _chosen(records)
    include = () if found.use_default else found.include_claim_keys
    return Subject(include=include, immutable=found.use_immutable_subject)


def _chosen(records: Records) -> Customization:
    every = records.every(KIND)
    if not every:
        return Customization(use_default=True)
    return msgspec.convert(every[-1][1], Customization)
