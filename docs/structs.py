"""The JSON that Trunkline prints, described from the structs it is printed from."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from textwrap import fill

import msgspec

from trunkline.cli.views.records import LogLines
from trunkline.oci.built import Built
from trunkline.plan.forecast import JobForecast, LegForecast, RunForecast
from trunkline.plan.model import Plan
from trunkline.ports.caches import CacheEntry
from trunkline.run.events import Event, Group, Leg, Options
from trunkline.services.registry.images import KeptImage
from trunkline.services.run_artifacts import KeptArtifact
from trunkline.services.runs import JobView, RunView, StepView

WORDS = {str: "text", int: "integer", float: "number", bool: "true or false", object: "anything"}
PARTS = (Leg, Group, Options)


def events() -> str:
    """Return a section for every event of the journal, for log lines, and for what they hold."""
    kinds = [*typing.get_args(Event), LogLines]
    return "\n" + _sections(kinds) + _sections(PARTS)


def views() -> str:
    """Return a section for every struct of `show --json` and `runs --json`."""
    return "\n" + _sections((RunView, JobView, StepView))


def images() -> str:
    """Return a section for every struct of `images --json`."""
    return "\n" + _sections((KeptImage, Built))


def artifacts() -> str:
    """Return a section for the struct of `artifacts --json`."""
    return "\n" + _sections((KeptArtifact,))


def caches() -> str:
    """Return a section for the struct of `caches --json`."""
    return "\n" + _sections((CacheEntry,))


def forecasts() -> str:
    """Return a section for every struct of `plan --json`."""
    return "\n" + _sections((RunForecast, JobForecast, LegForecast))


def _sections(kinds: Iterable[type[msgspec.Struct]]) -> str:
    return "".join(_section(kind) for kind in kinds)


def _section(kind: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(kind)
    told = "; ".join(f"`{field.encode_name}`: {_words(field.type)}" for field in fields)
    title = kind.__struct_config__.tag or kind.__name__
    return f"### {title}\n\n{_wrapped(_prose(kind))}\n\n{_wrapped(told)}.\n\n"


def _wrapped(text: str) -> str:
    return fill(text, 120, break_on_hyphens=False, break_long_words=False)


def _prose(kind: type) -> str:
    """Return a docstring's paragraphs as one."""
    return " ".join((kind.__doc__ or "").split())


def _words(kind: object) -> str:
    """Say what JSON holds a value of `kind`."""
    found = WORDS.get(kind) if isinstance(kind, type) else None
    if kind is typing.Any:
        found = "anything"
    elif kind is Plan:
        found = "the plan, as the engine reads it; its shape may change"
    elif isinstance(kind, type) and issubclass(kind, Enum):
        found = " or ".join(f"`{member.value}`" for member in kind)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        found = kind.__name__
    return found or _composed(kind)


def _composed(kind: object) -> str:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join("null" if each is types.NoneType else _words(each) for each in inner)
    if origin in {dict, Mapping}:
        return f"object of {_words(inner[1])}"
    if origin is tuple and inner[-1] is not Ellipsis:
        return f"[{', '.join(map(_words, inner))}]"
    if origin in {list, tuple}:
        return f"list of {_words(inner[0])}"
    raise TypeError(kind)
