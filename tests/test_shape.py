"""The shape of the source: sizes, names, docstrings, tables, start-up imports and import contracts."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trunkline.adapters.docker.presence import has_engine

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "trunkline"
FOLDERS = (PACKAGE, ROOT / "tests", ROOT / "benchmarks")
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*.py"))

LONGEST_FILE = 500
LONGEST_FUNCTION = 50
NAMES_THAT_SAY_NOTHING = {
    *("common", "helper", "helpers", "lib", "manager", "managers", "misc", "stuff", "tools"),
    *("util", "utilities", "utils"),
}
TABLES = {
    "VERBS": "trunkline.cli.main",
    "VIEWS": "trunkline.cli.view_choice",
    "ADAPTERS": "trunkline.app.adapter_table",
    "NATIVE": "trunkline.adapters.actions",
}
TABLE_ENTRY = re.compile(r"trunkline(\.\w+)+:\w+")

# What a one-step run on no terminal has no use for, and what would show in its start-up time.
TOO_MUCH_FOR_ONE_STEP = {
    *("asyncio", "docker", "email", "http", "importlib.metadata", "multiprocessing", "rich"),
    *("boto3", "cheroot", "cryptography", "sqlite3", "ssl", "unittest", "urllib", "werkzeug"),
    *("configparser", "copy", "difflib", "encodings.utf_8_sig", "getpass", "hashlib"),
    *("json", "pathlib", "pickle", "random", "regex", "secrets", "shutil"),
    *("statistics", "trunkline.adapters.docker.engine", "trunkline.adapters.forges.git"),
    *("trunkline.cli.plan", "trunkline.engine.sessions", "trunkline.run.session"),
    *("trunkline.services.durations", "trunkline.web", "zipfile"),
    *("tempfile", "traceback", "trunkline.adapters.git.mirror", "trunkline.cli.bug_report"),
    *("trunkline.adapters.file_search", "trunkline.adapters.patterns"),
}
# What the second run of an unchanged workflow has no use for: the file is not read again.
TOO_MUCH_FOR_A_KNOWN_FILE = {
    *("base64", "yaml", "trunkline.workflow.parse", "trunkline.document.yaml"),
}
# Our own modules in that run, with some to spare: each takes a quarter of a millisecond to load.
MOST_MODULES = 225

VIOLATIONS = {
    "base/upwards.py": "import trunkline.plan.model",
    "expr/reads_a_clock.py": "import time",
    "engine/touches_a_disk.py": "import pathlib",
    "adapters/reaches_up.py": "import trunkline.engine",
    "services/composes.py": "import trunkline.adapters.clock",
    "attic/__init__.py": "import trunkline.base",
}
BROKEN_CONTRACTS = [
    "Imports point down",
    "The core does no I/O, reads no clock, rolls no dice",
    "Only adapters, settings and the edges touch the machine",
    "Adapters do not reach up into services or the engine",
    "Only app names concrete adapters",
    "No cycles between siblings",
]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function from `def` to its end, without its docstring."""
    last = function.end_lineno or function.lineno
    length = last - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        length -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return length


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tables() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield (module, name, entries) of every table of `name -> 'module:factory'` in the source."""
    for path in PACKAGE.rglob("*.py"):
        for node in parsed(path).body:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict() as value)
                ):
                    texts = [each.value for each in value.values if isinstance(each, ast.Constant)]
                    if any(isinstance(each, str) and TABLE_ENTRY.fullmatch(each) for each in texts):
                        yield module_name(path), name, ast.literal_eval(value)
                case _:
                    continue


def test_no_file_is_too_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {str(path): size for path, size in lengths.items() if size > LONGEST_FILE}


def test_no_function_is_too_long():
    lengths = {
        f"{path}:{function.lineno} {function.name}": code_lines(function)
        for path in FILES
        for function in functions(parsed(path))
    }
    assert not {place: size for place, size in lengths.items() if size > LONGEST_FUNCTION}


def test_no_pattern_is_possessive():
    # Python before 3.11.5 matches possessive groups wrongly (python/cpython issue 106052).
    possessive = re.compile(r"[)\]][*+?]\+")
    found = {
        f"{path}:{number}"
        for path in PACKAGE.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if possessive.search(line)
    }
    assert not found


def test_every_module_says_what_it_is():
    assert not [str(path) for path in FILES if not ast.get_docstring(parsed(path))]


def test_every_folder_of_the_package_is_a_package():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").exists()]


def test_every_name_says_something():
    names = {part for path in FILES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert not names & NAMES_THAT_SAY_NOTHING


def test_only_the_edges_load_by_name():
    assert {(module, name) for module, name, _ in tables()} == {
        (module, name) for name, module in TABLES.items()
    }


@pytest.mark.parametrize("name", TABLES)
def test_every_entry_of_a_table_can_be_loaded(name):
    entries = next(entries for _, found, entries in tables() if found == name)
    for entry in entries.values():
        module, _, factory = entry.partition(":")
        loaded = importlib.import_module(module)  # noqa: TID251 - the test is about these tables
        found = getattr(loaded, factory)
        assert callable(found) or isinstance(found, dict), entry


def one_step_repository(place: Path) -> Path:
    workflow = place / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(
        "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo one step\n"
    )
    git = ["git", "-C", str(place), "-c", "user.name=me", "-c", "user.email=me@localhost"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    return place


def loaded_by(verb: str, repository: Path, home: Path) -> set[str]:
    """Use a verb in a repository of one step and return the modules it loaded."""
    code = (
        "import sys; before = set(sys.modules); from trunkline.cli.main import main\n"
        "code = main(sys.argv[1:]); print(*set(sys.modules) - before, file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *verb.split()],
        check=False,
        capture_output=True,
        text=True,
        cwd=repository,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
    )
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert "one step" in done.stdout or not verb.startswith("run -")
    return set(done.stderr.split())


def test_a_one_step_run_loads_little(tmp_path):
    repository = one_step_repository(tmp_path / "repository")
    first = loaded_by("run --plain", repository, tmp_path)
    assert first >= TOO_MUCH_FOR_A_KNOWN_FILE
    too_much = TOO_MUCH_FOR_ONE_STEP | (
        set() if has_engine({"HOME": str(tmp_path)}) else {"socket"}
    )
    assert first & too_much == set()
    second = loaded_by("run --plain", repository, tmp_path)
    assert second & (too_much | TOO_MUCH_FOR_A_KNOWN_FILE) == set()
    assert len([name for name in second if name.startswith("trunkline")]) <= MOST_MODULES


@pytest.mark.parametrize("verb", ["plan", "lint", "runs", "--version"])
def test_a_verb_that_runs_nothing_loads_no_engine(verb, tmp_path):
    repository = one_step_repository(tmp_path / "repository")
    loaded = loaded_by(verb, repository, tmp_path)
    assert not [name for name in loaded if name.startswith("trunkline.engine")]


def test_the_import_contracts_bite(tmp_path):
    # What other processes compile meanwhile comes and goes.
    compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "src" / "trunkline", ignore=compiled)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, statement in VIOLATIONS.items():
        path = tmp_path / "src" / "trunkline" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'"""A deliberate violation."""\n\n{statement}\n')
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "src"), "COLUMNS": "200"},
    )
    assert done.returncode == 1, done.stdout
    verdicts = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert [line.removesuffix("BROKEN").strip() for line in verdicts] == BROKEN_CONTRACTS
    assert "attic" in done.stdout


def test_the_locked_requirements_are_hashed_and_name_no_registry():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "index" not in text
        pinned = re.split(r"\n(?=\w)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
        assert [each for each in pinned if "--hash=sha256:" not in each] == [], lock
