"""Who a job is, as actions ask and as others check: @actions/core, PyJWT, AWS's command line."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.npm_packages import node, package
from tests.served_caches import ServedCaches, job, served
from trunkline.adapters.clock import FakeClock
from trunkline.adapters.identity_keys.memory import MemoryKeys
from trunkline.ports.job_services import ServicesJob

CLIENT = Path(__file__).with_name("identity_client.mjs")
AUDIENCE = "sts.amazonaws.com"
PATIENCE = 300
KEYS = MemoryKeys(FakeClock(time.time()))  # made once: keys take a while
URL, TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[ServedCaches]:
    with served(tmp_path / "state", keys=KEYS) as found:
        yield found


class Answer:
    """What was answered, or refused, with its headers and JSON."""

    def __init__(self, url: str, token: str = "", method: str = "GET") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(url, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
                self._take(response)
        except urllib.error.HTTPError as error:
            with error:
                self._take(error)

    def _take(self, response: Any) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self.record: dict[str, Any] = json.loads(response.read())


def token_for(services: ServedCaches, made: ServicesJob, audience: str = AUDIENCE) -> str:
    env = services.begin(made)
    told = Answer(f"{env[URL]}&audience={audience}", env[TOKEN])
    assert told.status == 200, told.record
    return str(told.record["value"])


def check(services: ServedCaches, token: str, audience: str = AUDIENCE) -> dict[str, Any]:
    """Return the claims of a token, when a library that is not ours takes it as an issuer's.

    Everything is found from the issuer's address, as OpenID Connect's clients do.
    """
    issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    assert issuer == services.url
    discovered = Answer(f"{issuer}/.well-known/openid-configuration").record
    assert discovered["issuer"] == issuer
    key = jwt.PyJWKClient(discovered["jwks_uri"]).get_signing_key_from_jwt(token)
    algorithms = discovered["id_token_signing_alg_values_supported"]
    needed = {"require": ["exp", "iat", "nbf", "sub", "jti"]}
    return dict(
        jwt.decode(token, key, algorithms, audience=audience, issuer=issuer, options=needed)  # type: ignore[arg-type]
    )


def test_a_token_that_others_take(services: ServedCaches) -> None:
    told = check(services, token_for(services, job()))
    assert told["sub"] == "repo:octo/demo:ref:refs/heads/main"
    assert told["repository"] == "octo/demo"
    assert told["run_id"] == "77"
    with pytest.raises(jwt.InvalidAudienceError):
        check(services, token_for(services, job()), "somebody-else")


def test_without_an_audience(services: ServedCaches) -> None:
    env = services.begin(job())
    told = Answer(env[URL], env[TOKEN])
    owner = "https://github.com/octo"
    assert check(services, told.record["value"], owner)["aud"] == owner
    assert told.headers["Cache-Control"] == "no-store"


def test_audiences_are_any_text(services: ServedCaches) -> None:
    audience = "api://AzureAD Token/Exchange?a=b&c=é"
    quoted = urllib.parse.quote(audience, safe="")
    told = check(services, token_for(services, job(), quoted), audience)
    assert told["aud"] == audience


class TestRefusals:
    """Who gets no token."""

    def test_without_permission(self, services: ServedCaches) -> None:
        env = services.begin(job(permissions={"contents": "read"}))
        told = Answer(env[URL], env[TOKEN])
        assert told.status == 403
        assert "id-token: write" in told.record["message"]

    def test_without_a_token(self, services: ServedCaches) -> None:
        assert Answer(services.begin(job())[URL]).status == 401

    def test_with_the_token_for_caches(self, services: ServedCaches) -> None:
        env = services.begin(job())
        assert Answer(env[URL], env["ACTIONS_RUNTIME_TOKEN"]).status == 401

    def test_the_token_for_identity_opens_no_caches(self, services: ServedCaches) -> None:
        env = services.begin(job())
        url = f"{services.url}/_apis/artifactcache/cache?keys=k&version=v"
        assert Answer(url, env[TOKEN]).status == 401

    @pytest.mark.parametrize("change", ["signature", "claims", "none"])
    def test_with_a_forged_token(self, services: ServedCaches, change: str) -> None:
        env = services.begin(job())
        head, body, signature = env[TOKEN].split(".")
        claims = jwt.decode(env[TOKEN], options={"verify_signature": False})
        forged = {
            "signature": f"{head}.{body}.{'A' * len(signature)}",
            "claims": f"{head}.{jwt.encode({**claims, 'job': 2}, 'x' * 32).split('.')[1]}.{signature}",
            "none": jwt.encode(claims, "", algorithm="none"),
        }
        assert Answer(env[URL], forged[change]).status == 401

    def test_when_the_job_has_ended(self, services: ServedCaches) -> None:
        env = services.begin(job())
        services.end(job())
        assert Answer(env[URL], env[TOKEN]).status == 401

    def test_a_job_whose_time_is_over(self, services: ServedCaches) -> None:
        env = services.begin(job(deadline=time.time() - 1))
        assert Answer(env[URL], env[TOKEN]).status == 401

    def test_an_audience_that_is_too_long(self, services: ServedCaches) -> None:
        env = services.begin(job())
        told = Answer(f"{env[URL]}&audience={'a' * 1025}", env[TOKEN])
        assert (told.status, told.record["message"][:12]) == (400, "the audience")

    def test_other_methods_and_paths(self, services: ServedCaches) -> None:
        env = services.begin(job())
        assert Answer(env[URL], env[TOKEN], "POST").status == 405
        assert Answer(f"{services.url}/.well-known/other").status == 404


def published(services: ServedCaches) -> list[str]:
    """Return the ids of the keys that tokens are checked with."""
    keys = Answer(f"{services.url}/.well-known/jwks").record["keys"]
    return [key["kid"] for key in keys]


def test_keys_change_and_tokens_stay_good(tmp_path: Path) -> None:
    clock = FakeClock(time.time())
    keys = MemoryKeys(clock, rotation=60.0, grace=600.0)
    with served(tmp_path, clock=clock, keys=keys) as services:
        old = token_for(services, job())
        clock.advance(60)
        new = token_for(services, job())
        kids = [jwt.get_unverified_header(token)["kid"] for token in (new, old)]
        assert published(services) == kids
        clock.advance(540)
        assert published(services)[1:] == kids
        clock.advance(60)
        assert kids[1] not in published(services)


@pytest.mark.registry
@pytest.mark.parametrize("runtime", ["20", "24"])
@pytest.mark.parametrize("major", ["3", "2", "1"])
class TestToolkit:
    """`getIDToken` of @actions/core."""

    def ask(
        self, env: Mapping[str, str], major: str, runtime: str, audience: str = AUDIENCE
    ) -> list[str]:
        folder = package("@actions/core", major)
        done = subprocess.run(
            [node(runtime), CLIENT, folder, audience],
            env={"PATH": os.environ["PATH"], **env},
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.stdout.splitlines()

    def test_it_gets_a_token(self, services: ServedCaches, major: str, runtime: str) -> None:
        *said, token = self.ask(services.begin(job()), major, runtime)
        assert check(services, token)["sub"] == "repo:octo/demo:ref:refs/heads/main"
        assert f"::add-mask::{token}" in said

    def test_it_says_why_not(self, services: ServedCaches, major: str, runtime: str) -> None:
        env = services.begin(job(permissions={}))
        told = "\n".join(self.ask(env, major, runtime))
        assert "\nrefused: " in told
        assert "the job has no permission 'id-token: write'" in told


@pytest.mark.registry
class TestAws:
    """What aws-actions/configure-aws-credentials does, at a server that answers for AWS."""

    ROLE = "arn:aws:iam::123456789012:role/deploy"

    def call(self, aws: Path, cloud: str, env: Mapping[str, str], *args: str) -> dict[str, Any]:
        done = subprocess.run(
            [aws / "aws", *args, "--output", "json"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "AWS_ENDPOINT_URL_STS": cloud,
                "AWS_DEFAULT_REGION": "eu-central-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                **env,
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def test_a_role_for_a_token(self, services: ServedCaches, aws: Path, cloud: str) -> None:
        token = token_for(services, job())
        assumed = self.call(
            aws,
            cloud,
            {},
            "sts",
            "assume-role-with-web-identity",
            "--no-sign-request",
            f"--role-arn={self.ROLE}",
            "--role-session-name=GitHubActions",
            "--duration-seconds=3600",
            f"--web-identity-token={token}",
        )
        found = assumed["Credentials"]
        env = {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }
        who = self.call(aws, cloud, env, "sts", "get-caller-identity")
        assert who["Arn"] == "arn:aws:sts::123456789012:assumed-role/deploy/GitHubActions"
        assert who["Account"] == assumed["AssumedRoleUser"]["Arn"].split(":")[4]

    def test_a_token_in_a_file(
        self, services: ServedCaches, aws: Path, cloud: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "token"
        file.write_text(token_for(services, job()))
        env = {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
            "AWS_ROLE_ARN": self.ROLE,
            "AWS_ROLE_SESSION_NAME": "GitHubActions",
        }
        who = self.call(aws, cloud, env, "sts", "get-caller-identity")
        assert who["Arn"].endswith(":assumed-role/deploy/GitHubActions")
