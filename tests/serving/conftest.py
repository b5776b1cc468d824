"""A server of a store, shared by a module's tests, and what they put into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from capsule_servers import CapsuleServer, environment_of, serving

from capsulestore.store import Store


@pytest.fixture(scope="module")
def served_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the module's own."""
    directory = tmp_path_factory.mktemp("served")
    with Store.init(str(directory)) as store:
        return Path(store.path)


@pytest.fixture(scope="module")
def server(served_store: Path) -> Iterator[CapsuleServer]:
    """A real server on the loopback, of a store that the module's tests share."""
    with serving(served_store, git=False) as server:
        yield server


@pytest.fixture(scope="module")
def token(server: CapsuleServer) -> str:
    """A token that may write."""
    return server.token()


@pytest.fixture(scope="module")
def post(server: CapsuleServer, token: str):
    """Register a capsule: `post(title, environment, **more)` returns what was answered."""

    def post(title: str = "a capsule", environment: dict[str, Any] | None = None, **more: Any):
        body = {"title": title, "environment_capture": environment or environment_of(numpy="2.1.0"), **more}
        return server.ask("POST", "/api/capsules", body, token=token)

    return post
