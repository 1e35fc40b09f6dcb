"""Writes a `.git` folder by hand: a few small files say what ten git processes would."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trunkline.adapters.git.worktree import Repository, Tip

_CARRIED = ("core.autocrlf", "core.eol", "core.symlinks", "core.ignorecase", "core.filemode")


def head_file(ref: str, sha: str) -> bytes:
    """Return HEAD: on a branch when `ref` is one, else detached at `sha`."""
    text = f"ref: {ref}\n" if ref.startswith("refs/heads/") else f"{sha}\n"
    return text.encode(errors="surrogateescape")


def packed_refs_file(refs: Mapping[str, Tip]) -> bytes:
    """Return `packed-refs` with all of `refs`."""
    lines = ["# pack-refs with: peeled fully-peeled sorted "]
    for name in sorted(refs, key=lambda name: name.encode(errors="surrogateescape")):
        lines.append(f"{refs[name].sha} {name}")
        if refs[name].peeled:
            lines.append(f"^{refs[name].peeled}")
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


def alternates_file(objects: str) -> bytes:
    """Return `objects/info/alternates`, the path quoted where git would else misread it."""
    path = objects.encode(errors="surrogateescape")
    if path.startswith((b'"', b"#")) or b"\n" in path:
        escaped = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
        path = b'"' + escaped + b'"'
    return path + b"\n"


def stand_in(refs: Mapping[str, Tip], objects: str) -> dict[str, bytes]:
    """Return the files of a bare repository that lends out another one's objects."""
    return {
        "HEAD": b"ref: refs/heads/none\n",
        "config": b"[core]\n\tbare = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n",
        "packed-refs": packed_refs_file(refs),
        "refs/.keep": b"",
        "objects/info/alternates": alternates_file(objects),
    }


def config_file(source: Repository | None, url: str, branch: str) -> bytes:
    """Return the config of a checkout: `url` is origin's, `branch` the one HEAD is on ('' none).

    What decides how files read is carried over from the source; nothing else of it is.
    """
    settings: dict[str, dict[str, str]] = {
        "core": {
            "repositoryformatversion": "0",
            "filemode": "true",
            "bare": "false",
            "logallrefupdates": "true",
            "untrackedCache": "false",
            "fsmonitor": "false",
        },
        "gc": {"auto": "0"},
    }
    if source is not None:
        _carry(source, settings)
    if url:
        fetch = "+refs/heads/*:refs/remotes/origin/*"
        settings['remote "origin"'] = {"url": url, "fetch": fetch}
        if branch:
            settings[f"branch {_quoted(branch)}"] = {
                "remote": "origin",
                "merge": f"refs/heads/{branch}",
            }
    return _rendered(settings)


def include_section(git_dir: str, path: str) -> str:
    """Return the part of a config that includes the file at `path` for the repository `git_dir`."""
    return f"[includeIf {_quoted(f'gitdir:{git_dir}')}]\n\tpath = {_value(path)}\n"


def _carry(source: Repository, settings: dict[str, dict[str, str]]) -> None:
    for name in _CARRIED:
        if name in source.config:
            settings["core"][name.partition(".")[2]] = source.config[name]
    lfs = {n: v for n, v in source.config.items() if n.startswith("filter.lfs.")}
    if lfs:
        settings['filter "lfs"'] = {name.rpartition(".")[2]: value for name, value in lfs.items()}
    if source.object_format != "sha1":
        settings["core"]["repositoryformatversion"] = "1"
        settings["extensions"] = {"objectFormat": source.object_format}


def _rendered(settings: Mapping[str, Mapping[str, str]]) -> bytes:
    lines: list[str] = []
    for section, values in settings.items():
        lines.append(f"[{section}]")
        lines += [
            f"\t{name} = {value if name == 'fetch' else _value(value)}"
            for name, value in values.items()
        ]
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


def _value(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_./:@+-]*", text) else _quoted(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
