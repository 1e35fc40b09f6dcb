"""What every sandbox does: the host's (with and without orphans handed to us), Docker's, the fake."""

from __future__ import annotations

import hashlib
import io
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.sandbox_cases import (
    ANSWERS,
    CLOSED_BEFORE,
    FIRST_AND_SECOND,
    HELD_OPEN,
    LEAVES_A_SLEEPER,
    PATIENCE,
    PLACE,
    SENDS_OUTPUT,
    Case,
    case,
    docker,
    drains,
    read_all,
    read_until,
)
from trunkline.base.errors import Unavailable
from trunkline.expr.errors import ExpressionError
from trunkline.ports.process import ProcessSpec, Signal
from trunkline.ports.sandbox import Folder, JobPlace

# Fixtures are found by their names here.
__all__ = ["case", "docker", "drains"]


def test_prepare_makes_empty_folders_and_the_event_file(case: Case) -> None:
    layout = case.layout
    assert layout.workspace.endswith("/cat/cat")
    assert layout.workspace.startswith(layout.runner_workspace + "/")
    stream = case.sandbox.get(layout.event_path)
    assert stream is not None
    with stream:
        assert stream.read().decode() == '{"a": "é"}'
    for folder in [layout.workspace, layout.home, layout.tool_cache, layout.file_commands]:
        found = case.sandbox.search(folder, ["."], digests=False)[0]
        assert (found.path, found.is_folder) == (folder, True)


def test_prepare_again_changes_nothing(case: Case) -> None:
    case.sandbox.put(f"{case.layout.workspace}/kept", b"1")
    assert case.sandbox.prepare(PLACE) == case.layout
    assert case.text("kept") == "1"


def test_output_keeps_its_order_and_the_exit_code_is_known(case: Case) -> None:
    code, output = case.run("echo out; echo err >&2; echo out again; exit 3")
    assert (code, output) == (3, "out\nerr\nout again\n")


def test_a_process_has_the_environment_it_was_given_and_the_tracking_id(case: Case) -> None:
    _, output = case.run("env", MINE="with space and é")
    lines = output.splitlines()
    assert "MINE=with space and é" in lines
    assert f"RUNNER_TRACKING_ID={case.layout.tracking_id}" in lines


def test_the_tracking_id_can_not_be_taken_off_from_outside(case: Case) -> None:
    _, output = case.run("env", RUNNER_TRACKING_ID="0")
    assert f"RUNNER_TRACKING_ID={case.layout.tracking_id}" in output.splitlines()


def test_a_process_stands_in_its_folder(case: Case) -> None:
    assert case.run("pwd") == (0, case.layout.workspace + "\n")


def test_input_is_empty(case: Case) -> None:
    assert case.run("cat; echo end of input") == (0, "end of input\n")


def test_a_fed_process_reads_what_it_is_given(case: Case) -> None:
    spec = ProcessSpec(
        argv=("bash", "-c", ANSWERS), env=case.layout.env, cwd=case.layout.workspace, fed=True
    )
    started = case.sandbox.start(spec)
    started.write(b"one\n")
    assert read_until(started, b"got one\n") == b"got one\n"
    started.write(b"two\n")
    assert read_until(started, b"got two\n") == b"got two\n"
    started.signal(Signal.KILL)
    assert started.wait() == 137
    started.write(b"nobody reads this\n")


def test_what_a_step_writes_can_be_got(case: Case) -> None:
    path = f"{case.layout.file_commands}/out"
    case.sandbox.put(path, b"")
    assert case.run(SENDS_OUTPUT, OUT=path) == (0, "")
    stream = case.sandbox.get(path)
    assert stream is not None
    with stream:
        assert stream.seek(0, io.SEEK_END) == 4
        stream.seek(0)
        assert stream.read() == b"x=1\n"


def test_a_death_by_signal_is_128_and_its_number(case: Case) -> None:
    assert case.run("kill -9 $$") == (137, "")


def test_big_output_comes_whole_in_chunks(case: Case) -> None:
    code, output = case.run("head -c 3000000 /dev/zero")
    assert (code, len(output)) == (0, 3000000)


