"""What every forge does: git with folders, git with a server, and the fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.repositories import commit, git, repository, write
from trunkline.adapters.forges.git import GitForge
from trunkline.adapters.forges.memory import MemoryForge
from trunkline.base.errors import ActionUnavailable, NotFound
from trunkline.plan.facts import RepositoryFacts
from trunkline.plan.model import FileRef
from trunkline.ports.forge import Fetched, Forge

WORKFLOW = ".github/workflows/called.yml"
TEXT = "on: workflow_call\n# é\n"


class Case(NamedTuple):
    forge: Forge
    mine: str
    sha: str


@pytest.fixture(params=["local folders", "server", "memory"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    theirs = repository(tmp_path / "srv/octo/tool", {"action.yml": "name: tool\n", WORKFLOW: TEXT})
    sha = git(theirs, "rev-parse", "HEAD")
    git(theirs, "tag", "v1")
    mine = str(repository(tmp_path / "mine", {"a": "1"}))
    if request.param == "memory":
        fetched = Fetched(repository="octo/tool", ref="v1", sha=sha, path=str(theirs))
        facts = RepositoryFacts(owner="me", name="mine", actor="me", head_ref="refs/heads/main")
        yield Case(MemoryForge({mine: facts}, {"octo/tool@v1": fetched}), mine, sha)
    elif request.param == "server":
        server = f"file://{tmp_path}/srv"
        yield Case(GitForge(tmp_path / "cache", server_url=server), mine, sha)
    else:
        local = {"octo/tool": str(theirs), "octo/none": str(tmp_path / "none")}
        yield Case(GitForge(tmp_path / "cache", local, offline=True), mine, sha)


def test_fetches_the_files_at_a_ref(case: Case) -> None:
    fetched = case.forge.fetch("octo/tool", "v1")
    assert (fetched.repository, fetched.ref, fetched.sha) == ("octo/tool", "v1", case.sha)
    assert Path(fetched.path, "action.yml").read_text(encoding="utf-8") == "name: tool\n"


def test_names_of_repositories_are_case_insensitive(case: Case) -> None:
    case.forge.fetch("octo/tool", "v1")
    assert case.forge.fetch("Octo/Tool", "v1").sha == case.sha


def test_reads_a_workflow_file(case: Case) -> None:
    assert case.forge.workflow_file(FileRef("octo/tool", WORKFLOW, "v1")) == TEXT


def test_a_missing_workflow_file_is_named(case: Case) -> None:
    with pytest.raises(NotFound, match=r"no file \.github/workflows/x\.yml in octo/tool@v1"):
        case.forge.workflow_file(FileRef("octo/tool", ".github/workflows/x.yml", "v1"))


def test_a_missing_repository_is_named(case: Case) -> None:
    with pytest.raises(ActionUnavailable, match="Unable to resolve action `octo/none@v1`"):
        case.forge.fetch("octo/none", "v1")


def test_tells_the_facts_of_a_folder(case: Case) -> None:
    facts = case.forge.facts(case.mine, event="push")
    assert (facts.name, facts.head_ref) == ("mine", "refs/heads/main")


def test_a_missing_folder_has_no_facts(case: Case) -> None:
    with pytest.raises(NotFound, match="no folder"):
        case.forge.facts(case.mine + "/none")


def test_lists_what_belongs_to_a_repository(tmp_path: Path) -> None:
    mine = repository(
        tmp_path / "mine", {"a": "1", "gone": "", ".gitignore": "built/\n", "é x": ""}
    )
    write(mine, {"new": "", "built/x": ""})
    (mine / "gone").unlink()
    (mine / "link").symlink_to("nowhere")
    forge = GitForge(tmp_path / "cache")
    assert forge.files(str(mine)) == (".gitignore", "a", "link", "new", "é x")
    (tmp_path / "plain").mkdir()
    assert forge.files(str(tmp_path / "plain")) is None


class TestServer:
    """What only a forge with a server can show: what refs mean, the cache, and being offline."""

    @pytest.fixture
    def theirs(self, tmp_path: Path) -> Path:
        return repository(tmp_path / "srv/octo/tool", {"a": "1"})

    def forge(self, tmp_path: Path, *, offline: bool = False) -> GitForge:
        server = f"file://{tmp_path}/srv"
        return GitForge(tmp_path / "cache", offline=offline, server_url=server)

    def test_branches_tags_commits_and_the_default(self, tmp_path: Path, theirs: Path) -> None:
        first = git(theirs, "rev-parse", "HEAD")
        git(theirs, "tag", "-a", "-m", "one", "v1")
        second = commit(theirs, {"a": "2"})
        git(theirs, "branch", "v2/é")
        forge = self.forge(tmp_path)
        wanted = {"v1": first, "refs/tags/v1": first, "v2/é": second, first: first, "": second}
        assert {ref: forge.fetch("octo/tool", ref).sha for ref in wanted} == wanted
        assert Path(forge.fetch("octo/tool", first).path, "a").read_text(encoding="utf-8") == "1"

    def test_a_tag_comes_before_a_branch_of_the_same_name(
        self, tmp_path: Path, theirs: Path
    ) -> None:
        tagged = git(theirs, "rev-parse", "HEAD")
        git(theirs, "tag", "x")
        git(theirs, "checkout", "-q", "-b", "x")
        commit(theirs, {"a": "2"})
        assert self.forge(tmp_path).fetch("octo/tool", "x").sha == tagged

    def test_what_was_fetched_serves_offline(self, tmp_path: Path, theirs: Path) -> None:
        sha = self.forge(tmp_path).fetch("octo/tool", "main").sha
        (tmp_path / "srv").rename(tmp_path / "gone")
        assert theirs.exists() is False
        offline = self.forge(tmp_path, offline=True)
        assert offline.fetch("octo/tool", "main").sha == sha
        assert offline.fetch("octo/tool", sha).sha == sha

    def test_offline_says_so_and_what_to_do(self, tmp_path: Path, theirs: Path) -> None:
        assert theirs.exists()
        with pytest.raises(ActionUnavailable, match="--offline was given") as caught:
            self.forge(tmp_path, offline=True).fetch("octo/tool", "main")
        assert "--local-repository octo/tool=DIR" in caught.value.hint

    def test_an_unknown_version_is_told_as_github_tells_it(
        self, tmp_path: Path, theirs: Path
    ) -> None:
        assert theirs.exists()
        with pytest.raises(ActionUnavailable) as caught:
            self.forge(tmp_path).fetch("octo/tool", "v9")
        assert caught.value.message == (
            "Unable to resolve action `octo/tool@v9`, unable to find version `v9`"
        )

    def test_a_shortened_commit_is_refused_with_the_full_one(
        self, tmp_path: Path, theirs: Path
    ) -> None:
        old = git(theirs, "rev-parse", "HEAD")
        commit(theirs, {"a": "2"})
        git(theirs, "config", "uploadpack.allowFilter", "true")
        with pytest.raises(ActionUnavailable, match=f"full commit SHA `{old}` instead"):
            self.forge(tmp_path).fetch("octo/tool", old[:8])

    def test_a_ref_is_never_an_option(self, tmp_path: Path, theirs: Path) -> None:
        assert theirs.exists()
        with pytest.raises(ActionUnavailable):
            self.forge(tmp_path).fetch("octo/tool", "--upload-pack=touch pwned")
        assert not list(tmp_path.rglob("pwned"))

    @pytest.mark.parametrize("name", [".github", ".x", "..."])
    def test_a_name_may_begin_with_a_dot(self, tmp_path: Path, name: str) -> None:
        theirs = repository(tmp_path / "srv/octo" / name, {WORKFLOW: TEXT})
        forge = self.forge(tmp_path)
        assert forge.fetch(f"octo/{name}", "main").sha == git(theirs, "rev-parse", "HEAD")
        assert forge.workflow_file(FileRef(f"octo/{name}", WORKFLOW, "main")) == TEXT

    @pytest.mark.parametrize(
        "name", ["octo/..", "octo/.", "../x", "./x", "-x/y", "x/-y", "octo", "octo/", "/x", "a/b/c"]
    )
    def test_what_is_no_name_is_never_looked_for(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ActionUnavailable, match="that is no owner/name"):
            self.forge(tmp_path).fetch(name, "main")

    def test_a_path_out_of_the_repository_is_refused(self, tmp_path: Path, theirs: Path) -> None:
        assert theirs.exists()
        (tmp_path / "secret").write_text("s", encoding="utf-8")
        with pytest.raises(NotFound, match="leads out of its repository"):
            self.forge(tmp_path).workflow_file(
                FileRef("octo/tool", "../../../../../secret", "main")
            )

    def test_a_version_of_a_local_folder_can_be_told_apart(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one", tmp_path / "two"
        one.mkdir()
        repository(two, {"a": "2"})
        forge = GitForge(tmp_path / "cache", {"o/t@v1": str(one), "o/t": str(two)}, offline=True)
        plain, versioned = forge.fetch("o/t", "v1"), forge.fetch("o/t", "v2")
        assert (plain.path, plain.sha, plain.git_dir) == (str(one), "0" * 40, "")
        assert (versioned.path, versioned.git_dir) == (str(two), str(two / ".git"))
        assert versioned.local
