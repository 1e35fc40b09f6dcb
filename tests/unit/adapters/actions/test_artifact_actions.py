"""upload-artifact, its merge, and download-artifact."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import LocalJob, world
from tests.repositories import write
from trunkline.adapters.actions.download_artifact import DownloadArtifact
from trunkline.adapters.actions.merge_artifacts import MergeArtifacts
from trunkline.adapters.actions.upload_artifact import UploadArtifact
from trunkline.adapters.artifacts import archives
from trunkline.adapters.toolkit.names import matches_name
from trunkline.adapters.toolkit.world import World
from trunkline.base.errors import Corrupt
from trunkline.ports.actions import ActionFailed

GITHUB: dict[str, Any] = {"server_url": "https://github.com", "repository": "octo/demo"}


@pytest.fixture
def place(tmp_path: Path) -> World:
    return world(tmp_path, tmp_path)


@pytest.fixture
def job(tmp_path: Path) -> LocalJob:
    made = LocalJob(tmp_path / "state", os.environ)
    (tmp_path / "runs/1").mkdir(parents=True)
    return made


def upload(place: World, job: LocalJob, **inputs: str) -> list[str]:
    """Upload; return what is in the artifact, as its zip says."""
    UploadArtifact(place).main(job.call("actions/upload-artifact@v4", GITHUB, **inputs), job)
    if not job.stored:
        return []
    with zipfile.ZipFile(job.stored[-1][4]) as archive:
        return sorted(archive.namelist())


def download(place: World, job: LocalJob, uses: str = "x@v8", **inputs: str) -> dict[str, str]:
    """Download into the folder `got`; return its files."""
    write(job.workspace, {"got/.keep": ""})
    DownloadArtifact(place).main(job.call(uses, GITHUB, path="got", **inputs), job)
    got = job.workspace / "got"
    return {
        str(path.relative_to(got)): path.read_text(encoding="utf-8")
        for path in sorted(got.rglob("*"))
        if path.is_file() and path.name != ".keep"
    }


class TestUpload:
    """Which files go where in the artifact."""

    @pytest.fixture(autouse=True)
    def files(self, job: LocalJob) -> None:
        write(
            job.workspace,
            {
                "dist/a.whl": "a",
                "dist/sub/b.txt": "b",
                "dist/.hidden": "h",
                "reports/x.xml": "x",
                ".coverage": "c",
                ".tox/log.txt": "l",
            },
        )

    @pytest.mark.parametrize(
        ("path", "names"),
        [
            ("dist", ["a.whl", "sub/b.txt"]),
            ("dist/", ["a.whl", "sub/b.txt"]),
            ("dist/a.whl", ["a.whl"]),
            ("dist/*.whl", ["a.whl"]),
            ("dist/**/*.txt", ["sub/b.txt"]),
            ("dist\nreports", ["dist/a.whl", "dist/sub/b.txt", "reports/x.xml"]),
            ("dist/a.whl\nreports/x.xml", ["dist/a.whl", "reports/x.xml"]),
            ("dist\n!dist/sub", ["a.whl"]),
            ("dist\n!**/*.txt", ["a.whl"]),
            ("**/*.xml", ["reports/x.xml"]),
            (".tox/log.txt", ["log.txt"]),
            ("# nothing\n\ndist/a.whl", ["a.whl"]),
        ],
    )
    def test_paths(self, place: World, job: LocalJob, path: str, names: list[str]) -> None:
        assert upload(place, job, path=path) == names

    @pytest.mark.parametrize("path", [".coverage", ".tox", "none/*", "dist/.hidden"])
    def test_hidden_files_are_left_out(self, place: World, job: LocalJob, path: str) -> None:
        assert upload(place, job, path=path) == []
        message = f"No files were found with the provided path: {path}."
        assert job.annotations == [("warning", f"{message} No artifacts will be uploaded.")]

    def test_hidden_files_when_asked_for(self, place: World, job: LocalJob) -> None:
        names = upload(place, job, path="dist\n.tox", include_hidden_files="true")
        assert names == [".tox/log.txt", "dist/.hidden", "dist/a.whl", "dist/sub/b.txt"]

    def test_links_are_followed(self, place: World, job: LocalJob) -> None:
        (job.workspace / "dist/link").symlink_to("a.whl")
        (job.workspace / "dist/broken").symlink_to("none")
        assert upload(place, job, path="dist") == ["a.whl", "link", "sub/b.txt"]

    def test_what_is_told(self, place: World, job: LocalJob, tmp_path: Path) -> None:
        upload(place, job, path="dist", name="my dist")
        name, digest, size, files, path = job.stored[0]
        assert (name, files, path) == ("my dist", 2, str(tmp_path / "runs/1/artifacts/my dist.zip"))
        assert size == Path(path).stat().st_size
        assert job.outputs == {
            "artifact-id": job.outputs["artifact-id"],
            "artifact-digest": digest.removeprefix("sha256:"),
            "artifact-url": "https://github.com/octo/demo/actions/runs/1/artifacts/"
            + job.outputs["artifact-id"],
        }
        assert "With the provided path, there will be 2 files uploaded" in job.lines
        assert (
            f"Artifact my dist has been successfully uploaded! Final size is {size} bytes. "
            f"Artifact ID is {job.outputs['artifact-id']}"
        ) in job.lines

    def test_a_name_taken_and_overwritten(self, place: World, job: LocalJob) -> None:
        upload(place, job, path="dist")
        with pytest.raises(ActionFailed, match=r"\(409\) Conflict: an artifact with this name"):
            upload(place, job, path="reports")
        assert upload(place, job, path="reports", overwrite="true") == ["x.xml"]

    def test_a_single_file_as_it_is(self, place: World, job: LocalJob) -> None:
        inputs = {"path": "dist/a.whl", "name": "ignored", "archive": "false"}
        UploadArtifact(place).main(job.call("x@v7", GITHUB, **inputs), job)
        assert job.stored[0][0] == "a.whl"
        assert Path(job.stored[0][4]).read_text(encoding="utf-8") == "a"
        with pytest.raises(
            ActionFailed, match=r"only a single file can be uploaded\. Found 2 files"
        ):
            upload(place, job, path="dist", archive="false")

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            ({"name": "a/b"}, "Contains the following character:  Forward slash /"),
            ({"name": "a:b"}, "The artifact name is not valid: a:b"),
            ({"if_no_files_found": "fail"}, "Available options: warn,error,ignore"),
            ({"compression_level": "10"}, "Invalid compression-level. Valid values are 0-9"),
            ({"retention_days": "x"}, "Invalid retention-days"),
            ({"path": "none", "if_no_files_found": "error"}, "No files were found with"),
            ({"path": ""}, "Input required and not supplied: path"),
            ({"path": "../*"}, "Relative pathing '.' and '..' is not allowed"),
        ],
    )
    def test_mistakes(
        self, place: World, job: LocalJob, inputs: dict[str, str], message: str
    ) -> None:
        with pytest.raises(ActionFailed) as caught:
            upload(place, job, **{"path": "dist", **inputs})
        assert message in str(caught.value)
        assert job.stored == []

    def test_a_file_name_that_no_artifact_may_hold(self, place: World, job: LocalJob) -> None:
        write(job.workspace, {"dist/a:b": ""})
        with pytest.raises(
            ActionFailed, match=r"not valid: a:b\. Contains the following character"
        ):
            upload(place, job, path="dist")


class TestDownload:
    """Which artifacts go where."""

    @pytest.fixture(autouse=True)
    def artifacts(self, place: World, job: LocalJob) -> None:
        write(job.workspace, {"a/one.txt": "1", "b/sub/two.txt": "2", "c/one.txt": "3"})
        for name in ("a", "b", "c"):
            upload(place, job, path=name, name=f"part-{name}")

    def test_by_name(self, place: World, job: LocalJob) -> None:
        assert download(place, job, name="part-b") == {"sub/two.txt": "2"}
        assert job.outputs["download-path"] == str(job.workspace / "got")

    def test_all(self, place: World, job: LocalJob) -> None:
        assert download(place, job) == {
            "part-a/one.txt": "1",
            "part-b/sub/two.txt": "2",
            "part-c/one.txt": "3",
        }

    def test_merged(self, place: World, job: LocalJob) -> None:
        found = download(place, job, merge_multiple="true", pattern="part-{a,b}")
        assert found == {"one.txt": "1", "sub/two.txt": "2"}

    def test_by_pattern(self, place: World, job: LocalJob) -> None:
        assert set(download(place, job, pattern="*-[ac]")) == {"part-a/one.txt", "part-c/one.txt"}

    def test_a_single_match_by_major(self, place: World, job: LocalJob) -> None:
        assert set(download(place, job, "x@v4", pattern="*-a")) == {"part-a/one.txt"}
        assert set(download(place, job, "x@v8", pattern="*-b")) == {
            "part-a/one.txt",
            "sub/two.txt",
        }

    def test_by_id(self, place: World, job: LocalJob) -> None:
        number = job.outputs["artifact-id"]
        assert download(place, job, artifact_ids=f"{number}, 7") == {"one.txt": "3"}
        assert job.annotations[-1][1] == "Could not find the following artifact IDs: 7"

    def test_of_another_run(self, place: World, job: LocalJob) -> None:
        told = len(job.annotations)
        assert download(place, job, name="part-a", run_id="404") == {"one.txt": "1"}
        assert "no effect without 'github-token'" in job.annotations[-1][1]
        assert download(place, job, name="part-a", run_id="1", github_token="")
        assert len(job.annotations) == told + 1

    def test_packed(self, place: World, job: LocalJob) -> None:
        DownloadArtifact(place).main(
            job.call("x@v8", GITHUB, name="part-a", path="z", skip_decompress="true"), job
        )
        assert zipfile.is_zipfile(job.workspace / "z/part-a.zip")

    def test_into_a_home(self, place: World, job: LocalJob) -> None:
        DownloadArtifact(place).main(job.call("x@v8", GITHUB, name="part-a", path="~/in"), job)
        assert Path(job.layout.home, "in/one.txt").exists()

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            ({"name": "x"}, "Artifact not found for name: x"),
            ({"name": "x", "artifact_ids": "1"}, "cannot be used together"),
            ({"artifact_ids": "x"}, "Invalid artifact ID: 'x'. Must be a number."),
            ({"artifact_ids": "7"}, "None of the provided artifact IDs were found"),
            ({"run_id": "404", "github_token": ""}, "There is no run 404"),
            ({"digest_mismatch": "x"}, "Valid options are: ignore, info, warn, error"),
        ],
    )
    def test_mistakes(
        self, place: World, job: LocalJob, inputs: dict[str, str], message: str
    ) -> None:
        with pytest.raises(ActionFailed) as caught:
            download(place, job, **inputs)
        assert message in str(caught.value)

    @pytest.mark.parametrize("on_mismatch", ["error", "warn", "ignore"])
    def test_a_changed_artifact(self, place: World, job: LocalJob, on_mismatch: str) -> None:
        path = Path(job.stored[0][4])
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("more", "m")
        if on_mismatch == "error":
            with pytest.raises(ActionFailed, match=r"Digest validation failed .*: part-a\."):
                download(place, job, name="part-a")
        else:
            found = download(place, job, name="part-a", digest_mismatch=on_mismatch)
            assert found == {"one.txt": "1", "more": "m"}
            assert bool(job.annotations) is (on_mismatch == "warn")

    def test_an_entry_that_leads_out(self, place: World, job: LocalJob) -> None:
        path = Path(job.stored[0][4])
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("../../out", "m")
        with pytest.raises(Corrupt, match="Malicious entry"):
            download(place, job, name="part-a", digest_mismatch="ignore")
        assert not (job.workspace / "got/one.txt").exists()

    def test_a_zip_bomb(self, place: World, job: LocalJob, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "LARGE", 1 << 20)
        path = Path(job.stored[0][4])
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros", bytes(2 << 20))
        with pytest.raises(Corrupt, match="a zip bomb"):
            download(place, job, name="part-a", digest_mismatch="ignore")
        assert not (job.workspace / "got/one.txt").exists()
        more = {"skip_decompress": "true", "digest_mismatch": "ignore"}
        call = job.call("x@v8", GITHUB, path="plain", name="part-a", **more)
        DownloadArtifact(place).main(call, job)
        assert (job.workspace / "plain/part-a.zip").stat().st_size == path.stat().st_size

    def test_merge(self, place: World, job: LocalJob) -> None:
        action = MergeArtifacts(place)
        action.main(job.call("x/merge@v4", GITHUB, name="all", delete_merged="true"), job)
        assert download(place, job) == {"one.txt": "3", "sub/two.txt": "2"}
        assert "The 3 artifact(s) have been deleted" in job.lines

    def test_merge_into_folders(self, place: World, job: LocalJob) -> None:
        action = MergeArtifacts(place)
        call = job.call("x/merge@v4", GITHUB, pattern="*-[ab]", separate_directories="true")
        action.main(call, job)
        assert set(download(place, job, name="merged-artifacts")) == {
            "part-a/one.txt",
            "part-b/sub/two.txt",
        }
        with pytest.raises(ActionFailed, match="No artifacts found matching pattern 'x'"):
            action.main(job.call("x/merge@v4", GITHUB, pattern="x"), job)


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("*", "a a.b", ".a"),
        ("dist-*", "dist-1 dist-", "dist xdist-1"),
        ("{a,b}-{1..2}", "a-1 b-2", "a-3 {a,b}-1"),
        ("x{,y}", "x xy", "xz"),
        ("?[0-9]", "a1", "aa 1"),
        ("!a*", "b", "a ab"),
        ("@(a|b)c", "ac bc", "c abc"),
        ("a+(b)", "ab abb", "a"),
        ("a?(b)", "a ab", "abb"),
        ("a*(b|c)", "a abcb", "ad"),
        ("!(a|b)", "c ab", "a b"),
        (".*", ".a", "a"),
        ("#x", "", "#x"),
        ("{a", "{a", "a"),
    ],
)
def test_patterns_of_names(pattern: str, fits: str, fails: str) -> None:
    names = f"{fits} {fails}".split()
    assert [name for name in names if matches_name(pattern, name)] == fits.split()
