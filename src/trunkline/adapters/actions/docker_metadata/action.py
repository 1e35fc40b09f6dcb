"""docker/metadata-action as a native action."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from trunkline.adapters.actions.docker_metadata.event import Event, from_git, from_workflow
from trunkline.adapters.actions.docker_metadata.labels import labels_of
from trunkline.adapters.actions.docker_metadata.naming import (
    Namer,
    Setting,
    Version,
    sanitized,
    version_of,
)
from trunkline.adapters.actions.docker_metadata.rules import (
    Flavor,
    Image,
    read_flavor,
    read_images,
    read_tags,
)
from trunkline.adapters.toolkit.groups import group
from trunkline.adapters.toolkit.inputs import Inputs, warn_of_unsupported
from trunkline.adapters.toolkit.lists import Dialect, parse_list
from trunkline.adapters.toolkit.versioned_action import VersionedAction
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob

_LISTS = ("images", "tags", "flavor", "labels", "annotations")
_SEPARATORS = ("sep-tags", "sep-labels", "sep-annotations")
UNSUPPORTED = {"github-token": "what is known of the repository comes from the event."}
_BOOLEANS = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "false", "FALSE", "False"), False
)


class DockerMetadata(VersionedAction):
    """Makes an image's tags, labels and annotations of the event."""

    oldest, newest = 4, 6
    inputs = frozenset({"context", *_LISTS, *_SEPARATORS, "bake-target", "github-token"})

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Set the outputs, in the environment too. Raises ActionFailed."""
        inputs = Inputs(call, {})
        warn_of_unsupported(call, job, UNSUPPORTED)
        major = self.describe(call.uses.rpartition("@")[2])
        lists = _lists(inputs, infix=major != "v6")
        if major == "v4" and not lists["images"]:
            raise ActionFailed("images input required")
        event = self._event(inputs.text("context") or "workflow", call, job)
        _tell_event(event, call, job)
        metadata = _read(event, lists, self._world.clock.now(), call, job)
        _Outputs(metadata, call, job).set()

    def _event(self, context: str, call: ActionCall, job: ActionJob) -> Event:
        match context:
            case "workflow":
                return from_workflow(call, job, self._world)
            case "git":
                return from_git(call, job)
            case _:
                raise ActionFailed(f"Invalid context source: {context}")


class _Metadata(NamedTuple):
    """What was made: the image names that count, the tags, labels and annotations."""

    images: tuple[str, ...]
    version: Version
    flavor: Flavor
    labels: dict[str, str]
    annotations: dict[str, str]

    def names(self) -> list[str]:
        """Return the tags without an image's name."""
        if not self.version.main:
            return []
        flavor = self.flavor
        latest = (
            f"{flavor.prefix if flavor.prefix_latest else ''}latest"
            f"{flavor.suffix if flavor.suffix_latest else ''}"
        )
        names = [self.version.main, *self.version.others]
        return [*names, sanitized(latest)] if self.version.latest else names

    def tags(self) -> list[str]:
        """Return the tags of all images; without an image their names alone."""
        names = self.names()
        return [f"{image}:{name}" for image in self.images for name in names] or names


def _lists(inputs: Inputs, *, infix: bool) -> dict[str, list[str]]:
    """Return the inputs that are lists; before v6 a `#` within a line began a comment."""
    dialect = Dialect("#", infix=infix, relaxed=True)
    return {name: parse_list(inputs.text(name), dialect, keep_commas=True) for name in _LISTS}


def _read(
    event: Event, lists: dict[str, list[str]], now: float, call: ActionCall, job: ActionJob
) -> _Metadata:
    images = read_images(lists["images"])
    _tell_group(job, "Processing images input", (_shown(image) for image in images))
    rules = read_tags(lists["tags"])
    _tell_group(job, "Processing tags input", map(str, rules))
    flavor = read_flavor(lists["flavor"])
    _tell_group(job, "Processing flavor input", _flavor_lines(flavor))
    setting = Setting(
        event=event,
        flavor=flavor,
        now=now,
        env=call.env,
        say=job.log,
        warn=lambda message: job.annotate("warning", message),
    )
    version = version_of(rules, setting)
    created = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    expand = Namer(setting).expand
    return _Metadata(
        tuple(image.name.lower() for image in images if image.enabled),
        version,
        flavor,
        labels_of(event, version.main, created, lists["labels"], expand),
        labels_of(event, version.main, created, lists["annotations"], expand),
    )


