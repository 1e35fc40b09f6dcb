"""What a build was asked for (docker/build-push-action `src/context.ts`)."""

from __future__ import annotations

from typing import NamedTuple

from trunkline.adapters.actions.docker_build_push.exporters import Exporter, read_exporter
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.adapters.toolkit.lists import Dialect, parse_list, parse_records
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob

DEFAULTS = {"load": "false", "no-cache": "false", "pull": "false", "push": "false"}
NAMES = frozenset(
    {
        *DEFAULTS,
        *("add-hosts", "allow", "annotations", "attests", "build-args", "build-contexts"),
        *("builder", "cache-from", "cache-to", "call", "cgroup-parent", "context", "file"),
        *("labels", "network", "no-cache-filters", "outputs", "platforms", "provenance", "sbom"),
        *("secrets", "secret-envs", "secret-files", "shm-size", "ssh", "tags", "target"),
        *("ulimit", "github-token"),
    }
)
# Inputs whose commas belong to their items: these are lists of lines (`ignoreComma`).
LINES = frozenset(
    {
        *("annotations", "attests", "build-args", "build-contexts", "cache-from", "cache-to"),
        *("labels", "secret-files", "ulimit"),
    }
)
_COMMAS = ("add-hosts", "allow", "no-cache-filters", "platforms", "secret-envs", "ssh")
_UNQUOTED = Dialect(relaxed=True, quotes=False)
_RELAXED = Dialect(relaxed=True)


class Settings(NamedTuple):
    """The inputs, made sense of.

    `lists` are those that are lists of texts, by name; `exporters` what `outputs` says. `push`
    and `load` are also true when an exporter says so. `secrets` are pairs (id, value).
    """

    context: str
    file: str
    target: str
    builder: str
    call: str
    network: str
    cgroup_parent: str
    shm_size: str
    provenance: str
    sbom: str
    tags: tuple[str, ...]
    exporters: tuple[Exporter, ...]
    secrets: tuple[tuple[str, str], ...]
    lists: dict[str, list[str]]
    load: bool
    push: bool
    pull: bool
    no_cache: bool

    @property
    def build_args(self) -> dict[str, str | None]:
        """Return the build arguments; one without a value takes it from the environment (None)."""
        found: dict[str, str | None] = {}
        for each in self.lists["build-args"]:
            name, equals, value = each.partition("=")
            found[name] = value if equals else None
        return found


def read(call: ActionCall, job: ActionJob) -> Settings:
    """Read the inputs of a call. Raises ActionFailed; what is ignored is told as a warning."""
    inputs = Inputs(call, DEFAULTS)
    lists = {name: parse_list(inputs.text(name)) for name in _COMMAS}
    lists |= {name: parse_list(inputs.text(name), keep_commas=True) for name in LINES}
    outputs = parse_list(inputs.text("outputs"), _UNQUOTED, keep_commas=True)
    exporters = tuple(read_exporter(each) for each in outputs)
    pushed = [each for each in exporters if each.is_pushed]
    tags = [*parse_list(inputs.text("tags")), *(name for each in pushed for name in each.names)]
    return Settings(
        context=inputs.text("context"),
        file=inputs.text("file"),
        target=inputs.text("target"),
        builder=inputs.text("builder"),
        call=inputs.text("call"),
        network=inputs.text("network"),
        cgroup_parent=inputs.text("cgroup-parent"),
        shm_size=inputs.text("shm-size"),
        provenance=_provenance(inputs, call),
        sbom=inputs.text("sbom"),
        tags=tuple(dict.fromkeys(tags)),
        exporters=exporters,
        secrets=_secrets(call, job),
        lists=lists,
        load=inputs.boolean("load"),
        push=inputs.boolean("push") or bool(pushed),
        pull=inputs.boolean("pull"),
        no_cache=inputs.boolean("no-cache"),
    )


def run_url(call: ActionCall) -> str:
    """Return the address of the run on its server: who built, in a provenance."""
    github = call.github
    attempt = github.get("run_attempt") or "1"
    place = f"{github['server_url']}/{github['repository']}"
    return f"{place}/actions/runs/{github['run_id']}/attempts/{attempt}"


def with_builder(attributes: str, call: ActionCall) -> str:
    """Return a provenance's attributes, with who built unless they say it (actions-toolkit)."""
    builder = f"builder-id={run_url(call)}"
    if not attributes:
        return builder
    fields = (field for record in parse_records(attributes)[:1] for field in record)
    if any(field.partition("=")[0].strip() == "builder-id" for field in fields):
        return attributes
    return f"{attributes},{builder}"


def _provenance(inputs: Inputs, call: ActionCall) -> str:
    """Return the attributes of the provenance: '' when nothing was said, `false` for none."""
    text = inputs.text("provenance")
    if not text:
        return ""
    try:
        return with_builder("", call) if inputs.boolean("provenance") else "false"
    except ActionFailed:
        return with_builder(text, call)


def _secrets(call: ActionCall, job: ActionJob) -> tuple[tuple[str, str], ...]:
    """Return the secrets given by value; newlines at a quoted one's end belong to it."""
    found = []
    for record in parse_records(call.inputs.get("secrets", ""), _RELAXED):
        text = ",".join(record)
        name, _, value = text.partition("=")
        if name.strip() and value:
            found.append((name.strip(), value))
        elif text.strip():
            # What can't be told apart may be a value: it is not shown.
            job.annotate("warning", "an entry of the input 'secrets' is not a valid secret")
    job.mask([value for _, value in found])
    return tuple(found)
