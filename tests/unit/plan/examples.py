"""Repositories and workflows that the plan's tests share."""

from __future__ import annotations

from trunkline.expr.template import Expression, Literal
from trunkline.plan.facts import Commit, Person, PullFacts, PushFacts, RepositoryFacts, Tag
from trunkline.workflow.model import Job, RunStep, Trigger, Workflow

HEAD = "a" * 40
BEFORE = "b" * 40
BASE = "c" * 40
ADA = Person("Ada Byron", "ada@example.org")

COMMIT = Commit(
    sha=HEAD,
    message="Teach it to count\n\nUp to ten.",
    author=ADA,
    committer=ADA,
    timestamp="2026-01-02T03:04:05+01:00",
    tree="d" * 40,
    added=("new.py",),
    modified=("src/app.py",),
    removed=("old.py",),
)

FACTS = RepositoryFacts(
    owner="octo",
    name="engine",
    actor="ada",
    remote_url="https://github.com/octo/engine.git",
    head=COMMIT,
    head_ref="refs/heads/topic",
    default_branch="main",
    default_sha=BASE,
    latest_tag=Tag("v1.2.3", BASE),
    user=ADA,
    push=PushFacts(
        before=BEFORE,
        upstream_tip=BEFORE,
        commits=(COMMIT,),
        changed_files=("new.py", "old.py", "src/app.py"),
    ),
    pull=PullFacts(
        base_branch="main",
        base_sha=BASE,
        merge_base=BASE,
        commits=(COMMIT,),
        changed_files=("src/app.py",),
    ),
)


def workflow(*triggers: Trigger, file: str = ".github/workflows/ci.yml") -> Workflow:
    """A workflow of one small job with these triggers."""
    step = RunStep(id="__run", run=Literal("true"), condition=Expression("success()"))
    job = Job(
        id="build",
        condition=Expression("success()"),
        runs_on=Literal("ubuntu-latest"),
        steps=(step,),
    )
    return Workflow(file=file, triggers=triggers, jobs=(job,))
