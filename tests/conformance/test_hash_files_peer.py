"""Generated trees and patterns, hashed here and by GitHub's npm package @actions/glob."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.node_peer import NodePeer
from trunkline.adapters.file_search import DiskTree, Search, search
from trunkline.expr.errors import ExpressionError

pytestmark = pytest.mark.registry
PACKAGE = "@actions/glob@0.7.0"

NAMES = (
    *("a", "b", "A", "_x", "é", "z", "10", "9", "a.txt", "a.js", "b.js", ".hidden", ".github"),
    *("node_modules", "sp ace", "[x]", "x", "**", "*", "?", "a\\b", "😀", "a-b", "a]b", "!n", "#c"),
    *("~t", "{a,b}", "+(a)", "..x", "...", "new\nline", "lib", "src"),
)
SEGMENTS = (
    *("**", "**", "*", "*", "*.js", "*.txt", "?", "??", "a", "b", "a.txt", "[ab]", "[!a]*", "[^b]"),
    *("[a-z]*", "[[]x]", "\\*", "\\*\\*", "sp ace", "lib", "src", ".*", "[[:alpha:]]", "[z-a]"),
    *("[[:upper:]_]*", "[a", "[]", "[]a]*", "[!]", "*a*", "*[.]*", "é", "😀", "~t", "#c", "!n"),
    *("+(a)", "{a,b}", "a\\\\b", "[\\]]", "a[]]b", "[a-]*", "*.{js,txt}", "?*", "[.]github", ".."),
)


@pytest.fixture(scope="module")
def peer() -> Iterator[NodePeer]:
    found = NodePeer("hash_files_peer.mjs", PACKAGE)
    yield found
    found.close()


def grow(folder: Path, dice: random.Random, depth: int = 0) -> None:
    folder.mkdir()
    for name in dice.sample(NAMES, dice.randint(2, 8)):
        path = folder / name
        draw = dice.random()
        if draw < 0.4 and depth < 3:
            grow(path, dice, depth + 1)
        elif draw < 0.9:
            path.write_text(dice.choice(["", "x", "hello\n", name]))
        else:
            path.symlink_to(dice.choice(["..", ".", "a", "a.txt", "../a"]))


def pattern(root: Path, dice: random.Random) -> str:
    text = "/".join(dice.choice(SEGMENTS) for _ in range(dice.randint(1, 4)))
    text = dice.choice(["", "", "", "", "./", "~/", f"{root}/"]) + text
    text += dice.choice(["", "", "", "", "/"])
    return dice.choice(["", "", "", "", "!", "  ", "# "]) + text


def ours(root: Path, home: Path, patterns: list[str], *, follow: bool) -> str | None:
    """Return the digest, or None where the call fails."""
    arguments = ["--follow-symbolic-links", *patterns] if follow else patterns
    try:
        found = search(DiskTree(), Search(arguments, str(root), str(home), digests=True))
    except ExpressionError:
        return None
    files = [each for each in found if not each.is_folder and each.path.startswith(f"{root}/")]
    return hashlib.sha256(b"".join(each.sha256 for each in files)).hexdigest() if files else ""


@pytest.mark.parametrize("seed", range(6))
def test_digests_are_the_same(peer, tmp_path, seed):
    dice = random.Random(seed)  # noqa: S311  # not a secret
    root = tmp_path / dice.choice(["plain", "we [x] ird", "é"])
    grow(root, dice)
    for _ in range(50):
        patterns = [pattern(root, dice) for _ in range(dice.randint(1, 4))]
        follow = dice.random() < 0.3
        question = {"root": str(root), "home": str(root / "lib"), "patterns": patterns}
        answer = peer.ask(question | {"follow": follow})
        assert ours(root, root / "lib", patterns, follow=follow) == answer.get("digest"), patterns
