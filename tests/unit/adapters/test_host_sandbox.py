"""The host sandbox where the contract is not enough: orphans, sweeping, disks that refuse."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tests.open_files import open_files
from trunkline.adapters.clock import SystemIds
from trunkline.adapters.file_search import search_disk
from trunkline.adapters.process_table import look_up
from trunkline.adapters.sandboxes.host import HostSandbox, HostSandboxes, orphans, process
from trunkline.adapters.sandboxes.host.orphans import Marks, end_orphans
from trunkline.adapters.sandboxes.host.subreaper import become_subreaper
from trunkline.base.errors import Unavailable
from trunkline.ports.process import ProcessSpec, Signal
from trunkline.ports.sandbox import Folder, JobPlace, Layout

PLACE = JobPlace(run_id="7", key="build", where="host", repository="octo/cat", event="{}")
PATIENCE = 60.0


def sandboxes(folder: Path, *, adopts: bool = True) -> HostSandboxes:
    environ = {"PATH": os.environ["PATH"]}
    adopt = become_subreaper if adopts else bool
    return HostSandboxes(str(folder), SystemIds(), environ, adopt, search_disk)


@pytest.fixture(params=[True, False], ids=["adopts", "adopts not"])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HostSandbox]:
    made = sandboxes(tmp_path, adopts=request.param).open("host")
    yield made
    made.tear_down(keep=False)


def run(sandbox: HostSandbox, layout: Layout, text: str) -> str:
    started = sandbox.start(
        ProcessSpec(argv=("bash", "-c", text), env=layout.env, cwd=layout.workspace)
    )
    output = b""
    while data := started.read(None):
        output += data
    assert started.wait() == 0, output
    return output.decode()


def is_running(pid: int) -> bool:
    kin = look_up(pid)
    return kin is not None and kin.state != "Z"


def wait_until_gone(pid: int) -> bool:
    end = time.monotonic() + PATIENCE
    while is_running(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_only_their_owner_can_enter_the_folders_of_a_job(
    sandbox: HostSandbox, tmp_path: Path
) -> None:
    layout = sandbox.prepare(PLACE)
    for path in [tmp_path / "work", tmp_path / "work/7", tmp_path / "work/7/build"]:
        assert path.stat().st_mode & 0o077 == 0, path
    # A Docker action may run as another user: it has the folders within by mounts.
    for folder in (layout.home, layout.workspace, layout.temp):
        assert Path(folder).stat().st_mode & 0o777 == 0o755


def test_an_orphan_that_ignores_sigterm_is_killed(sandbox: HostSandbox) -> None:
    layout = sandbox.prepare(PLACE)
    text = "setsid bash -c 'trap \"\" TERM; echo $$; exec >&- 2>&-; while :; do sleep 9; done' &"
    pid = int(run(sandbox, layout, text))
    ended = dict(sandbox.tear_down(keep=False))
    assert ended[pid] == "bash"
    assert wait_until_gone(pid)


def test_an_orphan_has_time_to_end_by_itself(
    sandbox: HostSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "TERM_SECONDS", PATIENCE)
    layout = sandbox.prepare(PLACE)
    text = (
        f'setsid bash -c \'trap "echo bye > {tmp_path}/bye; exit" TERM; echo ready; exec >&- 2>&-;'
        " while :; do sleep 0.05; done' &"
    )
    assert run(sandbox, layout, text) == "ready\n"
    sandbox.tear_down(keep=False)
    assert (tmp_path / "bye").read_text() == "bye\n"


@pytest.mark.parametrize(
    "text",
    [
        "setsid env -i sleep 60 >/dev/null 2>&1 & echo $!",
        "set -m; RUNNER_TRACKING_ID= sleep 60 >/dev/null 2>&1 & echo $!",
    ],
)
def test_an_orphan_that_took_its_mark_off_is_found_by_descent(tmp_path: Path, text: str) -> None:
    sandbox = sandboxes(tmp_path).open("host")
    pid = int(run(sandbox, sandbox.prepare(PLACE), text))
    assert pid in dict(sandbox.tear_down(keep=False))
    assert wait_until_gone(pid)


def test_jobs_do_not_end_each_others_processes(tmp_path: Path) -> None:
    makes = sandboxes(tmp_path)
    mine, other = makes.open("host"), makes.open("host")
    mine.prepare(PLACE)
    layout = other.prepare(JobPlace(run_id="7", key="b", where="host", repository="o/r", event=""))
    until_it_sleeps = "until grep -q sleep /proc/$!/comm; do sleep 0.02; done"
    text = f"setsid sleep 600 >/dev/null 2>&1 & {until_it_sleeps}; echo $!"
    pid = int(run(other, layout, text))
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as engines_own:
        assert mine.tear_down(keep=False) == ()
        assert is_running(pid)
        assert engines_own.poll() is None
        assert dict(other.tear_down(keep=False)) == {pid: "sleep"}
        assert engines_own.poll() is None
        engines_own.kill()


def test_orphans_leave_no_zombie(tmp_path: Path) -> None:
    sandbox = sandboxes(tmp_path).open("host")
    layout = sandbox.prepare(PLACE)
    pid = int(run(sandbox, layout, "(setsid sleep 60 >/dev/null 2>&1 & echo $!)"))
    sandbox.tear_down(keep=False)
    assert look_up(pid) is None


def test_without_proc_process_groups_are_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trunkline.adapters.sandboxes.host.orphans.HAS_PROC", False)
    sandbox = sandboxes(tmp_path, adopts=False).open("host")
    pid = int(run(sandbox, sandbox.prepare(PLACE), "sleep 60 >/dev/null 2>&1 & echo $!"))
    assert len(sandbox.tear_down(keep=False)) == 1
    assert wait_until_gone(pid)


def test_without_pidfds_a_thread_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "HAS_PIDFD", False)
    sandbox = sandboxes(tmp_path).open("host")
    layout = sandbox.prepare(PLACE)
    assert run(sandbox, layout, "echo hi") == "hi\n"
    spec = ProcessSpec(argv=("sleep", "60"), env=layout.env, cwd=layout.workspace)
    started = sandbox.start(spec)
    assert started.read(0.05) is None
    started.signal(Signal.TERMINATE)
    assert started.read(PATIENCE) == b""
    assert started.wait() == 143
    sandbox.tear_down(keep=False)


def test_a_child_that_writes_on_is_cut_off(
    sandbox: HostSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "DRAIN_SECONDS", 0.2)
    layout = sandbox.prepare(PLACE)
    output = run(sandbox, layout, "while echo y; do sleep 0.01; done & exit 0")
    assert set(output.split("\n")) <= {"y", ""}


def test_a_user_that_is_not_there_is_told(sandbox: HostSandbox) -> None:
    layout = sandbox.prepare(PLACE)
    spec = ProcessSpec(argv=("true",), env=layout.env, cwd=layout.workspace, user="no-such-user")
    with pytest.raises(Unavailable, match="There is no user 'no-such-user'"):
        sandbox.start(spec)


def test_ones_own_user_is_no_change(sandbox: HostSandbox) -> None:
    layout = sandbox.prepare(PLACE)
    spec = ProcessSpec(argv=("true",), env=layout.env, cwd=layout.workspace, user=str(os.geteuid()))
    assert sandbox.start(spec).wait() == 0


@pytest.mark.parametrize(
    ("argv", "env", "reason"),
    [
        (("true", "\0"), {}, "embedded null byte"),
        (("true",), {"A=B": "c"}, "illegal environment variable name"),
        (("true", "x" * 3_000_000), {}, "Argument list too long"),
    ],
)
def test_what_the_kernel_refuses_is_told(
    sandbox: HostSandbox, argv: tuple[str, ...], env: dict[str, str], reason: str
) -> None:
    layout = sandbox.prepare(PLACE)
    before = open_files()
    spec = ProcessSpec(argv=argv, env={**layout.env, **env}, cwd=layout.workspace)
    with pytest.raises(Unavailable, match=reason):
        sandbox.start(spec)
    assert not open_files() - before


def test_processes_leave_no_file_open(sandbox: HostSandbox) -> None:
    layout = sandbox.prepare(PLACE)
    run(sandbox, layout, "true")
    before = open_files()
    for _ in range(5):
        run(sandbox, layout, "echo hi")
    assert not open_files() - before


def test_a_full_disk_is_told(sandbox: HostSandbox, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=os.strerror(errno.ENOSPC)):
        sandbox.put("/dev/full", b"x")
    (tmp_path / "taken").write_text("")
    with pytest.raises(Unavailable, match="can't be made: File exists"):
        sandboxes(tmp_path / "taken").open("host").prepare(PLACE)


def test_a_pipe_is_not_waited_for(sandbox: HostSandbox) -> None:
    layout = sandbox.prepare(PLACE)
    os.mkfifo(f"{layout.temp}/pipe")
    with pytest.raises(Unavailable, match="it is not a file"):
        sandbox.get(f"{layout.temp}/pipe")
    source = Path(layout.temp) / "source"
    source.mkdir()
    os.mkfifo(source / "pipe")
    sandbox.put(layout.workspace, Folder(path=str(source)))
    assert list(Path(layout.workspace).iterdir()) == []


def test_read_only_trees_are_removed(sandbox: HostSandbox, tmp_path: Path) -> None:
    layout = sandbox.prepare(PLACE)
    run(sandbox, layout, "mkdir -p a/b/c && touch a/b/c/file a/b/file && chmod -R a-w a")
    run(sandbox, layout, f"cd {layout.home} && mkdir -p x/y && chmod 0 x")
    sandbox.tear_down(keep=False)
    assert not (tmp_path / "work/7").exists()


def test_links_are_removed_but_not_what_they_lead_to(sandbox: HostSandbox, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("x")
    layout = sandbox.prepare(PLACE)
    run(sandbox, layout, f"ln -s {tmp_path}/mine link; ln -s / root")
    sandbox.tear_down(keep=False)
    assert (tmp_path / "mine/file").exists()


def test_a_kept_workspace_outlives_a_sweep(sandbox: HostSandbox, tmp_path: Path) -> None:
    layout = sandbox.prepare(PLACE)
    run(sandbox, layout, "echo 1 > mine")
    sandbox.tear_down(keep=True)
    sandboxes(tmp_path).sweep()
    assert (Path(layout.workspace) / "mine").exists()
    assert not Path(layout.temp).exists()
    assert not Path(layout.tool_cache).exists()


ENGINE = """
import os, sys
from trunkline.adapters.clock import SystemIds
from trunkline.adapters.sandboxes.host import HostSandboxes
from trunkline.adapters.file_search import search_disk
from trunkline.ports.process import ProcessSpec
from trunkline.ports.sandbox import JobPlace
sandbox = HostSandboxes(sys.argv[1], SystemIds(), os.environ, bool, search_disk).open("host")
layout = sandbox.prepare(JobPlace(run_id="9", key="a", where="host", repository="o/r", event=""))
spec = ProcessSpec(argv=("sleep", "60"), env=layout.env, cwd=layout.workspace)
print(sandbox.start(spec).pid, flush=True)
sys.stdin.read()
"""


def test_sweep_ends_what_a_killed_engine_left(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as engine:
        assert engine.stdout is not None
        pid = int(engine.stdout.readline())
        sandboxes(tmp_path).sweep()
        assert is_running(pid)
        assert (tmp_path / "work/9/a").exists()
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    sandboxes(tmp_path).sweep()
    assert wait_until_gone(pid)
    assert not (tmp_path / "work/9").exists()
    sandboxes(tmp_path).sweep()


def test_a_job_that_starts_again_finds_nothing_of_before(tmp_path: Path) -> None:
    makes = sandboxes(tmp_path)
    first = makes.open("host")
    layout = first.prepare(PLACE)
    pid = int(run(first, layout, "touch old; setsid sleep 60 >/dev/null 2>&1 & echo $!"))
    second = makes.open("host")
    assert second.prepare(PLACE).workspace == layout.workspace
    assert list(Path(layout.workspace).iterdir()) == []
    assert wait_until_gone(pid)
    second.tear_down(keep=False)


def test_a_process_that_is_gone_is_not_ended_again() -> None:
    marks = Marks(frozenset({"github_none"}))
    assert end_orphans(marks, adopted=False) == ()
    assert end_orphans(marks, adopted=True) == ()


@pytest.mark.parametrize("name", ["_temp", "_tool", ".owner", ""])
def test_a_repository_may_have_any_name(tmp_path: Path, name: str) -> None:
    sandbox = sandboxes(tmp_path).open("host")
    place = JobPlace(run_id="7", key="a", where="host", repository=f"octo/{name}", event="")
    layout = sandbox.prepare(place)
    assert list(Path(layout.workspace).iterdir()) == []
    sandbox.tear_down(keep=True)
    assert Path(layout.workspace).is_dir()


def test_only_the_host_can_be_had(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="'docker:node:20'"):
        sandboxes(tmp_path).open("docker:node:20")


def test_a_disk_that_fills_up_leaves_a_clear_word(sandbox: HostSandbox) -> None:
    layout = sandbox.prepare(PLACE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(Unavailable, match="can't be written: File too large"):
            sandbox.put(f"{layout.temp}/big", bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_jobs_of_a_run_start_while_others_end(tmp_path: Path) -> None:
    made = sandboxes(tmp_path)

    def churn(number: int) -> None:
        for turn in range(60):
            sandbox = made.open("host")
            sandbox.prepare(msgspec.structs.replace(PLACE, key=f"job-{number}-{turn}"))
            sandbox.tear_down(keep=False)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(churn, range(4)))
    assert not list((tmp_path / "work").iterdir())


def test_a_file_that_a_process_may_hold_open_is_not_handed_on(sandbox: HostSandbox) -> None:
    layout = sandbox.prepare(PLACE)
    old, new = f"{layout.temp}/old", f"{layout.temp}/new"
    sandbox.renew((), (old,), 0o666)
    late = (
        "bash",
        "-c",
        f"exec >>{old}; echo ready >&2; until test -e go; do sleep 0.02; done; echo late",
    )
    started = sandbox.start(ProcessSpec(argv=late, env=layout.env, cwd=layout.workspace))
    assert started.read(None) == b"ready\n"
    sandbox.renew((old,), (new,), 0o666)
    Path(layout.workspace, "go").touch()
    assert started.read(None) == b""
    assert (Path(old).read_text(), Path(new).read_text()) == ("late\n", "")


def test_a_link_or_a_changed_file_is_not_handed_on(sandbox: HostSandbox) -> None:
    layout = sandbox.prepare(PLACE)
    old, new, other = (f"{layout.temp}/{name}" for name in ("old", "new", "other"))
    sandbox.renew((), (other,), 0o666)
    for change in (os.symlink, os.link):
        change(other, old)
        sandbox.renew((old,), (new,), 0o666)
        assert not Path(new).samefile(other)
        Path(old).unlink()
    Path(other).chmod(0o700)
    Path(new).unlink()
    sandbox.renew((other,), (new,), 0o666)
    assert Path(new).stat().st_mode & 0o111 == 0
