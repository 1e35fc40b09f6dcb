"""The job summary of a build, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Facts(NamedTuple):
    """What a summary tells; `error` is '' for a build that went well, `seconds` how long it took."""

    tags: Sequence[str]
    image_id: str
    digest: str
    platform: str
    base: str
    where: str
    seconds: float
    error: str
    inputs: Mapping[str, str]


def markdown(facts: Facts) -> str:
    """Return the summary: a table of what was built, and the inputs."""
    status = f":x: {_cell(facts.error)}" if facts.error else ":white_check_mark: completed"
    rows = (
        ("Image", ", ".join(f"`{_cell(tag)}`" for tag in facts.tags)),
        ("Digest", _code(facts.digest)),
        ("Image ID", _code(facts.image_id)),
        ("Platform", _code(facts.platform)),
        ("Base image", _code(facts.base)),
        ("Pushed to", _cell(facts.where)),
        ("Duration", f"{facts.seconds:.1f}s"),
        ("Status", status),
    )
    lines = ["## Docker Build summary", "", "| Build | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows if value]
    if facts.inputs:
        lines += ["", "Build inputs:", "", "```yaml"]
        lines += [_yaml(name, value) for name, value in facts.inputs.items()]
        lines.append("```")
    return "\n".join(lines) + "\n"


def shown_inputs(given: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs as they are shown: no token, and of secrets their names alone."""
    shown = {}
    for name, value in given.items():
        if name == "secrets":
            names = [line.partition("=")[0] for line in value.split("\n") if "=" in line]
            shown[name] = "\n".join(each.strip().strip('"') for each in names)
        elif name != "github-token" and value.strip() and value.strip().lower() != "false":
            shown[name] = value.strip()
    return {name: value for name, value in sorted(shown.items()) if value}


def _yaml(name: str, value: str) -> str:
    lines = value.split("\n")
    if len(lines) == 1:
        return f"{name}: {value}"
    return "\n".join([f"{name}: |", *(f"  {line}" for line in lines)])


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    """Return a text that keeps within its cell."""
    return " ".join(text.replace("|", "\\|").split())
