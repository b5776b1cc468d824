"""Fixtures of the tests of remotes, for their `pytest_plugins`: each server runs once, when it is first asked for."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from git_peers import Peer, Way, by_path, make_bare, run_git
from git_servers import STORE, git_server
from pack_making import pack, whole
from remote_exchanges import MAIN, what_runs_and_is_open
from shelf_objects import capsule, commit, objects_of
from ssh_servers import by_ssh
from web_servers import WebServer, web_server


@pytest.fixture(scope="session")
def history(tmp_path_factory) -> SimpleNamespace:
    """A store, as a repository of git, with three capsules: `first`, and on it `second`, where main is, and `other`."""
    repository = make_bare(tmp_path_factory.mktemp("history") / "history.git", **STORE)
    capsules = {title: capsule(title) for title in ("first", "second", "other")}
    first = commit(capsules["first"].id)
    second, other = (commit(capsules[title].id, first.id) for title in ("second", "other"))
    objects = objects_of(*capsules.values(), first, second, other)
    run_git(repository, "index-pack", "--stdin", "--strict", given=pack(*map(whole, objects.values())))
    run_git(repository, "update-ref", MAIN, second.id.hex)
    return SimpleNamespace(repository=repository, first=first.id, second=second.id, other=other.id)


@pytest.fixture(scope="session")
def paths(tmp_path_factory) -> Way:
    return by_path(tmp_path_factory.mktemp("paths"))


@pytest.fixture(scope="session")
def ssh(tmp_path_factory) -> Iterator[Way]:
    with by_ssh(tmp_path_factory.mktemp("ssh")) as way:
        yield way


@pytest.fixture(scope="session")
def web(tmp_path_factory) -> Iterator[WebServer]:
    with web_server(tmp_path_factory.mktemp("web")) as server:
        yield server


@pytest.fixture(scope="session")
def http(web) -> Way:
    return web.way("http")


@pytest.fixture(scope="session")
def password(web) -> Way:
    return web.with_password()


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[Way]:
    with git_server(tmp_path_factory.mktemp("served")) as server:
        yield server.way()


@pytest.fixture(params=["paths", "ssh", "http", "password", "served"])
def way(request) -> Way:
    return request.getfixturevalue(request.param)


@pytest.fixture
def peer(way, nothing_is_left, request) -> Iterator[Peer]:
    """A repository of the test's own, which does not exist yet."""
    peer = way.peer(f"{way.name}-{request.node.originalname}.git")
    yield peer
    shutil.rmtree(peer.repository, ignore_errors=True)


@pytest.fixture
def empty(peer, way) -> Peer:
    """The repository, with nothing in it."""
    make_bare(peer.repository, **way.config)
    return peer


@pytest.fixture
def filled(peer, history) -> Peer:
    """The repository with the history in it, and main at `second`."""
    shutil.copytree(history.repository, peer.repository)
    return peer


@pytest.fixture
def here(tmp_path) -> Path:
    """Where what is fetched goes."""
    return make_bare(tmp_path / "here.git")


@pytest.fixture
def nothing_is_left() -> Iterator[None]:
    """After the test no process runs and no file or socket is open that was not before."""
    running, opened = what_runs_and_is_open()
    yield
    still_running, still_open = what_runs_and_is_open()
    # What tests before this one left to the interpreter may have been closed meanwhile.
    assert still_running - running == set()
    assert still_open <= opened
