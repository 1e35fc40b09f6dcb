"""The image store on disk: restarts, other processes, a full disk, and damage."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.clock import SystemClock, SystemIds
from trunkline.adapters.registries.files import FileImageStore
from trunkline.base.errors import Corrupt, NotFound, Unavailable
from trunkline.oci.collection import Rules
from trunkline.oci.digests import digest_of
from trunkline.oci.manifests import read_manifest
from trunkline.oci.media_types import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST
from trunkline.ports.image_store import MissingContent, NoSpace, UploadBusy

REPO = "team/app"
CLOCK = SystemClock()

# What another process does with the same store.
PRELUDE = """
import io, json, os, resource, sys
from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.clock import SystemClock, SystemIds
from trunkline.adapters.registries.files import FileImageStore
from trunkline.oci.digests import digest_of
from trunkline.oci.collection import Rules
from trunkline.ports.image_store import MissingContent, NoSpace
root = sys.argv[1]
store = FileImageStore(root, FileBlobs(root), SystemClock(), SystemIds())
def push(content, repository="team/app"):
    upload = store.uploads.start(repository, "sha256").id
    store.uploads.append(repository, upload, io.BytesIO(content), None, None)
    store.uploads.finish(repository, upload, digest_of(content))
"""


def elsewhere(root: Path, code: str) -> subprocess.Popen[str]:
    source = PRELUDE + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", source, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[4],
        text=True,
    )


def done(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0
    return output.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "registry"


def opened(root: Path) -> FileImageStore:
    return FileImageStore(str(root), FileBlobs(str(root)), CLOCK, SystemIds())


@pytest.fixture
def store(root: Path) -> Iterator[FileImageStore]:
    made = opened(root)
    yield made
    made.close()


def push_blob(store: FileImageStore, content: bytes, repository: str = REPO) -> str:
    upload = store.uploads.start(repository, "sha256").id
    store.uploads.append(repository, upload, io.BytesIO(content), None, None)
    return store.uploads.finish(repository, upload, digest_of(content)).digest


def image(*layers: bytes) -> bytes:
    def described(content: bytes, media_type: str) -> dict[str, object]:
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": described(b"{}", OCI_CONFIG),
            "layers": [described(layer, OCI_LAYER_GZIP) for layer in layers],
        }
    ).encode()


def put_image(store: FileImageStore, tag: str, *layers: bytes, repository: str = REPO) -> str:
    body = image(*layers)
    manifest = read_manifest(body, OCI_MANIFEST)
    return store.manifests.put(repository, manifest, body, [tag]).digest


def files(root: Path, below: str) -> list[Path]:
    return sorted(path for path in (root / below).rglob("*") if path.is_file())


def test_content_is_kept_once_and_private(store: FileImageStore, root: Path) -> None:
    for repository in ("one", "two"):
        push_blob(store, b"layer", repository)
    (kept,) = files(root, "blobs")
    assert kept.read_bytes() == b"layer"
    assert kept.stat().st_mode & 0o777 == 0o400
    assert root.stat().st_mode & 0o777 == 0o700
    assert files(root, "uploads") == []


def test_an_upload_goes_on_after_a_restart(root: Path) -> None:
    before = opened(root)
    upload = before.uploads.start(REPO, "sha256").id
    before.uploads.append(REPO, upload, io.BytesIO(b"abc"), 0, 3)
    before.close()
    after = opened(root)
    found = after.uploads.find(REPO, upload)
    assert found is not None
    assert found.size == 3
    after.uploads.append(REPO, upload, io.BytesIO(b"def"), 3, 3)
    after.uploads.finish(REPO, upload, digest_of(b"abcdef"))
    assert after.blobs.find(REPO, digest_of(b"abcdef")) is not None
    after.close()


def test_two_processes_share_an_upload(store: FileImageStore, root: Path) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    store.uploads.append(REPO, upload, io.BytesIO(b"abc"), 0, 3)
    code = f"store.uploads.append('{REPO}', '{upload}', io.BytesIO(b'def'), 3, 3)"
    done(elsewhere(root, code))
    store.uploads.append(REPO, upload, io.BytesIO(b"ghi"), 6, 3)
    store.uploads.finish(REPO, upload, digest_of(b"abcdefghi"))


def test_an_upload_is_busy_for_other_processes_too(store: FileImageStore, root: Path) -> None:
    upload = store.uploads.start(REPO, "sha256").id
    process = elsewhere(
        root,
        f"""
        class Slow:
            def read(self, size):
                print("reading", flush=True)
                return sys.stdin.readline().strip().encode()
        store.uploads.append('{REPO}', '{upload}', Slow(), None, None)
        """,
    )
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == "reading\n"
    with pytest.raises(UploadBusy):
        store.uploads.append(REPO, upload, io.BytesIO(b"x"), None, None)
    process.stdin.write("abc\n")
    process.stdin.write("\n")
    done(process)
    store.uploads.finish(REPO, upload, digest_of(b"abc"))


def test_a_killed_push_leaves_what_came_and_nothing_else(store: FileImageStore, root: Path) -> None:
    process = elsewhere(
        root,
        f"""
        class Endless:
            sent = 0
            def read(self, size):
                if self.sent == 3:
                    print(upload, flush=True)
                    sys.stdin.readline()
                self.sent += 1
                return b"x" * 1000
        upload = store.uploads.start('{REPO}', "sha256").id
        store.uploads.append('{REPO}', upload, Endless(), None, None)
        """,
    )
    assert process.stdout
    upload = process.stdout.readline().strip()
    process.kill()
    process.communicate(timeout=60)
    found = store.uploads.find(REPO, upload)
    assert found is not None
    assert found.size == 3000
    assert store.manifests.repositories() == ()
    assert files(root, "blobs") == []
    store.uploads.append(REPO, upload, io.BytesIO(b"y"), 3000, 1)
    store.uploads.finish(REPO, upload, digest_of(b"x" * 3000 + b"y"))


def test_what_a_dead_process_left_behind_is_collected(store: FileImageStore, root: Path) -> None:
    kept = push_blob(store, b"kept")
    stray = root / "blobs" / "sha256" / "ab" / ("ab" + "0" * 62)
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"moved, not written down")
    upload = store.uploads.start(REPO, "sha256").id
    (root / "uploads" / upload).unlink()
    lost = root / "uploads" / "lost"
    lost.write_bytes(b"")
    os.utime(lost, (0, 0))
    collected = store.collect(Rules(now=CLOCK.now()))
    assert (collected.blobs, collected.size) == (1, len(b"moved, not written down"))
    assert not stray.exists()
    assert not lost.exists()
    assert store.uploads.find(REPO, upload) is None
    assert store.blobs.find(REPO, kept) is not None


def test_a_blob_that_was_lost_can_be_pushed_again(store: FileImageStore, root: Path) -> None:
    digest = push_blob(store, b"layer")
    (kept,) = files(root, "blobs")
    kept.unlink()
    assert store.blobs.find(REPO, digest) is None
    with pytest.raises(NotFound):
        store.blobs.open(REPO, digest)
    push_blob(store, b"{}")
    with pytest.raises(MissingContent):
        put_image(store, "t", b"layer")
    push_blob(store, b"layer")
    put_image(store, "t", b"layer")


def test_names_never_lead_out_of_the_store(store: FileImageStore, root: Path) -> None:
    outside = root.parent / "outside"
    outside.write_bytes(b"secret")
    for wrong in ("../../outside", "../outside", "/etc/passwd", "sha256:../../../outside"):
        assert store.blobs.find(wrong, wrong) is None
        assert store.uploads.find(wrong, wrong) is None
        assert store.manifests.find(wrong, wrong) is None
        assert not store.uploads.cancel(wrong, wrong)
    push_blob(store, b"x", "../../../escape")
    assert sorted(path.name for path in root.parent.iterdir()) == ["outside", "registry"]


def test_a_link_in_an_uploads_place_is_not_followed(store: FileImageStore, root: Path) -> None:
    target = root.parent / "target"
    target.write_bytes(b"")
    upload = store.uploads.start(REPO, "sha256").id
    place = root / "uploads" / upload
    place.unlink()
    place.symlink_to(target)
    with pytest.raises(Unavailable):
        store.uploads.append(REPO, upload, io.BytesIO(b"x"), None, None)
    assert target.read_bytes() == b""


def test_a_full_disk_is_told_and_leaves_nothing(root: Path) -> None:
    limit = 400_000
    process = elsewhere(
        root,
        f"""
        push(b"small")
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        try:
            push(b"x" * {2 * limit})
        except NoSpace as error:
            print(error.message)
        push(b"another small one")
        print(json.dumps(os.listdir(os.path.join(root, "uploads"))))
        """,
    )
    told, left = done(process).splitlines()
    assert told.startswith("The registry's store can't be used: File too large: ")
    assert json.loads(left) == []
    assert len(files(root, "blobs")) == 2


@pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="mounts a small disk: root"
)
def test_a_disk_that_fills_up_is_told_and_usable_again(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        store = opened(disk)
        kept = push_blob(store, b"kept")
        with pytest.raises(NoSpace, match="No space left on device"):
            push_blob(store, b"x" * 3_000_000)
        assert files(disk, "uploads") == []
        push_blob(store, b"y" * 1000)
        assert store.blobs.find(REPO, kept) is not None
        store.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_store_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "registry").write_text("a file")
    with pytest.raises(Unavailable, match="The registry's store can't be used"):
        opened(tmp_path / "registry")


def test_a_damaged_index_is_told(root: Path) -> None:
    root.mkdir()
    (root / "index.db").write_bytes(b"no database at all, " * 100)
    with pytest.raises(Corrupt, match="index can't be read") as caught:
        opened(root)
    assert "Move its folder away" in caught.value.hint


def test_an_index_of_a_later_version_is_told(root: Path, store: FileImageStore) -> None:
    with store._database.writing() as writing:  # noqa: SLF001 - what a later version would do
        writing.execute("PRAGMA user_version=2")
    with pytest.raises(Corrupt, match="of version 2"):
        opened(root)


def test_many_open_a_new_store_at_once(root: Path) -> None:
    processes = [elsewhere(root, f"push(b'{number}')") for number in range(3)]
    for process in processes:
        done(process)
    store = opened(root)
    assert len(store.holdings()[0].blobs) == 3
    store.close()


def test_pushes_of_two_processes_beside_collections_lose_nothing(
    store: FileImageStore, root: Path, tmp_path: Path
) -> None:
    """Every image that a push was told is kept can be read whole, whatever is collected meanwhile."""
    enough = tmp_path / "enough"
    code = f"""
    from itertools import count
    from tests.unit.adapters.registries.test_files import put_image
    layers = [bytes([97 + n]) * 5000 for n in range(4)]
    for round in count():
        if round >= 40 and os.path.exists({str(enough)!r}):
            break
        repository = f"{REPO}{{round % 3}}"
        chosen = (layers[round % 4], layers[(round + 1) % 4])
        for content in (b"{{}}", *chosen):
            if store.blobs.find(repository, digest_of(content)) is None:
                push(content, repository)
        try:
            put_image(store, f"t{{round % 5}}", *chosen, repository=repository)
        except MissingContent:
            print("told that a blob is gone")
        found = store.manifests.find(repository, f"t{{(round + 2) % 5}}")
        if found is not None:
            store.manifests.remove(repository, found.digest)
    """
    pushers = [elsewhere(root, code) for _ in range(2)]
    collected = 0
    deadline = time.monotonic() + 60
    try:
        # SQLite's lock is not fair: how often its turn comes is the machine's matter, not the test's.
        while collected < 5 and time.monotonic() < deadline:
            # Without leases a push may have to begin again, but what was kept must stay whole.
            collected += store.collect(Rules(now=CLOCK.now() + 1, lease=0.0, untagged=0.0)).blobs
    finally:
        enough.touch()
        for pusher in pushers:
            done(pusher)
    assert collected >= 5
    for held in store.holdings():
        for manifest in held.manifests.values():
            for blob in manifest.blobs:
                with store.blobs.open(held.repository, blob) as content:
                    assert digest_of(content.read()) == blob


def test_with_leases_a_push_beside_collections_needs_no_second_try(
    store: FileImageStore, root: Path
) -> None:
    process = elsewhere(
        root,
        """
        for _ in range(60):
            store.collect(Rules(now=SystemClock().now(), untagged=0.0))
        """,
    )
    for number in range(60):
        layer = b"%d" % (number % 7)
        for content in (b"{}", layer):
            if store.blobs.find(REPO, digest_of(content)) is None:
                push_blob(store, content)
        digest = put_image(store, "t", layer)
        if number % 3 == 0:
            store.manifests.remove(REPO, digest)
    done(process)