class _Outputs:
    """Sets the outputs of what was made, and tells them."""

    def __init__(self, metadata: _Metadata, call: ActionCall, job: ActionJob) -> None:
        self._metadata = metadata
        self._given = call.inputs
        self._job = job
        self._target = call.inputs.get("bake-target", "").strip() or "docker-metadata-action"
        levels = call.env.get("DOCKER_METADATA_ANNOTATIONS_LEVELS") or "manifest"
        self._annotations = [
            f"{level}:{key}={value}"
            for level in levels.split(",")
            for key, value in metadata.annotations.items()
        ]
        self._in_environment = _is_set(call.env.get("DOCKER_METADATA_SET_OUTPUT_ENV") or "true")

    def set(self) -> None:
        """Set all outputs."""
        self._version()
        self._tags()
        labels = [f"{key}={value}" for key, value in self._metadata.labels.items()]
        _tell_group(self._job, "Docker labels", labels)
        self._output("labels", self._separator("sep-labels").join(labels))
        _tell_group(self._job, "Annotations", self._annotations)
        self._output("annotations", self._separator("sep-annotations").join(self._annotations))
        found = {
            "tags": self._metadata.tags(),
            "tag-names": self._metadata.names(),
            "labels": _one_line(self._metadata.labels),
            "annotations": self._annotations,
        }
        _tell_group(self._job, "JSON output", _pretty(found).split("\n"))
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        self._output("json", text)
        self._bake_files(hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:6])

    def _version(self) -> None:
        version = self._metadata.version.main
        if version:
            _tell_group(self._job, "Docker image version", [version])
        else:
            self._job.annotate(
                "warning", "No Docker image version has been generated. Check tags input."
            )
        self._output("version", version)

    def _tags(self) -> None:
        tags = self._metadata.tags()
        if tags:
            _tell_group(self._job, "Docker tags", tags)
        else:
            self._job.annotate("warning", "No Docker tag has been generated. Check tags input.")
        separator = self._separator("sep-tags")
        self._output("tags", separator.join(tags))
        self._output("tag-names", separator.join(self._metadata.names()))

    def _bake_files(self, mark: str) -> None:
        """Write the definitions for `docker buildx bake` in a folder of this step's own."""
        metadata = self._metadata
        version = metadata.version.main
        args = {"DOCKER_META_IMAGES": ",".join(metadata.images)}
        args |= {"DOCKER_META_VERSION": version} if version else {}
        tags = {"tags": metadata.tags(), "args": args}
        labels = {"labels": _one_line(metadata.labels)}
        annotations = {"annotations": self._annotations}
        folder = f"{self._job.layout.temp}/docker-actions-toolkit-{mark}"
        parts: dict[str, dict[str, Any]] = {
            "tags": tags,
            "labels": labels,
            "annotations": annotations,
        }
        for kind, content in parts.items():
            path = f"{folder}/docker-metadata-action-bake-{kind}.json"
            text = self._bake(path, content)
            _tell_group(self._job, f"Bake file definition ({kind})", text.split("\n"))
            self._output(f"bake-file-{kind}", path)
        path = f"{folder}/docker-metadata-action-bake.json"
        self._bake(path, {"tags": tags["tags"], **labels, "args": args})
        self._output("bake-file", path)

    def _bake(self, path: str, content: dict[str, Any]) -> str:
        text = _pretty({"target": {self._target: content}})
        self._job.sandbox.put(path, text.encode(errors="surrogateescape"))
        return text

    def _separator(self, name: str) -> str:
        return self._given.get(name) or "\n"

    def _output(self, name: str, value: str) -> None:
        self._job.set_output(name, value)
        if self._in_environment:
            variable = re.sub(r"\W", "_", name).upper()
            self._job.set_env(f"DOCKER_METADATA_OUTPUT_{variable}", value)


def _is_set(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ActionFailed(f"parseBool syntax error: {text}")
    return _BOOLEANS[text]


def _one_line(labels: dict[str, str]) -> dict[str, str]:
    """Return labels as JSON has them: the first line of their values."""
    return {key: re.split(r"[\n\r\u2028\u2029]", value)[0] for key, value in labels.items()}


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _shown(image: Image) -> str:
    return f"name={image.name},enable={'true' if image.enabled else 'false'}"


def _flavor_lines(flavor: Flavor) -> Sequence[str]:
    return (
        f"latest={flavor.latest}",
        f"prefix={flavor.prefix}",
        f"prefixLatest={str(flavor.prefix_latest).lower()}",
        f"suffix={flavor.suffix}",
        f"suffixLatest={str(flavor.suffix_latest).lower()}",
    )


def _tell_event(event: Event, call: ActionCall, job: ActionJob) -> None:
    github = call.github
    date = datetime.fromtimestamp(event.commit_date, UTC)
    told = {
        "eventName": event.name,
        "sha": event.sha,
        "ref": event.ref,
        "workflow": github.get("workflow"),
        "action": github.get("action"),
        "actor": github.get("actor"),
        "runNumber": github.get("run_number"),
        "runId": github.get("run_id"),
        "commitDate": date.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"),
    }
    _tell_group(job, "Context info", (f"{key}: {value or ''}" for key, value in told.items()))


def _tell_group(job: ActionJob, title: str, lines: Iterable[str]) -> None:
    """Show lines under a title."""
    with group(job, title):
        for line in lines:
            for part in line.split("\n"):
                job.log(part)
