"""Settings of git for a job: as a file that its own configuration includes, or as variables (git-config(1))."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Settings = Sequence[tuple[str, str]]


def as_file(settings: Settings) -> bytes:
    """Return settings (`url.http://x/.insteadOf`, its value) as the content of a file."""
    lines: list[str] = []
    for name, value in settings:
        section, _, rest = name.partition(".")
        subsection, _, key = rest.rpartition(".")
        lines += [f"[{section} {_quoted(subsection)}]", f"\t{key} = {_quoted(value)}"]
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


def including(config: bytes, paths: Iterable[str]) -> bytes:
    """Return a configuration that includes files before all else; git passes over those not there."""
    lines = (f"[include]\n\tpath = {_quoted(path)}\n" for path in paths)
    entry = "".join(lines).encode(errors="surrogateescape")
    return config if entry in config else entry + config


def as_variables(settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
    """Return settings as variables, behind those that `env` has already."""
    if not settings:
        return {}
    given = env.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdecimal() else 0
    found = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (name, value) in enumerate(settings, first):
        found[f"GIT_CONFIG_KEY_{number}"] = name
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
