"""What can be told early about job containers, services and runner groups."""

from __future__ import annotations

from trunkline.document.problems import Problems
from trunkline.expr.template import Literal, Mapping, Token
from trunkline.workflow.tokens import entries, fields, has_expression, string
from trunkline.workflow.uses import DOCKER

_PREFIXES = ("org", "organization", "ent", "enterprise")


def check_container(token: Token | None, problems: Problems) -> None:
    """Tell a container without an image; `container: ''` runs the job without one."""
    if token is None or has_expression(token):
        return
    if string(token) != "":
        _check_image(token, problems)


def check_services(token: Token | None, problems: Problems) -> None:
    """Tell services without an image; one with an expression in it is checked later."""
    for _, _, service in entries(token):
        if not has_expression(service) and string(service) != "":
            _check_image(service, problems)


def _check_image(container: Token, problems: Problems) -> None:
    """Tell an image that is missing or only a prefix; an empty one is told by the reader."""
    image = string(container)
    if isinstance(container, Mapping) and not problems.is_marked(container.span):
        image = string(fields(container).get("image", Literal(DOCKER)))
    if image == DOCKER:
        hint = "Name one: 'image: node:22'."
        problems.error(container.span, "Container image cannot be empty", "container", hint)


def check_runs_on(token: Token | None, problems: Problems) -> None:
    """Tell a runner group whose prefix is not one of GitHub's."""
    group = fields(token).get("group")
    name = string(group)
    if group is None or name is None:
        return
    prefix, slash, rest = name.partition("/")
    if slash and ("/" in rest or prefix not in _PREFIXES):
        message = (
            f"Invalid runs-on group name '{name}'. Please use 'organization/' or 'enterprise/' "
            "prefix to target a single runner group."
        )
        problems.error(group.span, message, "runs-on")
    elif slash and not rest:
        problems.error(group.span, f"Invalid runs-on group name '{name}'.", "runs-on")
