"""A container's mounted files: links lead where the container has them lead, and never out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.open_files import open_files
from trunkline.adapters.file_search import Kind
from trunkline.adapters.sandboxes.docker.mounted import MountedFiles, NotMounted


@pytest.fixture
def work(tmp_path: Path) -> Path:
    for name in ("work/repo", "home", "secret"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "secret/key").write_text("not yours")
    (tmp_path / "work/repo/file").write_text("mine")
    return tmp_path / "work"


@pytest.fixture
def files(work: Path) -> MountedFiles:
    mounts = [("/__w", str(work)), ("/github/home", str(work.parent / "home"))]
    return MountedFiles(mounts, ["/__w/repo/hidden"])


def text(files: MountedFiles, path: str) -> str:
    with os.fdopen(files.open(path), encoding="utf-8") as stream:
        return stream.read()


def test_files_are_found_by_their_paths_inside(files: MountedFiles) -> None:
    assert text(files, "/__w/repo/file") == "mine"
    assert text(files, "/__w//repo/./file") == "mine"
    assert text(files, "/__w/repo/../repo/file") == "mine"
    assert text(files, "/github/home/../../__w/repo/file") == "mine"
    with pytest.raises(FileNotFoundError):
        files.open("/__w/repo/missing")
    with pytest.raises(NotADirectoryError):
        files.open("/__w/repo/file/below")


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ("/etc/passwd", "/etc/passwd"),
        ("../../../../etc/passwd", "/etc/passwd"),
        ("../..", "/"),
        ("/__w/../secret/key", "/secret/key"),
        ("../../secret/key", "/secret/key"),
    ],
)
def test_a_link_out_of_the_mounted_folders_leads_into_the_container(
    files: MountedFiles, work: Path, link: str, place: str
) -> None:
    (work / "repo/link").symlink_to(link)
    with pytest.raises(NotMounted) as raised:
        files.open("/__w/repo/link")
    assert raised.value.path == place
    with pytest.raises(NotMounted):
        files.create("/__w/repo/link", 0o600)
    assert files.kind("/__w/repo/link", follow=False) is Kind.LINK


def test_a_link_of_this_machine_is_not_followed_on_it(files: MountedFiles, work: Path) -> None:
    (work / "repo/way").symlink_to(work.parent / "secret")
    with pytest.raises(NotMounted):
        files.open("/__w/repo/way/key")
    with pytest.raises(NotMounted):
        files.create("/__w/repo/way/new", 0o600)
    with pytest.raises(NotMounted):
        files.children("/__w/repo/way")
    assert not (work.parent / "secret/new").exists()


def test_links_between_mounted_folders_lead_as_inside(files: MountedFiles, work: Path) -> None:
    (work / "repo/home").symlink_to("/github/home")
    (work.parent / "home/config").write_text("at home")
    (work.parent / "home/back").symlink_to("../../__w/repo/file")
    assert text(files, "/__w/repo/home/config") == "at home"
    assert text(files, "/__w/repo/home/back") == "mine"
    assert files.real("/__w/repo/home/back") == "/__w/repo/file"
    file = files.create("/__w/repo/home/deep/er/new", 0o640)
    os.close(file)
    assert (work.parent / "home/deep/er/new").stat().st_mode & 0o777 == 0o640


def test_links_in_a_circle_end(files: MountedFiles, work: Path) -> None:
    (work / "repo/a").symlink_to("b")
    (work / "repo/b").symlink_to("a")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        files.open("/__w/repo/a")


def test_what_the_container_has_something_else_mounted_over_is_not_seen(
    files: MountedFiles, work: Path
) -> None:
    (work / "repo/hidden").mkdir()
    (work / "repo/hidden/file").write_text("below the volume")
    for path in ("/__w/repo/hidden/file", "/__w/repo/hidden", "/__w/repo/x/../hidden/file"):
        (work / "repo/x").mkdir(exist_ok=True)
        with pytest.raises(NotMounted) as raised:
            files.open(path)
        assert raised.value.path.startswith("/__w/repo/hidden")
    assert text(files, "/__w/repo/file") == "mine"


def test_paths_elsewhere_are_the_container_s_own(files: MountedFiles) -> None:
    for path in ("/usr/bin/env", "/", "/github", "/__wide/file"):
        with pytest.raises(NotMounted):
            files.kind(path, follow=True)


def test_a_pipe_is_not_waited_for(files: MountedFiles, work: Path) -> None:
    os.mkfifo(work / "repo/pipe")
    with pytest.raises(OSError, match="it is not a file"):
        files.open("/__w/repo/pipe")
    with pytest.raises(OSError, match="No such device or address"):
        files.create("/__w/repo/pipe", 0o600)


def test_folders_are_made_and_never_through_what_is_no_folder(
    files: MountedFiles, work: Path
) -> None:
    os.close(files.make_folder("/__w/repo/new/deep"))
    assert (work / "repo/new/deep").is_dir()
    os.close(files.make_folder("/__w"))
    with pytest.raises(NotADirectoryError):
        files.make_folder("/__w/repo/file/deep")


def test_no_file_is_left_open(files: MountedFiles, work: Path) -> None:
    (work / "repo/out").symlink_to("/etc")
    before = open_files()
    for path in ("/__w/repo/out/x", "/__w/repo/missing/x", "/__w/repo/file/x", "/__w/repo/file"):
        for action in (files.real, files.describe, files.digest):
            try:
                action(path)
            except (OSError, NotMounted):
                continue
    assert not open_files() - before
