"""A buildspec as the workflow it stands for: a build is a job, a phase is a session step.

Rules: AWS CodeBuild User Guide, pages build-spec-ref, batch-build-buildspec,
view-build-details-phases and build-env-ref-env-vars. What AWS knows of a build's project comes
from the event, from `vars`, or has a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from trunkline.buildspec.batch import FANOUT
from trunkline.buildspec.model import Artifacts, Batch, Buildspec, OnFailure, Overrides, Phase, Task
from trunkline.expr.template import Expression, Literal, Token
from trunkline.expr.template import Mapping as MappingToken
from trunkline.plan.codebuild_variables import BUILD, PROJECT, literal_text, unless_given
from trunkline.workflow.events import EVENTS
from trunkline.workflow.model import (
    Job,
    Permissions,
    Retry,
    SessionStep,
    Step,
    Text,
    Trigger,
    UsesStep,
    Workflow,
)

LABEL = "ubuntu-latest"
# Images that only CodeBuild has: such builds run where the label says.
MANAGED = "aws/codebuild/"
SUCCEEDED = Expression("success()")
# A project's timeout, in minutes (AWS: one hour unless the project says otherwise).
TIMEOUT = Expression("fromJSON(vars.CODEBUILD_TIMEOUT_MINUTES || '60')")
# What git may do with the credentials of CodeBuild's helper, which builds have when they ask for it.
MAY_PUSH = Permissions(scopes=(("contents", "write"), ("packages", "read")))
# The phase of a batch that joins its artifacts, and the setting that asks for it.
COMBINE = "COMBINE_ARTIFACTS"
COMBINED = "(vars.CODEBUILD_COMBINE_ARTIFACTS || 'false')"
# A run of a buildspec can be started by any event, but not called.
_TRIGGERS = tuple(Trigger(event=name) for name in EVENTS if name != "workflow_call")
_VERSION_1 = "0.1"
# Runtimes that an action sets up: the action, its input, and what `latest` is there.
SETUPS = {
    "python": ("actions/setup-python@v5", "python-version", "3.x"),
    "nodejs": ("actions/setup-node@v4", "node-version", "latest"),
}
_VARIABLE = re.compile(r"\$\{?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}?")


def builds(spec: Buildspec) -> tuple[Task, ...]:
    """Return the builds that a buildspec starts; one without identifier when it is no batch."""
    batch = spec.batch
    if batch is None:
        return (Task(identifier=""),)
    if batch.matrix is not None:
        return tuple(_combinations(batch))
    if batch.fanout is not None:
        return tuple(_shards(batch.fanout.parallelism, ignore=batch.fanout.ignore_failure))
    return batch.tasks


def other_files(spec: Buildspec) -> tuple[tuple[str, Task], ...]:
    """Return the paths of other buildspecs that a batch names, each with one task that does."""
    found = {task.buildspec: task for task in builds(spec) if task.buildspec}
    return tuple(found.items())


def workflow_of(spec: Buildspec, others: Mapping[str, Buildspec]) -> Workflow:
    """Return the workflow that a buildspec stands for; `others` are those of `other_files`."""
    tasks = builds(spec)
    jobs = [_job(others.get(task.buildspec, spec), task, spec) for task in tasks]
    if spec.batch is not None and any(each.artifacts for each in (spec, *others.values())):
        jobs.append(_combination(jobs))
    return Workflow(
        file=spec.file,
        triggers=_TRIGGERS,
        jobs=tuple(jobs),
        env=mapping(PROJECT),
        fail_fast=spec.batch is not None and spec.batch.fast_fail,
    )


def _combinations(batch: Batch) -> Iterable[Task]:
    """Combine a matrix's lists, the first varying slowest; AWS numbers such builds."""
    matrix = batch.matrix
    if matrix is None:
        return
    rows: list[dict[str, str]] = [{}]
    vectors = {
        " buildspec": matrix.buildspecs,
        " image": matrix.images,
        " compute": matrix.compute_types,
        **matrix.variables,
    }
    for name, values in vectors.items():
        if values:
            rows = [{**row, name: value} for row in rows for value in values]
    for number, row in enumerate(rows):
        variables = {name: value for name, value in row.items() if not name.startswith(" ")}
        env = msgspec.structs.replace(
            matrix.static,
            variables={**matrix.static.variables, **variables},
            image=row.get(" image", matrix.static.image),
            compute_type=row.get(" compute", matrix.static.compute_type),
        )
        yield Task(
            identifier=f"build{number}",
            buildspec=row.get(" buildspec", matrix.static_buildspec),
            env=env,
            ignore_failure=matrix.ignore_failure,
            span=matrix.span,
        )


