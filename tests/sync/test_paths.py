"""Remotes on this machine: what stands for a store, and what keeps git from it."""

import os
import shutil

import pytest
from git_peers import Peer, commit, make_bare, run_git
from remote_exchanges import MAIN, fetched, pack_of, pushed, refused, remote_of, tip

from capsulestore.errors import NoCapsuleStore, RemoteRefused, RemoteUnreachable
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.sync.remote import Update

pytest_plugins = ["remote_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_is_left")


def test_a_directory_with_a_store_in_it_stands_for_the_store(tmp_path, history):
    with Store.init(str(tmp_path / "project")) as store:
        run_git(tmp_path / "project", "init", "-q")
        for url in (str(tmp_path / "project"), f"file://{tmp_path}/project", store.path):
            peer = Peer(url, tmp_path, os.environ)
            assert remote_of(peer).push(lambda _: None).advertised.capabilities["object-format"] == "sha256"
        pack = pack_of(history.repository, history.second)
        assert pushed(peer, pack, Update(MAIN, None, history.second)).refusals == {}
        assert tip(store.path) == history.second


def test_a_url_leads_to_a_path_whatever_its_characters(tmp_path, history):
    odd = tmp_path / "an odd 'name'! $HOME %41"
    shutil.copytree(history.repository, odd)
    escaped = str(odd).replace("%", "%25").replace(" ", "%20")
    for url in (str(odd), f"file://{escaped}"):
        assert fetched(Peer(url, odd, os.environ))


def test_variables_of_another_repository_do_not_lead_astray(tmp_path, history, monkeypatch):
    elsewhere = make_bare(tmp_path / "elsewhere.git")
    environ = {
        **os.environ,
        "GIT_DIR": str(elsewhere),
        "GIT_OBJECT_DIRECTORY": str(elsewhere / "objects"),
        "GIT_PROTOCOL": "version=2",
    }
    assert fetched(Peer(str(history.repository), history.repository, environ))


def test_without_git_one_line_says_so(tmp_path, history):
    peer = Peer(str(history.repository), history.repository, {**os.environ, "PATH": str(tmp_path)})
    assert refused(peer, RemoteUnreachable) == ["it is reached by `git`, which is not on this machine"] * 2


def test_a_directory_without_a_repository_is_none(tmp_path):
    assert (
        refused(Peer(str(tmp_path), tmp_path, os.environ), NoCapsuleStore)
        == ["there is no repository at that path"] * 2
    )


def test_a_file_is_none(tmp_path):
    (tmp_path / "file").touch()
    assert (
        refused(Peer(str(tmp_path / "file"), tmp_path, os.environ), NoCapsuleStore)
        == ["it is a file, not a directory"] * 2
    )


def test_a_repository_of_another_user_is_refused_in_git_s_words(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root gives a directory to another user")
    repository = make_bare(tmp_path / "theirs.git")
    os.chown(repository, 12345, 12345)
    peer = Peer(str(repository), repository, os.environ)
    assert (
        refused(peer, RemoteRefused)
        == [f"detected dubious ownership in repository at `{repository}`: it belongs to another user"] * 2
    )
    run_git(tmp_path, "config", "--global", "--add", "safe.directory", str(repository))
    assert remote_of(peer).push(lambda _: None).advertised.refs == {}


def test_a_directory_that_may_not_be_entered_is_refused(tmp_path):
    repository = make_bare(tmp_path / "closed.git")
    peer = Peer(str(repository), repository, os.environ)
    tmp_path.chmod(0o700)
    repository.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(12345)
    try:
        reasons = refused(peer, RemoteRefused)
    finally:
        os.seteuid(user)
        repository.chmod(0o700)
    assert reasons == ["its directory may not be entered: permission denied"] * 2


def test_many_refs_are_read(tmp_path):
    repository = make_bare(tmp_path / "many.git")
    first = commit(repository, "first")
    names = [f"refs/tags/capsule-{number:05}" for number in range(3000)]
    packed = "".join(f"{first} {name}\n" for name in names)
    (repository / "packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted\n{packed}")
    advertised = remote_of(Peer(str(repository), repository, os.environ)).push(lambda _: None).advertised
    assert advertised.refs == dict.fromkeys(names, Digest(first))
