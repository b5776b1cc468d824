"""A clone is a store of another's: whole, or not there at all."""

import os
from pathlib import Path

import pytest
from exchanges import add, clone_from, listing, objects, push_to, refs, registered, remote_at, sound, state
from git_peers import run_git

from capsulestore.errors import CapsuleError, RemoteMisbehaved, RemoteProblem, StoreUnwritable, UsageError
from capsulestore.store import Store
from capsulestore.sync.clone import clone
from capsulestore.sync.pull import pull

pytest_plugins = ["exchange_fixtures"]


@pytest.fixture
def shared(hub, ours) -> Path:
    """A repository with two capsules, a statement and a tag."""
    capsule = add(ours, "first", environment="first")
    state(ours, capsule)
    ours.tags.set("paper", add(ours, "second", environment="second"))
    push_to(hub, ours)
    return hub


def test_it_has_all_and_is_a_store_like_any(shared, ours, tmp_path):
    path = clone_from(shared, tmp_path / "deep" / "er" / "clone")
    assert path == tmp_path / "deep" / "er" / "clone" / ".capsules"
    assert (refs(path), objects(path)) == (refs(shared), objects(shared))
    assert run_git(path, "config", "receive.fsckObjects") == "true"
    with Store(str(path)) as store:
        add(store, "third", environment="second")
        assert push_to(shared, store).objects == 3
    assert len(registered(shared)) == 4
    sound(path, shared)


def test_beside_it_nothing_is_left(shared, tmp_path):
    clone_from(shared, tmp_path / "clone")
    assert sorted(os.listdir(tmp_path / "clone")) == [".capsules", ".gitignore"]
    assert (tmp_path / "clone" / ".gitignore").read_text() == "/.capsules\n"


def test_a_surrounding_work_tree_is_told_of_its_place_alone(shared, tmp_path):
    run_git(tmp_path, "init", "-q", "work")
    exclude = tmp_path / "work" / ".git" / "info" / "exclude"
    before = exclude.read_text() if exclude.exists() else ""
    clone_from(shared, tmp_path / "work" / "analysis")
    assert exclude.read_text() == before + "/analysis/.capsules\n"
    assert run_git(tmp_path / "work", "status", "--short") == ""


def test_of_an_empty_repository_there_is_an_empty_store(hub, tmp_path):
    path = clone_from(hub, tmp_path / "clone")
    assert refs(path) == {}
    with Store(str(path)) as store:
        add(store, "first")
        push_to(hub, store)
    assert len(registered(hub)) == 1


def test_where_a_store_is_already_it_stays(shared, theirs):
    add(theirs, "theirs")
    before = listing(theirs.root)
    with pytest.raises(UsageError, match="there is a store already") as caught:
        clone_from(shared, Path(theirs.root))
    assert "capsule pull" in caught.value.hint
    assert listing(theirs.root) == before


@pytest.mark.parametrize("where", ["clone", "deep/er/clone", "there"])
@pytest.mark.parametrize("problem", ["no such repository", "what it sends is damaged"])
def test_after_an_error_nothing_is_there_that_was_not_before(shared, tmp_path, where, problem):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("stays")
    source = shared
    if problem == "no such repository":
        source = tmp_path / "nowhere"
    else:
        manifest = run_git(shared, "rev-parse", "main:capsule.json")
        path = shared / "objects" / manifest[:2] / manifest[2:]
        path.chmod(0o644)
        path.write_bytes(b"damaged")
    before = listing(tmp_path)
    with pytest.raises(RemoteProblem):
        clone_from(source, tmp_path / where)
    assert listing(tmp_path) == before


def test_of_two_that_clone_to_one_place_the_quicker_wins_and_the_other_leaves_nothing(shared, tmp_path):
    """The second begins and ends while the first is about to put its own in place."""

    def overtaken(store):
        received = pull(store, remote_at(shared))
        clone_from(shared, tmp_path / "clone")
        return received

    with pytest.raises(StoreUnwritable, match="cannot make the store"):
        clone(str(tmp_path / "clone"), overtaken)
    assert sorted(os.listdir(tmp_path / "clone")) == [".capsules", ".gitignore"]
    sound(tmp_path / "clone" / ".capsules")


def test_where_a_file_is_in_the_way_it_is_told(shared, tmp_path):
    (tmp_path / "file").write_text("stays")
    with pytest.raises(CapsuleError, match="cannot make the store"):
        clone_from(shared, tmp_path / "file" / "clone")
    assert (tmp_path / "file").read_text() == "stays"


def test_a_clone_of_what_is_no_store_of_ours_is_refused_and_named(hub, tmp_path):
    blob = run_git(hub, "hash-object", "-w", "--stdin", given=b'{"schema": 1}')
    environment = run_git(hub, "mktree", given=b"")
    listed = f"100644 blob {blob}\tcapsule.json\n040000 tree {environment}\tenvironment\n"
    tree = run_git(hub, "mktree", given=listed.encode())
    run_git(hub, "update-ref", "refs/heads/main", run_git(hub, "commit-tree", tree, "-m", "no capsule of ours"))
    with pytest.raises(RemoteMisbehaved, match=rf"^`origin` .*{tree} is wrong"):
        clone_from(hub, tmp_path / "clone")
    assert not (tmp_path / "clone").exists()
