"""Makes the repository that a run writes to: its own refs and objects over the user's, untouched."""

from __future__ import annotations

from pathlib import Path

from trunkline.adapters.git.layout import alternates_file, packed_refs_file
from trunkline.adapters.git.worktree import Repository, Tip, read_repository
from trunkline.ports.github_data import HEADS, TAGS

REMOTE = "refs/remotes/origin/"
READY = "trunkline-ready"
ZEROS = frozenset("0")


def make_scratch(folder: Path, source: str, default_branch: str, held: dict[str, str]) -> None:
    """Make a bare repository in `folder` that has what the one at `source` has now.

    Branches that only its origin had are branches too; `held` are refs (with their commits) that
    are there whatever became of the source. Without git at `source` it is empty. Raises Unavailable.
    """
    if (folder / READY).is_file():
        return
    found = read_repository(source)
    refs = _refs(found, held)
    branch = default_branch or (found.branch.removeprefix(HEADS) if found else "") or "main"
    for path in ("objects/info", "objects/pack", "refs"):
        (folder / path).mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "config").write_text(_config(found), encoding="utf-8")
    (folder / "HEAD").write_text(f"ref: {HEADS}{branch}\n", encoding="utf-8")
    (folder / "packed-refs").write_bytes(packed_refs_file(refs))
    if found is not None:
        (folder / "objects/info/alternates").write_bytes(alternates_file(found.objects))
        if found.shallow:
            lines = "".join(f"{sha}\n" for sha in found.shallow)
            (folder / "shallow").write_text(lines, encoding="ascii")
    (folder / READY).touch()


def _refs(found: Repository | None, held: dict[str, str]) -> dict[str, Tip]:
    if found is None:
        return {}
    kept = {name: tip for name, tip in found.refs.items() if name.startswith((HEADS, TAGS))}
    for name, tip in found.refs.items():
        branch = HEADS + name.removeprefix(REMOTE)
        if name.startswith(REMOTE) and name != f"{REMOTE}HEAD":
            kept.setdefault(branch, tip)
    for name, sha in held.items():
        if name.startswith("refs/") and not set(sha) <= ZEROS and name not in kept:
            kept[name] = Tip(sha, "")
    return kept


def _config(found: Repository | None) -> str:
    core = "[core]\n\tbare = true\n"
    more = "[gc]\n\tauto = 0\n[uploadpack]\n\tallowAnySHA1InWant = true\n"
    if found is not None and found.object_format != "sha1":
        extension = f"[extensions]\n\tobjectFormat = {found.object_format}\n"
        return f"{core}\trepositoryFormatVersion = 1\n{extension}{more}"
    return f"{core}\trepositoryFormatVersion = 0\n{more}"
