"""An AWS buildspec's way to push: `aws ecr get-login`, `docker build`, `docker push`, none of it to AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import Place, assert_no_traceback, missing
from tests.docker_engine import Engine
from tests.repositories import repository

ACCOUNT = "123456789012"
SERVER = f"{ACCOUNT}.dkr.ecr.eu-north-1.amazonaws.com"
WORKFLOW = f"""
name: Deliver
on: push
env:
  AWS_ACCESS_KEY_ID: rehearsal
  AWS_SECRET_ACCESS_KEY: ${{{{ secrets.AWS_SECRET_ACCESS_KEY }}}}
  AWS_DEFAULT_REGION: eu-north-1
  AWS_ACCOUNT_ID: "{ACCOUNT}"
  IMAGE_REPO_NAME: pycalc
  IMAGE_TAG: latest
jobs:
  deliver:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo "$AWS_BIN" >> "$GITHUB_PATH"
      - name: Log in
        run: $(aws ecr get-login --no-include-email --region $AWS_DEFAULT_REGION)
      - name: Build
        run: |
          docker build -t $IMAGE_REPO_NAME:$IMAGE_TAG .
          docker tag $IMAGE_REPO_NAME:$IMAGE_TAG {SERVER}/$IMAGE_REPO_NAME:$IMAGE_TAG
      - name: Push
        run: docker push {SERVER}/$IMAGE_REPO_NAME:$IMAGE_TAG
"""


@pytest.mark.registry
def test_a_push_to_ecr_stays_here(
    docked: Place, engine: Engine, busybox_image: str, aws: Path, cloud: str
):
    files = {
        ".github/workflows/deliver.yml": WORKFLOW,
        "Dockerfile": f"FROM {busybox_image}\nCOPY answer /\nCMD cat /answer\n",
        "answer": "42\n",
    }
    root = repository(docked.root / "pycalc", files)
    given = ["--env", f"AWS_BIN={aws}", "--env", f"AWS_ENDPOINT_URL={cloud}"]
    try:
        done = docked.run("run", "--plain", *given, "-s", "AWS_SECRET_ACCESS_KEY=no one", cwd=root)
    finally:
        for name in ("pycalc", f"{SERVER}/pycalc"):
            engine.forget(name)
    assert_no_traceback(done)
    assert done.code == 0, done.text
    wanted = ["deliver | Login Succeeded…", "deliver | …latest: digest: sha256:…"]
    assert not missing(wanted, done.out.splitlines()), done.text
    assert f"{SERVER}/pycalc" in docked.run("images", cwd=root).out
