"""References: the actions and workflows that `uses` names, and slips in well-known names."""

from __future__ import annotations

import re

from trunkline.document.problems import Problems
from trunkline.workflow.model import Text
from trunkline.workflow.wellknown import NAMES_BY_OWNER, OWNERS_BY_NAME

DOCKER = "docker://"
IMAGE_FORM = "Name one: 'docker://image[:tag]'."
SELF_REPOSITORY = "$/"
_LOCAL = ("./", ".\\")
_SEPARATORS = re.compile(r"[\\/]")
_NAME = re.compile(r"[\w.-]+", re.ASCII)
_FOLDER = ".github/workflows"
_LAB = ".github/workflows-lab"
_SLIPS = 2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FORBIDDEN = ("?", "*", "[", "]", "\\", "~", "^", ":", "@{", "..", "//")


def automatic_name(uses: str) -> str:
    """Return what GitHub names a step after that uses an action: `actions/checkout`, `self`."""
    if uses.startswith(DOCKER):
        return uses[len(DOCKER) :]
    if uses.startswith(_LOCAL):
        return "self"
    if uses.startswith(SELF_REPOSITORY):
        return "selfRepository"
    parts = _remote(uses)
    return "/".join(parts[:2]) if parts else ""


def check_action(uses: Text, problems: Problems) -> None:
    """Tell an action reference of the wrong form, and a slip in a well-known name."""
    value = uses.value
    if value == DOCKER:
        problems.warning(uses.span, "Container image cannot be empty", "uses", IMAGE_FORM)
    if value.startswith((DOCKER, SELF_REPOSITORY, *_LOCAL)):
        return
    parts = _remote(value)
    if not parts:
        message = f"Expected format {{org}}/{{repo}}[/path]@ref. Actual '{value}'"
        problems.error(uses.span, message, "uses", _form_hint(value))
        return
    owner, name = parts[0].lower(), parts[1].lower()
    close = None if name in NAMES_BY_OWNER.get(owner, ()) else _meant(owner, name)
    if close is not None:
        message = f"'{parts[0]}/{parts[1]}' is not a well-known action, but '{close}' is"
        problems.warning(uses.span, message, "action-name", f"Did you mean '{close}'?")


def check_workflow(uses: Text, problems: Problems) -> None:
    """Tell a reference to a reusable workflow that has the wrong form."""
    reason = _local_mistake(uses.value) if _is_local(uses.value) else _remote_mistake(uses.value)
    if reason:
        message = f"Invalid workflow reference '{uses.value}': {reason}"
        problems.error(uses.span, message, "uses")


def _remote(uses: str) -> list[str]:
    """Return owner, repository and path of `owner/repository/path@ref`; nothing for other forms."""
    path, at, ref = uses.partition("@")
    parts = [part for part in _SEPARATORS.split(path) if part]
    return parts if at and ref and "@" not in ref and len(parts) >= 2 else []


def _form_hint(uses: str) -> str:
    if "@" not in uses and "/" in uses:
        return f"Name a version: '{uses}@...', or './{uses}' for a folder."
    return ""


def _meant(owner: str, name: str) -> str | None:
    """Return the well-known action that a name is a slip of: one half right, the other nearly.

    A known name under a wholly different owner is a fork, not a slip.
    """
    for known in NAMES_BY_OWNER.get(owner, ()):
        if _near(name, known):
            return f"{owner}/{known}"
    for known in OWNERS_BY_NAME.get(name, ()):
        if _near(owner, known):
            return f"{known}/{name}"
    return None


def _near(one: str, other: str) -> bool:
    """Return whether two words differ by at most two typed letters."""
    if abs(len(one) - len(other)) > _SLIPS:
        return False
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        previous, row[0] = row[0], at
        for place, wanted in enumerate(other, 1):
            cost = min(row[place] + 1, row[place - 1] + 1, previous + (letter != wanted))
            previous, row[place] = row[place], cost
    return row[-1] <= _SLIPS


def _is_local(uses: str) -> bool:
    return uses.startswith(("./", SELF_REPOSITORY))


def _local_mistake(uses: str) -> str:
    itself = uses.startswith(SELF_REPOSITORY)
    path = uses[2:]
    if not path.startswith((f"{_FOLDER}/", f"{_LAB}/")):
        kind = "self repository workflows" if itself else "local workflow references"
        return f"{kind} must be rooted in '{_FOLDER}'"
    if "@" in uses:
        kind = "self repository workflows" if itself else "local workflows"
        return f"cannot specify version when calling {kind}"
    return _file_mistake(path)


def _remote_mistake(uses: str) -> str:
    path, _, version = uses.partition("@")
    if not version:
        return "no version specified"
    if "@" in version:
        return "too many '@' in workflow reference"
    folder = re.search(r"\.github/workflows(-lab)?/", path)
    if folder is None:
        return f"references to workflows must be rooted in '{_FOLDER}'"
    return (
        _repository_mistake([part for part in path[: folder.start()].split("/") if part])
        or _version_mistake(version)
        or _file_mistake(path[folder.start() :])
    )


def _repository_mistake(names: list[str]) -> str:
    if len(names) != 2:
        return (
            "references to workflows must be prefixed with format 'owner/repository/' or './' "
            "for local workflows"
        )
    if not _NAME.fullmatch(names[0]):
        return "owner name must be a valid repository owner name"
    return "" if _NAME.fullmatch(names[1]) else "repository name is invalid"


def _file_mistake(path: str) -> str:
    parts = path.split("/")
    if len(parts) != 3:
        return f"workflows must be defined at the top level of the {_FOLDER}/ directory"
    if not parts[2].endswith((".yml", ".yaml")):
        return "workflow file should have either a '.yml' or '.yaml' file extension"
    return "invalid workflow file name" if parts[2] in {".yml", ".yaml"} else ""


def _version_mistake(version: str) -> str:
    for sequence in _FORBIDDEN:
        if sequence in version:
            return f"invalid character '{sequence}' in version"
    if version[0] in "/." or version[-1] in "/.":
        return "version cannot begin or end with a slash '/' or a dot '.'"
    if any(part.startswith(".") or part.endswith(".lock") for part in version.split("/")):
        return f"invalid version: {version}"
    if _CONTROL.search(version):
        return "version cannot have ASCII control characters"
    return "version cannot have whitespace" if re.search(r"\s", version) else ""
