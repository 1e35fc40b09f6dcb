"""Parameters of AWS Systems Manager and secrets of AWS Secrets Manager, through boto3."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from trunkline.base.errors import Unavailable

NO_CREDENTIALS = (
    "Give the value with -s NAME=VALUE or in .secrets, or give this command AWS credentials "
    "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile)."
)


class AwsParameters:
    """Asks AWS with the credentials that the caller's environment and profile hold."""

    def parameter(self, name: str, region: str) -> str:
        """Return a parameter, decrypted. Raises Unavailable."""
        try:
            found = self._client("ssm", region).get_parameters(Names=[name], WithDecryption=True)
        except (BotoCoreError, ClientError) as error:
            raise _refusal("Decrypted Variables Error", error) from error
        if not found["Parameters"]:
            raise Unavailable(
                f"Decrypted Variables Error Message: parameter does not exist: {name}",
                hint=NO_CREDENTIALS,
            )
        value: str = found["Parameters"][0]["Value"]
        return value

    def secret(self, name: str, region: str, *, stage: str = "", version: str = "") -> str:
        """Return a secret's text. Raises Unavailable."""
        chosen = {"VersionStage": stage, "VersionId": version}
        given = {key: value for key, value in chosen.items() if value}
        try:
            found = self._client("secretsmanager", region).get_secret_value(SecretId=name, **given)
        except (BotoCoreError, ClientError) as error:
            raise _refusal("Secrets Manager Error", error) from error
        if "SecretString" in found:
            text: str = found["SecretString"]
            return text
        return bytes(found["SecretBinary"]).decode("utf-8", "surrogateescape")

    def _client(self, service: str, region: str) -> Any:
        session = boto3.session.Session()
        if session.get_credentials() is None:
            raise Unavailable("Unable to locate credentials of AWS.", hint=NO_CREDENTIALS)
        return session.client(service, region_name=region or session.region_name or "us-east-1")


def _refusal(what: str, error: Exception) -> Unavailable:
    if isinstance(error, ClientError):
        told = error.response["Error"]
        return Unavailable(
            f"{what} Message: {told['Code']}: {told['Message']}", hint=NO_CREDENTIALS
        )
    return Unavailable(f"{what} Message: {error}", hint=NO_CREDENTIALS)