def test_reading_waits_no_longer_than_it_may(case: Case) -> None:
    started = case.start(FIRST_AND_SECOND)
    assert read_until(started, b"first\n") == b"first\n"
    assert started.read(0.05) is None
    assert started.read(0) is None
    case.tell()
    assert read_all(started) == b"second\n"
    assert started.read(None) == b""
    assert started.wait() == 0


def test_the_end_comes_with_the_exit_though_the_output_was_closed_before(case: Case) -> None:
    started = case.start(CLOSED_BEFORE)
    assert started.read(0.05) is None
    case.tell()
    assert read_all(started) == b""
    assert started.wait() == 4


def test_a_signal_is_handled_by_the_process(case: Case) -> None:
    started = case.start(
        "trap 'echo stopped; exit 5' INT; echo ready; sleep 600 >/dev/null 2>&1 & wait"
    )
    read_until(started, b"ready\n")
    started.signal(Signal.INTERRUPT)
    assert read_all(started) == b"stopped\n"
    assert started.wait() == 5
    started.signal(Signal.KILL)


def test_only_kill_ends_a_process_that_ignores_signals(case: Case) -> None:
    started = case.start("trap '' INT TERM; echo ready; while :; do sleep 60; done")
    read_until(started, b"ready\n")
    started.signal(Signal.INTERRUPT)
    started.signal(Signal.TERMINATE)
    assert started.read(0.1) is None
    started.signal(Signal.KILL)
    assert read_all(started) == b""
    assert started.wait() == 137


def test_a_signal_reaches_every_group_of_the_session(
    case: Case, drains: Callable[[float], None]
) -> None:
    drains(600)
    started = case.start("set -m; sleep 600 & echo ready; wait")
    read_until(started, b"ready\n")
    begin = time.monotonic()
    started.signal(Signal.TERMINATE)
    assert read_all(started) in {b"", b"Terminated\n"}
    assert started.wait() == 143
    # The output ended: no child of another group holds it open.
    assert time.monotonic() - begin < PATIENCE


def test_a_child_that_keeps_the_output_open_is_not_waited_for(
    case: Case, drains: Callable[[float], None]
) -> None:
    started = case.start(HELD_OPEN)
    assert read_until(started, b"done\n") == b"done\n"
    drains(0.3)
    case.tell()
    assert read_all(started) == b""
    assert started.wait() == 0
    assert [name for _, name in case.sandbox.tear_down(keep=False)] == ["sleep"]


@pytest.mark.parametrize(
    ("argv", "cwd", "reason"),
    [
        (("no-such-program", "x"), "", "No such file or directory"),
        (("/no/such/program",), "", "No such file or directory"),
        (("bash",), "/missing", "No such file or directory"),
        (("./plain",), "", "Permission denied"),
    ],
)
def test_what_can_not_be_started_is_told(
    case: Case, argv: tuple[str, ...], cwd: str, reason: str
) -> None:
    layout = case.layout
    plain = f"{layout.workspace}/plain"
    case.sandbox.put(plain, b"echo hi")
    argv = (argv[0].replace("./plain", plain), *argv[1:])
    folder = layout.workspace + cwd
    with pytest.raises(Unavailable) as raised:
        case.sandbox.start(ProcessSpec(argv=argv, env=layout.env, cwd=folder))
    assert raised.value.message == (
        f"An error occurred trying to start process '{argv[0]}' "
        f"with working directory '{folder}'. {reason}"
    )


def test_programs_are_found_on_a_path(case: Case) -> None:
    tool = f"{case.layout.tool_cache}/bin/tool"
    case.sandbox.put(tool, b"#!/bin/sh\n", 0o755)
    case.sandbox.put(f"{case.layout.temp}/tool", b"not a program")
    path = f"/nowhere::{case.layout.temp}:{case.layout.tool_cache}/bin:/usr/bin"
    assert case.sandbox.find("tool", path) == tool
    assert case.sandbox.find(tool, "") == tool
    assert case.sandbox.find("bash", path) == "/usr/bin/bash"
    assert case.sandbox.find("no-such-tool", path) is None
    assert case.sandbox.find("tool", "") is None
    assert case.sandbox.find(case.layout.temp, "") is None


