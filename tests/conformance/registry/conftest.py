"""The registry that the suite asks: ours, or the one at TRUNKLINE_REGISTRY."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.conformance.registry.client import Client, Repository
from trunkline.adapters.blobs.files import FileBlobs
from trunkline.adapters.clock import SystemClock, SystemIds
from trunkline.adapters.registries.files import FileImageStore
from trunkline.services.registry.registry import Registry
from trunkline.services.registry_access import OpenAccess
from trunkline.web.registry import RegistryApp
from trunkline.web.server import serve


@pytest.fixture(scope="session")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if given := os.environ.get("TRUNKLINE_REGISTRY"):
        yield given
        return
    root = str(tmp_path_factory.mktemp("registry"))
    clock = SystemClock()
    store = FileImageStore(root, FileBlobs(root), clock, SystemIds())
    with serve(RegistryApp(Registry(store=store, clock=clock), OpenAccess())) as server:
        yield server.url
    store.close()


@pytest.fixture
def client(registry_url: str) -> Client:
    return Client(registry_url)


@pytest.fixture
def repo(client: Client) -> Repository:
    return Repository(client, f"conformance/{os.urandom(8).hex()}")


@pytest.fixture
def other(client: Client) -> Repository:
    return Repository(client, f"conformance/{os.urandom(8).hex()}")
