"""What every source of secrets does: files, and the fake."""

from __future__ import annotations

from pathlib import Path

import pytest

from trunkline.adapters.dotenv import read
from trunkline.adapters.secrets.files import FileSecrets, Given
from trunkline.adapters.secrets.memory import MemorySecrets
from trunkline.ports.secrets import Secrets

SECRETS = {"": {"token": "base", "OTHER": "o=1"}, "production": {"Token": "prod", "more": "m"}}
VARIABLES = {"": {"region": "eu"}, "production": {"REGION": "us"}}


@pytest.fixture(params=["files", "memory"])
def secrets(request: pytest.FixtureRequest, tmp_path: Path) -> Secrets:
    if request.param == "memory":
        return MemorySecrets(SECRETS, VARIABLES)
    for name, layers in ((".secrets", SECRETS), (".vars", VARIABLES)):
        for environment, values in layers.items():
            text = "".join(f"{key}={value}\n" for key, value in values.items())
            (tmp_path / f"{name}.{environment}".rstrip(".")).write_text(text)
    return FileSecrets(Given(str(tmp_path / ".secrets")), Given(str(tmp_path / ".vars")), read)


def test_names_are_in_upper_case_and_sorted(secrets: Secrets) -> None:
    assert secrets.names() == ("OTHER", "TOKEN")
    assert secrets.names("production") == ("MORE", "OTHER", "TOKEN")


def test_an_environment_goes_over_the_base(secrets: Secrets) -> None:
    assert secrets.values() == {"TOKEN": "base", "OTHER": "o=1"}
    assert secrets.values("production") == {"TOKEN": "prod", "OTHER": "o=1", "MORE": "m"}


def test_an_environment_without_secrets_has_the_base(secrets: Secrets) -> None:
    assert secrets.values("staging") == secrets.values()


def test_environments_compare_without_case(secrets: Secrets) -> None:
    assert secrets.values("Production") == secrets.values("production")


@pytest.mark.parametrize("environment", ["review/1", "../x", "\0"])
def test_an_environment_may_have_any_name(secrets: Secrets, environment: str) -> None:
    assert secrets.values(environment) == secrets.values()


def test_variables_are_layered_alike(secrets: Secrets) -> None:
    assert secrets.variables() == {"REGION": "eu"}
    assert secrets.variables("production") == {"REGION": "us"}