def test_files_are_put_and_got(case: Case) -> None:
    path = f"{case.layout.workspace}/a b/é/file"
    case.sandbox.put(path, b"longer content")
    case.sandbox.put(path, io.BytesIO(b"short"))
    assert case.text("a b/é/file") == "short"
    assert case.text("missing") is None
    assert case.text("a b/é/file/below") is None
    [found] = case.sandbox.search(case.layout.workspace, ["**/file"], digests=False)
    assert (found.size, stat.S_IMODE(found.mode)) == (5, 0o644)


def test_what_is_no_file_can_not_be_got_or_written_to(case: Case) -> None:
    with pytest.raises(Unavailable, match="can't be read"):
        case.sandbox.get(case.layout.workspace)
    with pytest.raises(Unavailable, match="can't be written: Is a directory"):
        case.sandbox.put(case.layout.workspace, b"x")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub/empty").mkdir(parents=True)
    (folder / "plain").write_text("plain")
    (folder / "sub/run").write_text("#!/bin/sh\n")
    (folder / "sub/run").chmod(0o750)
    (folder / "sub/link").symlink_to("../plain")
    (folder / "dangling").symlink_to("/nowhere")
    return folder


def test_a_folder_comes_with_its_links_and_programs(case: Case, source: Path) -> None:
    root = f"{case.layout.workspace}/in"
    case.sandbox.put(root, Folder(path=str(source)))
    found = {file.path: file for file in case.sandbox.search(root, ["**"], digests=False)}
    names = [path.removeprefix(root) for path in found]
    assert names == [
        "", "/dangling", "/plain", "/sub", "/sub/empty", "/sub/link", "/sub/run",
    ]  # fmt: skip
    assert stat.S_IMODE(found[f"{root}/sub/run"].mode) == 0o755
    assert stat.S_IMODE(found[f"{root}/plain"].mode) == 0o644
    assert found[f"{root}/sub/link"].link == "../plain"
    assert found[f"{root}/dangling"].link == "/nowhere"
    assert case.text("in/sub/link") == "plain"


def test_only_the_named_files_of_a_folder_come(case: Case, source: Path) -> None:
    files = ("sub/run", "vanished", "sub/empty")
    case.sandbox.put(case.layout.workspace, Folder(path=str(source), files=files))
    assert case.paths("**") == ["", "/sub", "/sub/empty", "/sub/run"]
    case.sandbox.put(case.layout.workspace, Folder(path=str(source), files=("sub/",)))
    assert "/sub/link" in case.paths("**")


def test_files_that_are_brought_never_share_with_their_source(case: Case, source: Path) -> None:
    case.sandbox.put(case.layout.workspace, Folder(path=str(source)))
    case.sandbox.put(f"{case.layout.workspace}/plain", b"changed")
    assert (source / "plain").read_text() == "plain"
    case.sandbox.put(case.layout.workspace, Folder(path=str(source)))
    assert case.text("plain") == "plain"


@pytest.mark.parametrize("name", ["../source/plain", "/etc/passwd", "sub/../../x"])
def test_a_name_that_leaves_its_folder_is_refused(case: Case, source: Path, name: str) -> None:
    with pytest.raises(Unavailable, match="leaves the folder"):
        case.sandbox.put(case.layout.workspace, Folder(path=str(source), files=(name,)))


def test_a_folder_is_never_brought_through_a_link(case: Case, source: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "sub").symlink_to(outside)
    (trap / "plain").symlink_to(outside / "plain")
    case.sandbox.put(case.layout.workspace, Folder(path=str(trap)))
    case.sandbox.put(case.layout.workspace, Folder(path=str(source)))
    assert list(outside.iterdir()) == []
    assert case.text("sub/run") == "#!/bin/sh\n"
    assert case.text("plain") == "plain"


def test_search_finds_in_the_order_of_githubs_glob(case: Case) -> None:
    for name in ["a.txt", "a/z", "B", "é", "10", "9", "_x", "a/.hidden"]:
        case.sandbox.put(f"{case.layout.workspace}/{name}", name.encode())
    assert case.paths("**", "!a") == ["", "/10", "/9", "/B", "/_x", "/a.txt", "/é"]
    assert case.paths("a*", "# no pattern", "", "!**/z") == ["/a", "/a/.hidden", "/a.txt"]
    assert case.paths("9", "10") == ["/9", "/10"]
    assert case.paths("nothing/*") == []


