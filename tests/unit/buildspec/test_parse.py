"""Buildspecs as written: every key read, every mistake told with its place."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.base.diagnostics import Severity
from trunkline.buildspec.model import Buildspec, Command, OnFailure, Overrides, SecretReference
from trunkline.buildspec.parse import parse
from trunkline.buildspec.results import leaves

BUILD = "phases: {build: {commands: [make]}}\n"


def read(text: str) -> Buildspec:
    """Return a buildspec that must be right."""
    found, diagnostics = parse(textwrap.dedent(text), "buildspec.yml")
    assert found is not None, [one.text() for one in diagnostics]
    return found


def mistakes(text: str) -> list[str]:
    """Return the errors of a buildspec that must be wrong, as `line:column message`."""
    found, diagnostics = parse(textwrap.dedent(text), "buildspec.yml")
    errors = [one for one in diagnostics if one.severity is Severity.ERROR]
    assert (found is None) == bool(errors)
    return [f"{one.span.line}:{one.span.column} {one.message}" for one in errors]


def test_all_of_env() -> None:
    """Variables are text as written; references name a secret's parts."""
    found = read(
        """\
        version: 0.2
        run-as: builder
        env:
          shell: bash
          variables: {PORT: 8080, FLAG: yes, NAME: "a b"}
          parameter-store: {PASSWORD: /app/password}
          secrets-manager:
            TOKEN: app
            KEY: "arn:aws:secretsmanager:us-east-1:123456789012:secret:app-1:key:AWSPREVIOUS"
          exported-variables: [NAME]
          git-credential-helper: yes
        proxy: {upload-artifacts: yes, logs: no}
        phases:
          build:
            commands: make
        """.replace("commands: make", "commands: [make]")
    )
    assert found.run_as == "builder"
    assert found.env.shell == "bash"
    assert found.env.variables == {"PORT": "8080", "FLAG": "yes", "NAME": "a b"}
    assert found.env.parameters == {"PASSWORD": "/app/password"}
    token, key = found.env.secrets["TOKEN"], found.env.secrets["KEY"]
    assert (token.id, token.json_key, token.stage, token.version) == ("app", "", "", "")
    assert key.id == "arn:aws:secretsmanager:us-east-1:123456789012:secret:app-1"
    assert (key.json_key, key.stage) == ("key", "AWSPREVIOUS")
    assert isinstance(key, SecretReference)
    assert found.env.exported == ("NAME",)
    assert found.env.git_credential_helper
    assert (found.proxy.upload_artifacts, found.proxy.logs) == (True, False)


def test_version_one_has_other_names() -> None:
    """0.1 calls `env` `environment_variables`, and `variables` `plaintext`."""
    found = read("version: 0.1\nenvironment_variables: {plaintext: {A: b}}\n" + BUILD)
    assert (found.version, found.env.variables) == ("0.1", {"A": "b"})


def test_phases_come_in_the_order_they_run() -> None:
    """Whatever the file's order; commands may have several lines."""
    found = read(
        """\
        version: 0.2
        phases:
          post_build: {commands: [echo done]}
          build:
            run-as: other
            on-failure: CONTINUE
            commands:
              - |
                echo one
                echo two
              - echo 3
              - 4
            finally: [echo last]
          install: {runtime-versions: {python: 3.11, docker: 18}}
        """
    )
    assert [phase.name for phase in found.phases] == ["install", "build", "post_build"]
    install, build, _ = found.phases
    assert install.runtimes == {"python": "3.11", "docker": "18"}
    assert [command.text for command in build.commands] == [
        "echo one\necho two\n",
        "echo 3",
        "4",
    ]
    assert isinstance(build.finally_[0], Command)
    assert build.on_failure == OnFailure(action="CONTINUE")
    assert build.run_as == "other"


@pytest.mark.parametrize(
    ("written", "action", "count", "pattern"),
    [
        ("abort", "ABORT", 0, ".*"),
        ("RETRY", "RETRY", 3, ".*"),
        ("RETRY-4", "RETRY", 4, ".*"),
        ("Retry-0", "RETRY", 0, ".*"),
        ("RETRY-invalid+", "RETRY", 3, "invalid+"),
        ("Retry-3-.*connection timed out.*", "RETRY", 3, ".*connection timed out.*"),
    ],
)
def test_what_follows_a_failure(written: str, action: str, count: int, pattern: str) -> None:
    """The page's own examples: a count, a pattern, or both."""
    found = read(
        f"version: 0.2\nphases: {{build: {{on-failure: '{written}', commands: [make]}}}}\n"
    )
    assert found.phases[0].on_failure == OnFailure(action=action, count=count, pattern=pattern)