def _shards(parallelism: int, *, ignore: bool) -> Iterable[Task]:
    """Return equal builds; each learns its number for `codebuild-tests-run`."""
    for number in range(parallelism):
        variables = {
            "CODEBUILD_SHARD_INDEX": f"{number}",
            "CODEBUILD_SHARD_COUNT": f"{parallelism}",
        }
        yield Task(
            identifier=f"build{number}",
            env=Overrides(variables=variables),
            ignore_failure=ignore,
        )


def _job(spec: Buildspec, task: Task, batch: Buildspec) -> Job:
    needs = task.depends_on if batch.batch is not None and batch.batch.kind != FANOUT else ()
    image = "" if task.env.image.startswith(MANAGED) else task.env.image
    steps = BuildSteps(spec)
    return Job(
        id=task.identifier or "build",
        condition=SUCCEEDED,
        needs=tuple(Text(name, task.span) for name in needs),
        runs_on=Literal(LABEL, task.span),
        env=mapping(build_env(spec, task)),
        container=Literal(image, task.span) if image else None,
        timeout_minutes=TIMEOUT,
        permissions=MAY_PUSH if spec.env.git_credential_helper else None,
        continue_on_error=Literal(True) if task.ignore_failure else None,  # noqa: FBT003 - a token
        outputs=_outputs(spec),
        steps=tuple(steps.all()),
        span=task.span,
    )


def build_env(spec: Buildspec, task: Task) -> dict[str, Token]:
    """Return the variables of a build, CodeBuild's and the buildspec's."""
    env = {
        **BUILD,
        "CODEBUILD_BUILD_IMAGE": Literal(task.env.image or f"{MANAGED}standard:7.0"),
        **{name: unless_given(name, value) for name, value in spec.env.variables.items()},
        **{name: unless_given(name, value) for name, value in task.env.variables.items()},
    }
    if task.identifier:
        env["CODEBUILD_BATCH_BUILD_IDENTIFIER"] = Literal(task.identifier)
    return env


def _combination(jobs: Sequence[Job]) -> Job:
    """Return the job that joins a batch's artifacts, which a project's setting asks for."""
    builds = {"builds": _lines(job.id for job in jobs)}
    return Job(
        id=COMBINE,
        condition=Expression(f"success() && {COMBINED} == 'true'"),
        needs=tuple(Text(job.id, job.span) for job in jobs),
        runs_on=Literal(LABEL),
        steps=(_uses("combine", COMBINE, "trunkline/codebuild-combine", builds),),
        span=jobs[-1].span,
    )


def _outputs(spec: Buildspec) -> Token | None:
    """Return the exported variables: what the last phase that ran left them at."""
    names = [phase.name for phase in reversed(spec.phases)]
    found = {
        name: Expression(" || ".join(f"steps.{phase}.outputs['{name}']" for phase in names))
        for name in _exported(spec)
    }
    return mapping(found) if found else None


def _exported(spec: Buildspec) -> tuple[str, ...]:
    """Return the variables that may leave the build: no secret, nothing of AWS's own."""
    env = spec.env
    secret = {*env.parameters, *env.secrets}
    return tuple(
        name for name in env.exported if name not in secret and not name.startswith("AWS_")
    )