def test_search_tells_digests_of_files_below_the_root(case: Case) -> None:
    case.sandbox.put(f"{case.layout.workspace}/a/one", b"1")
    case.sandbox.put(f"{case.layout.temp}/two", b"2")
    patterns = ["a", f"{case.layout.temp}/two"]
    found = case.sandbox.search(case.layout.workspace, patterns, digests=True)
    assert [(file.is_folder, file.sha256) for file in found] == [
        (True, b""),
        (False, hashlib.sha256(b"1").digest()),
        (False, b""),
    ]


def test_search_follows_links_when_asked(case: Case, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "real").mkdir(parents=True)
    (tree / "real/file").write_text("x")
    (tree / "real/again").symlink_to("..")
    (tree / "way").symlink_to("real")
    (tree / "broken").symlink_to("nothing")
    case.sandbox.put(case.layout.workspace, Folder(path=str(tree)))
    assert case.paths("**/file") == ["/real/file"]
    everything = ["", "/real", "/real/file", "/way", "/way/file"]
    assert case.paths("--follow-symbolic-links", "**") == everything
    with pytest.raises(ExpressionError, match="Fail to hash files"):
        case.sandbox.search(case.layout.workspace, ["**"], digests=True)


def test_search_refuses_an_unknown_option(case: Case) -> None:
    with pytest.raises(ExpressionError, match="Invalid glob option --deep"):
        case.sandbox.search(case.layout.workspace, ["--deep", "*"], digests=False)


def test_many_threads_may_start_processes(case: Case) -> None:
    codes: list[int] = []
    text = "echo out; echo err >&2; echo out again; exit 3"
    threads = [threading.Thread(target=lambda: codes.append(case.run(text)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert codes == [3] * 8


def test_tear_down_ends_what_runs_and_what_was_left_behind(case: Case) -> None:
    assert case.run(LEAVES_A_SLEEPER)[0] == 0
    running = case.start("echo ready; exec sleep 600")
    read_until(running, b"ready\n")
    ended = case.sandbox.tear_down(keep=False)
    assert len({pid for pid, _ in ended}) == 2
    assert {name for _, name in ended} <= {"sleep", "bash"}
    assert running.wait() in {137, 143}
    assert case.sandbox.get(case.layout.event_path) is None
    assert case.sandbox.tear_down(keep=False) == ()


def test_tear_down_can_keep_the_workspace(case: Case) -> None:
    case.sandbox.put(f"{case.layout.workspace}/mine", b"1")
    assert case.sandbox.tear_down(keep=True) == ()
    assert case.text("mine") == "1"
    for path in (case.layout.temp, case.layout.tool_cache, case.layout.actions):
        with pytest.raises((Unavailable, AssertionError)):
            assert case.sandbox.get(path) is not None


def test_tear_down_before_prepare_is_nothing(case: Case) -> None:
    assert case.maker.open(case.where).tear_down(keep=False) == ()


def test_two_jobs_share_nothing(case: Case) -> None:
    other = case.maker.open(case.where)
    layout = other.prepare(
        JobPlace(run_id="7", key="build-1", where="host", repository="octo/cat", event="{}")
    )
    try:
        mine = case.layout
        folders = [layout.workspace, layout.temp, layout.home]
        places = [layout.outside(path) or path for path in folders]
        places += [mine.outside(path) or path for path in (mine.workspace, mine.home)]
        assert len(set(places)) == 5
        assert layout.tracking_id != mine.tracking_id
    finally:
        other.tear_down(keep=False)
    assert case.text("missing") is None
    assert case.run("pwd")[0] == 0


def test_new_files_made_of_old_ones_are_empty(case: Case) -> None:
    old, new = [[f"{case.layout.workspace}/{kind}{n}" for n in "12"] for kind in ("old", "new")]
    case.sandbox.renew((), old, 0o666)
    case.sandbox.put(old[0], b"x=1\n")
    case.sandbox.renew((*old, f"{case.layout.workspace}/absent"), new, 0o666)
    assert [case.text(name) for name in ("new1", "new2")] == ["", ""]
