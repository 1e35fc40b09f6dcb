"""The environment of a build: parameters, secrets, and the programs of CodeBuild's images."""

from __future__ import annotations

import json

from trunkline.adapters.actions.codebuild.build_action import BuildAction
from trunkline.adapters.actions.codebuild.programs import PROGRAMS
from trunkline.adapters.toolkit.inputs import Inputs
from trunkline.ports.actions import ActionCall, ActionFailed, ActionJob


class Environment(BuildAction):
    """Sets variables from where their values are kept; every value is a secret from then on."""

    inputs = frozenset({"parameter-store", "secrets-manager"}) | {
        f"value-{number}" for number in range(200)
    }

    def main(self, call: ActionCall, job: ActionJob) -> None:
        """Fetch the values. Raises ActionFailed, Unavailable."""
        inputs = Inputs(call, {})
        parameters, secrets = inputs.lines("parameter-store"), inputs.lines("secrets-manager")
        region = call.env.get("AWS_REGION", "")
        for number, line in enumerate([*parameters, *secrets]):
            name, _, place = line.partition("=")
            own = call.inputs.get(f"value-{number}", "")
            if number < len(parameters):
                value = own or self._world.parameters().parameter(place, region)
                where = "this machine's secrets" if own else f"parameter {place}"
            else:
                value, where = self._secret(place, own, region)
            job.mask([value])
            job.set_env(name, value)
            job.log(f"{name} comes from {where}")
        folder = f"{job.layout.temp}/_codebuild"
        for program, text in PROGRAMS.items():
            job.sandbox.put(f"{folder}/{program}", text.encode(), 0o755)
        job.add_path(folder)
        job.set_env("CODEBUILD_START_TIME", f"{round(self._world.clock.now() * 1000)}")

    def _secret(self, place: str, own: str, region: str) -> tuple[str, str]:
        name, json_key, stage, version = place.rsplit(":", 3)
        text = own
        if not own:
            text = self._world.parameters().secret(name, region, stage=stage, version=version)
        where = "this machine's secrets" if own else f"secret {name}"
        return (_member(text, json_key, name) if json_key else text), where


def _member(text: str, key: str, secret: str) -> str:
    """Return a member of a secret that is a JSON object. Raises ActionFailed."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or key not in found:
        raise ActionFailed(
            f"Secrets Manager Error Message: the secret '{secret}' has no JSON key '{key}'"
        )
    value = found[key]
    return value if isinstance(value, str) else json.dumps(value)