class BuildSteps:
    """The steps of one build, in CodeBuild's order."""

    def __init__(self, spec: Buildspec) -> None:
        self._spec = spec
        self._present = {phase.name: phase for phase in spec.phases}

    def all(self) -> Iterable[Step]:
        """Yield the steps."""
        yield _uses(
            "download_source", "DOWNLOAD_SOURCE", "actions/checkout@v4", {"fetch-depth": "0"}
        )
        yield self._environment()
        yield from self._restore()
        for phase in self._spec.phases:
            yield from self._runtimes(phase)
            yield self._phase(phase)
        yield from self._upload()
        yield from self._save()

    def _environment(self) -> Step:
        """Return the step that fetches parameters and secrets.

        What is given by hand (`--env`) comes first, then our own secrets, then AWS's.
        """
        env = self._spec.env
        wanted = {
            **{f"{name}={value}": (name, value) for name, value in env.parameters.items()},
            **{
                f"{name}={one.id}:{one.json_key}:{one.stage}:{one.version}": (name, one.id)
                for name, one in env.secrets.items()
            },
        }
        given: dict[str, Token | str] = {
            "parameter-store": _lines(list(wanted)[: len(env.parameters)]),
            "secrets-manager": _lines(list(wanted)[len(env.parameters) :]),
        }
        for number, names in enumerate(wanted.values()):
            own = f"env[{literal_text(names[0])}] || "
            own += " || ".join(f"secrets[{literal_text(name)}]" for name in names)
            given[f"value-{number}"] = Expression(own)
        return _uses("environment", "PROVISIONING", "trunkline/codebuild-environment", given)

    def _runtimes(self, phase: Phase) -> Iterable[Step]:
        """Yield the steps that choose runtimes; those that have an action of their own use it."""
        rest: dict[str, str] = {}
        for name, version in phase.runtimes.items():
            if name in SETUPS:
                action, key, latest = SETUPS[name]
                wanted = _named(latest if version.lower() == "latest" else version)
                yield _uses(f"runtime_{name}", f"Runtime {name}", action, {key: wanted})
            else:
                rest[name] = version
        if rest:
            versions = _lines(f"{name}={version}" for name, version in rest.items())
            given = {"versions": versions}
            yield _uses("runtimes", "Runtimes", "trunkline/codebuild-runtimes", given)

    def _phase(self, phase: Phase) -> Step:
        handling = phase.on_failure
        go_on = handling is not None and handling.action == "CONTINUE"
        return SessionStep(
            id=phase.name,
            phase=phase.name.upper(),
            name=Literal(phase.name.upper(), phase.span),
            condition=self._condition(phase.name),
            commands=tuple(Text(one.text, one.span) for one in phase.commands),
            finally_=tuple(Text(one.text, one.span) for one in phase.finally_),
            shell=self._spec.env.shell,
            user=phase.run_as or self._spec.run_as,
            isolated=self._spec.version == _VERSION_1,
            retry=_retry(handling),
            exported=_exported(self._spec),
            env=mapping({"CODEBUILD_BUILD_SUCCEEDING": self._succeeding(phase)}),
            continue_on_error=Literal(True) if go_on else None,  # noqa: FBT003 - a token
            span=phase.span,
        )

    def _succeeding(self, phase: Phase) -> Token:
        """Return whether no phase before this one has failed the build."""
        names = list(self._present)
        before = names[: names.index(phase.name)]
        if not before:
            return Literal("1")
        failed = " || ".join(f"steps.{name}.conclusion == 'failure'" for name in before)
        return Expression(f"({failed}) && '0' || '1'")

    def _condition(self, name: str) -> Expression:
        """Return when a phase runs: after a failed build only post_build does."""
        build = self._present.get("build")
        if name != "post_build" or build is None or _aborts(build):
            return SUCCEEDED
        return Expression("!cancelled() && steps.build.outcome != 'skipped'")

    def _after(self) -> Expression:
        """Return when artifacts are uploaded: always once the build phase was reached."""
        if not self._present:
            return SUCCEEDED
        reached = "build" if "build" in self._present else list(self._present)[-1]
        parts = ["!cancelled()", f"steps.{reached}.outcome != 'skipped'"]
        parts += [
            f"steps.{name}.outcome != 'failure'"
            for name, phase in self._present.items()
            if _aborts(phase)
        ]
        return Expression(" && ".join(parts))

    def _upload(self) -> Iterable[Step]:
        after, spec = self._after(), self._spec
        found = [spec.artifacts, *spec.artifacts.secondary] if spec.artifacts is not None else []
        names = _Evaluated("artifact_names", after)
        steps: list[Step] = []
        for number, report in enumerate(spec.reports):
            steps.append(
                _uses(
                    f"report_{number}",
                    f"Report {report.group}",
                    "trunkline/codebuild-report",
                    {
                        "group": names.of(report.group),
                        "files": names.of(_lines(report.files)),
                        "file-format": report.format,
                        "base-directory": names.of(report.base_directory),
                        "discard-paths": _yes(report.discard_paths),
                    },
                    after,
                )
            )
        for number, one in enumerate(found):
            if one.files:
                steps.append(_artifact(number, one, names, after))
        yield from names.steps(spec)
        yield from steps

    def _restore(self) -> Iterable[Step]:
        cache = self._spec.cache
        if cache is None:
            return
        keys = _Evaluated("cache_keys", SUCCEEDED)
        key, fallbacks = keys.of(cache.key), keys.of(_lines(cache.fallback_keys))
        yield from keys.steps(self._spec)
        yield _uses(
            "cache",
            "Restore cache",
            "trunkline/codebuild-cache",
            {
                "key": key,
                "fallback-keys": fallbacks,
                "paths": _lines(cache.paths),
                "action": cache.action,
            },
        )

    def _save(self) -> Iterable[Step]:
        cache = self._spec.cache
        if cache is None or cache.action == "restore":
            return
        yield _uses(
            "cache_save",
            "Save cache",
            "trunkline/codebuild-cache/save",
            {
                "key": Expression("steps.cache.outputs.key"),
                "hit": Expression("steps.cache.outputs.hit"),
                "paths": _lines(cache.paths),
            },
        )


