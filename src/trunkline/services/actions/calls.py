"""What the services of actions are asked, whoever carries it: a caller, methods, content to send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

import msgspec

from trunkline.ports.job_services import ServicesJob


class Caller(msgspec.Struct, frozen=True):
    """Which job asks, and the origin by which it reaches the services (no slash at its end)."""

    job: ServicesJob
    base: str


class Method(NamedTuple):
    """A method of a Twirp service: the type of its request, and what answers it.

    `answer` raises Refused.
    """

    request: type[msgspec.Struct]
    answer: Callable[[Caller, Any], msgspec.Struct]


Service = Mapping[str, Method]


class Download(NamedTuple):
    """Content that is sent; the receiver closes `file`. `name` is what its file would be called."""

    file: BinaryIO
    size: int
    digest: str
    content_type: str
    name: str