def test_results() -> None:
    """Reports, artifacts with secondary ones, cache."""
    found = read(
        """\
        version: 0.2
        phases: {build: {commands: [make]}}
        reports:
          tests: {files: ['**/*.xml'], base-directory: out, discard-paths: yes}
          coverage: {files: [cov.xml], file-format: CoberturaXml}
        artifacts:
          files: ['**/*']
          name: app-$(date +%Y)
          base-directory: 'my-build*'
          discard-paths: yes
          exclude-paths: '**/.*'
          enable-symlinks: yes
          s3-prefix: releases
          secondary-artifacts:
            docs: {files: [docs/*], name: manual}
        cache:
          key: npm-$(codebuild-hash-files package-lock.json)
          fallback-keys: [npm-]
          action: restore
          paths: ['node_modules/**/*']
        """
    )
    tests, coverage = found.reports
    assert (tests.format, tests.discard_paths) == ("JUNITXML", True)
    assert coverage.format == "COBERTURAXML"
    assert found.artifacts is not None
    assert found.artifacts.exclude_paths == ("**/.*",)
    assert found.artifacts.enable_symlinks
    assert found.artifacts.secondary[0].identifier == "docs"
    assert found.cache is not None
    assert (found.cache.action, found.cache.fallback_keys) == ("restore", ("npm-",))


def test_batches() -> None:
    """A graph of tasks; a matrix with static and dynamic parts; a fan-out."""
    graph = read(
        """\
        version: 0.2
        batch:
          fast-fail: true
          build-graph:
            - {identifier: one, env: {variables: {A: 1}, image: 'alpine:3', privileged-mode: true}}
            - {identifier: two, buildspec: other.yml, depend-on: [one], ignore-failure: true}
        phases: {build: {commands: [make]}}
        """
    ).batch
    assert graph is not None
    assert graph.fast_fail
    one, two = graph.tasks
    assert one.env == Overrides(variables={"A": "1"}, image="alpine:3", privileged_mode=True)
    assert (two.buildspec, two.depends_on, two.ignore_failure) == ("other.yml", ("one",), True)
    matrix = read(
        """\
        version: 0.2
        batch:
          build-matrix:
            static: {ignore-failure: true, env: {variables: {S: s}}}
            dynamic: {buildspec: [a.yml, b.yml], env: {variables: {V: [1, 2]}, image: [x, y]}}
        phases: {build: {commands: [make]}}
        """
    ).batch
    assert matrix is not None
    assert matrix.matrix is not None
    assert matrix.matrix.variables == {"V": ("1", "2")}
    assert (matrix.matrix.images, matrix.matrix.buildspecs) == (("x", "y"), ("a.yml", "b.yml"))
    fanout = read("version: 0.2\nbatch: {build-fanout: {parallelism: 5}}\n" + BUILD).batch
    assert fanout is not None
    assert fanout.fanout is not None
    assert fanout.fanout.parallelism == 5


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[1]", "1:1 A buildspec is a mapping: version, phases, ..."),
        (BUILD, "1:1 Required key is missing: version"),
        ("version: 1\n" + BUILD, "1:10 Invalid version '1': 0.1 or 0.2 is expected"),
        ("version: 0.2\n", "1:1 Required key is missing: phases"),
        ("version: 0.2\nphases: {}\n", "2:9 At least one phase is expected"),
        (
            "version: 0.2\nphases: {biuld: {commands: [x]}}\n",
            (
                "2:17 Invalid buildspec phase name: biuld. "
                "Expecting: install, pre_build, build, post_build"
            ),
        ),
        (
            "version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b\n",
            (
                "5:9 Expected Commands[0] to be of string type: found subkeys instead at line 5, "
                "value of the key tag on line 4 might be empty"
            ),
        ),
        (
            "version: 0.2\nphases: {build: {}}\n",
            "2:17 Required key is missing: phases/build/commands",
        ),
        (
            "version: 0.2\nphases: {build: {on-failure: RETRY-101, commands: [x]}}\n",
            "2:30 Invalid on-failure: a retry count is from 0 to 100, not 101",
        ),
        (
            "version: 0.2\nphases: {build: {on-failure: 'RETRY-(', commands: [x]}}\n",
            (
                "2:30 Invalid on-failure: '(' is no regular expression: "
                "missing ), unterminated subpattern at position 0"
            ),
        ),
        ("version: 0.2\nfoo: 1\n" + BUILD, "2:1 Unknown key 'foo'"),
        (
            "version: 0.2\nartifacts: {files: [a/../../b]}\n" + BUILD,
            "2:21 'a/../../b' leaves the source folder",
        ),
        (
            "version: 0.2\ncache: {paths: [x], action: keep}\n" + BUILD,
            "2:29 Invalid value 'keep' of cache/action: restore or save is expected",
        ),
        (
            "version: 0.2\nenv: {shell: powershell.exe}\n" + BUILD,
            "2:14 The shell 'powershell.exe' is for Windows builds, which can't run here",
        ),
        (
            "version: 0.2\nbatch: {build-list: [], build-fanout: {parallelism: 2}}\n" + BUILD,
            (
                "2:8 A batch is one of build-list, build-graph, build-matrix, build-fanout: "
                "found build-list and build-fanout"
            ),
        ),
        (
            "version: 0.2\nbatch: {build-graph: [{identifier: a, depend-on: [b]}, "
            "{identifier: b, depend-on: [a]}]}\n" + BUILD,
            "2:23 The builds a, b depend on each other",
        ),
        (
            "version: 0.2\nbatch: {build-graph: [{identifier: a, depend-on: [c]}]}\n" + BUILD,
            "2:23 'a' depends on the unknown build 'c'",
        ),
    ],
)
def test_mistakes(text: str, wanted: str) -> None:
    """One mistake, told once, where it is."""
    assert mistakes(text) == [wanted]


