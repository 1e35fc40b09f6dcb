"""What tests of the web server share: one that echoes, and a certificate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.certificates import Certificate, make_certificate
from tests.web_clients import Echo
from trunkline.web.server import Server, serve


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[Server]:
    with serve(echo) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))