class _Evaluated:
    """Texts in the shell's language that are known when the build's shell has read them."""

    def __init__(self, step_id: str, condition: Expression) -> None:
        self._id = step_id
        self._condition = condition
        self._texts: list[str] = []

    def of(self, text: str) -> Token:
        """Return the text, or what the shell will make of it."""
        if "$" not in text and "`" not in text:
            return Literal(text)
        self._texts.append(text)
        return Expression(f"steps.{self._id}.outputs.{self._name(len(self._texts) - 1)}")

    def steps(self, spec: Buildspec) -> Iterable[Step]:
        """Yield the step that evaluates them, if there are any."""
        if not self._texts:
            return
        quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in self._texts]
        yield SessionStep(
            id=self._id,
            phase="",
            name=Literal("Names"),
            condition=self._condition,
            commands=tuple(
                Text(f'{self._name(number)}="{text}"') for number, text in enumerate(quoted)
            ),
            shell=spec.env.shell,
            user=spec.run_as,
            exported=tuple(self._name(number) for number in range(len(quoted))),
        )

    def _name(self, number: int) -> str:
        return f"codebuild_{self._id}_{number}"


def _artifact(number: int, one: Artifacts, names: _Evaluated, after: Expression) -> Step:
    return _uses(
        f"artifact_{number}",
        f"UPLOAD_ARTIFACTS {one.identifier}".rstrip(),
        "trunkline/codebuild-artifacts",
        {
            "identifier": one.identifier,
            "name": names.of(one.name),
            "files": names.of(_lines(one.files)),
            "base-directory": names.of(one.base_directory),
            "exclude-paths": names.of(_lines(one.exclude_paths)),
            "discard-paths": _yes(one.discard_paths),
            "enable-symlinks": _yes(one.enable_symlinks),
            "s3-prefix": names.of(one.s3_prefix),
        },
        after,
    )


def _uses(
    step_id: str,
    name: str,
    action: str,
    given: Mapping[str, Token | str],
    condition: Expression = SUCCEEDED,
) -> UsesStep:
    inputs = {
        key: Literal(value) if isinstance(value, str) else value for key, value in given.items()
    }
    return UsesStep(
        id=step_id,
        uses=Text(action if "@" in action else f"{action}@v1"),
        name=Literal(name),
        condition=condition,
        with_=mapping(inputs),
    )


def _named(version: str) -> Token:
    """Return a runtime's version, which may be a variable."""
    found = _VARIABLE.fullmatch(version)
    return Expression(f"env.{found['name']}") if found else Literal(version)


def _retry(handling: OnFailure | None) -> Retry | None:
    if handling is None or handling.action != "RETRY":
        return None
    return Retry(count=handling.count, pattern=handling.pattern)


def _aborts(phase: Phase) -> bool:
    return phase.on_failure is not None and phase.on_failure.action == "ABORT"


def mapping(entries: Mapping[str, Token]) -> MappingToken:
    """Return a mapping of names to tokens."""
    return MappingToken(tuple((Literal(name), value) for name, value in entries.items()))


def _lines(values: Iterable[str]) -> str:
    return "\n".join(values)


def _yes(flag: bool) -> str:  # noqa: FBT001 - a value to write
    return "yes" if flag else "no"
