"""Fixtures of the tests that exchange capsules, for their `pytest_plugins`."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from git_peers import make_bare

from capsulestore.store import Store


@pytest.fixture(scope="session")
def empty_hub(tmp_path_factory) -> Path:
    return make_bare(tmp_path_factory.mktemp("hub") / "hub.git", receive__fsckObjects="true")


@pytest.fixture
def hub(empty_hub, tmp_path) -> Path:
    """An empty repository of git that checks what it is sent as strictly as a store does."""
    return Path(shutil.copytree(empty_hub, tmp_path / "hub.git"))


@pytest.fixture
def new_store(tmp_path) -> Iterator[Callable[[str], Store]]:
    """Make a store in a directory of that name; closed after the test."""
    with ExitStack() as opened:

        def new_store(name: str) -> Store:
            (tmp_path / name).mkdir()
            return opened.enter_context(Store.init(str(tmp_path / name)))

        yield new_store


@pytest.fixture
def ours(new_store) -> Store:
    return new_store("ours")


@pytest.fixture
def theirs(new_store) -> Store:
    return new_store("theirs")
