"""Where `--publish` sends what a job asks for."""

from __future__ import annotations

import pytest

from trunkline.services.github.forwarding import Places, places

GITHUB = Places(
    "https://api.github.com", "https://uploads.github.com", "https://api.github.com/graphql"
)
CLOUD = Places(
    "https://api.octo.ghe.com", "https://uploads.octo.ghe.com", "https://api.octo.ghe.com/graphql"
)
SERVER = Places(
    "https://git.example/api/v3",
    "https://git.example/api/uploads",
    "https://git.example/api/graphql",
)


@pytest.mark.parametrize(
    ("server", "api", "found"),
    [
        ("https://github.com", "", GITHUB),
        ("", "", GITHUB),
        ("https://github.com", "https://api.github.com/", GITHUB),
        ("https://octo.ghe.com", "", CLOUD),
        ("https://git.example", "", SERVER),
        ("https://git.example/", "", SERVER),
        ("https://github.com", "https://git.example/api/v3", SERVER),
    ],
)
def test_places(server: str, api: str, found: Places):
    assert places(server, api) == found
