"""What every source of parameters and secrets does: AWS (a server that answers for it), and the fake."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from trunkline.adapters.parameters.aws import AwsParameters
from trunkline.adapters.parameters.memory import MemoryParameters
from trunkline.base.errors import Unavailable
from trunkline.ports.parameters import Parameters

REGION = "eu-north-1"
OLD, NEW = '{"user": "ada"}', '{"user": "grace"}'


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, cloud: str) -> None:
    """Have the credentials and the address of a cloud in the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)


def _aws(request: pytest.FixtureRequest) -> Parameters:
    request.getfixturevalue("credentials")
    systems = boto3.client("ssm", region_name=REGION)
    systems.put_parameter(Name="/app/password", Value="dolphin", Type="SecureString")
    systems.put_parameter(Name="plain", Value="a b\nc", Type="String")
    secrets = boto3.client("secretsmanager", region_name=REGION)
    secrets.create_secret(Name="login", SecretString=OLD)
    secrets.put_secret_value(SecretId="login", SecretString=NEW)
    secrets.create_secret(Name="bytes", SecretBinary=b"raw")
    return AwsParameters()


@pytest.fixture(params=[pytest.param("aws", marks=pytest.mark.registry), "memory"])
def parameters(request: pytest.FixtureRequest) -> Iterator[Parameters]:
    if request.param == "aws":
        yield _aws(request)
        return
    secrets = {("login", "AWSCURRENT"): NEW, ("login", "AWSPREVIOUS"): OLD}
    yield MemoryParameters(
        {"/app/password": "dolphin", "plain": "a b\nc"}, {**secrets, ("bytes", "AWSCURRENT"): "raw"}
    )


def test_parameters_are_decrypted(parameters: Parameters) -> None:
    assert parameters.parameter("/app/password", REGION) == "dolphin"
    assert parameters.parameter("plain", REGION) == "a b\nc"


def test_a_missing_parameter_is_told_in_the_cloud_s_words(parameters: Parameters) -> None:
    with pytest.raises(Unavailable, match=r"Decrypted Variables Error.*does not exist: /nowhere"):
        parameters.parameter("/nowhere", REGION)


def test_a_secret_is_the_current_version_unless_a_stage_says_otherwise(
    parameters: Parameters,
) -> None:
    assert parameters.secret("login", REGION) == NEW
    assert parameters.secret("login", REGION, stage="AWSCURRENT") == NEW
    assert parameters.secret("login", REGION, stage="AWSPREVIOUS") == OLD
    assert parameters.secret("bytes", REGION) == "raw"


def test_a_missing_secret_is_told_in_the_cloud_s_words(parameters: Parameters) -> None:
    words = "Secrets Manager Error Message: ResourceNotFoundException"
    with pytest.raises(Unavailable, match=words):
        parameters.secret("nobody", REGION)
    with pytest.raises(Unavailable, match=words):
        parameters.secret("login", REGION, stage="AWSNEXT")


@pytest.mark.registry
@pytest.mark.usefixtures("credentials")
def test_a_version_id_names_one_version() -> None:
    secrets = boto3.client("secretsmanager", region_name=REGION)
    version = secrets.create_secret(Name="token", SecretString="first")["VersionId"]
    secrets.put_secret_value(SecretId="token", SecretString="second")
    arn = secrets.describe_secret(SecretId="token")["ARN"]
    assert AwsParameters().secret(arn, REGION, version=version) == "first"


def test_without_credentials_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(Unavailable, match="Unable to locate credentials") as caught:
        AwsParameters().parameter("/app/password", REGION)
    assert "-s NAME=VALUE" in caught.value.hint
