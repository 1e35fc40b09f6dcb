"""Which languages a repository's files are in, by their names."""

from __future__ import annotations

from collections import Counter

from trunkline.base.errors import NotFound
from trunkline.services.github.calls import Call

# The ending of a file's name -> its language (github-linguist); data and prose do not count.
LANGUAGES = {
    "c": "C",
    "h": "C",
    "cc": "C++",
    "cpp": "C++",
    "hpp": "C++",
    "cs": "C#",
    "css": "CSS",
    "dart": "Dart",
    "ex": "Elixir",
    "exs": "Elixir",
    "erl": "Erlang",
    "go": "Go",
    "hs": "Haskell",
    "html": "HTML",
    "java": "Java",
    "js": "JavaScript",
    "cjs": "JavaScript",
    "mjs": "JavaScript",
    "jsx": "JavaScript",
    "kt": "Kotlin",
    "lua": "Lua",
    "php": "PHP",
    "pl": "Perl",
    "ps1": "PowerShell",
    "py": "Python",
    "r": "R",
    "rb": "Ruby",
    "rs": "Rust",
    "scala": "Scala",
    "scss": "SCSS",
    "sh": "Shell",
    "bash": "Shell",
    "swift": "Swift",
    "tf": "HCL",
    "ts": "TypeScript",
    "mts": "TypeScript",
    "tsx": "TypeScript",
    "vue": "Vue",
    "zig": "Zig",
}
BY_NAME = {"dockerfile": "Dockerfile", "makefile": "Makefile", "rakefile": "Ruby"}


def languages_of(call: Call) -> dict[str, int]:
    """Return the bytes of each language on the default branch, most first."""
    try:
        tip = call.git.resolve(call.git.default_branch())
    except NotFound:
        return {}
    found: Counter[str] = Counter()
    for entry in call.git.tree(tip, recursive=True):
        name = entry.path.rpartition("/")[2].lower()
        language = BY_NAME.get(name) or LANGUAGES.get(name.rpartition(".")[2])
        if language and entry.size and ("." in name or name in BY_NAME):
            found[language] += entry.size
    return dict(found.most_common())
