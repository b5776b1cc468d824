"""A real server of a real store, which the tests of a module share, and environments to register."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from capsule_servers import CapsuleServer, serving

from capsulestore.capture.environment import capture
from capsulestore.capture.target import running
from capsulestore.client import Client
from capsulestore.store import Store

ELSEWHERE = {
    "python": {
        "rules": 1,
        "interpreter": {"implementation": "cpython", "version": "3.12.4"},
        "packages": {"numpy": {"version": "1.26.4", "content": "sha256:" + "1" * 64}},
    }
}


@pytest.fixture(scope="session")
def captured() -> dict[str, Any]:
    """What `capsule capture --json` prints of the running interpreter, without what takes long to find out."""
    return capture(running(), layers=["python", "variables"]).as_dict()


@pytest.fixture
def elsewhere() -> dict[str, Any]:
    """An environment of another machine, bare."""
    return {"python": {**ELSEWHERE["python"]}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CapsuleServer]:
    directory = tmp_path_factory.mktemp("served")
    Store.init(str(directory)).close()
    with serving(directory / ".capsules") as server:
        yield server


@pytest.fixture(scope="module")
def client(server: CapsuleServer) -> Client:
    return Client(server.url, token=server.token("ada"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, without a store, with files that went in and came out."""
    for name, text in (("data/a.csv", "1"), ("data/b.csv", "2"), ("fit.csv", "slope,0.71")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path