def test_all_mistakes_at_once_in_the_order_of_the_file() -> None:
    """A file is mended in one go."""
    found = mistakes(
        """\
        version: 0.2
        env: {shell: zsh}
        phases:
          build: {comands: [x]}
        reports: {tests: {file-format: junit}}
        cache: 5
        """
    )
    assert [one.split(" ", 1)[0] for one in found] == [
        "2:14",
        "4:10",
        "4:11",
        "5:18",
        "5:32",
        "6:8",
    ]


def test_names_that_can_not_be_exported_are_told() -> None:
    """A warning leaves the buildspec alone."""
    text = (
        "version: 0.2\nenv: {exported-variables: [AWS_KEY, S], secrets-manager: {S: s}, "
        "variables: {CODEBUILD_X: 1}}\n" + BUILD
    )
    found, diagnostics = parse(text, "buildspec.yml")
    assert found is not None
    assert {one.rule for one in diagnostics} == {"exported-variable", "reserved-name"}
    assert len(diagnostics) == 3


@pytest.mark.parametrize(
    ("path", "wanted"), [("a/../b", False), ("..", True), ("a/../..", True), ("./a", False)]
)
def test_paths_that_leave(path: str, wanted: bool) -> None:  # noqa: FBT001 - a table's column
    """Only climbing above the start counts."""
    assert leaves(path) is wanted


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader raise."""
    found, diagnostics = parse(text, "buildspec.yml")
    assert found is not None or diagnostics


@given(
    st.dictionaries(
        st.sampled_from(["version", "env", "phases", "batch", "reports", "artifacts", "cache"]),
        st.dictionaries(
            st.sampled_from(
                ["build", "shell", "variables", "build-list", "build-matrix", "files", "paths"]
            ),
            _VALUES,
            max_size=4,
        )
        | _VALUES,
    )
)
def test_any_structure_is_read_or_refused(tree: dict[str, object]) -> None:
    """JSON is YAML: known keys with any values never make the reader raise."""
    written = repr(tree).replace("None", "null").replace("True", "true")
    found, diagnostics = parse(written.replace("False", "false"), "buildspec.yml")
    assert found is not None or diagnostics
